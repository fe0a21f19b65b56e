"""A firm as large as one likes, written straight into a lake: accounts, their trades, identities and regimes. No benchmark.

Values are drawn by DuckDB from the hash of (account, day, …), so that a day has the same rows in whatever order days
are made. The rows obey the contracts; how a market moves is of no interest here (`sandbox` has that).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zlib import crc32

import duckdb
import pyarrow as pa

from daily_profit_model.lake import Lake, write, write_revision
from daily_profit_model.lake.lake import cut_off
from daily_profit_model.partitions import days_between
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import RAW_ACCOUNTS, RAW_MARKET_REGIMES, RAW_METRICS_DAILY, RAW_TRADES_CLOSED
from daily_profit_model.tables.staging import STAGING_ACCOUNTS

LAST = date(2026, 6, 30)
CODE_VERSION = "synthetic"

_SYMBOLS = "['EURUSD','GBPUSD','USDJPY','XAUUSD','NDX100','SPX500','US30','BTCUSD','ETHUSD','USOUSD']"


def _drawn(what: str, of: str = "account, day_number") -> str:
    """A number in [0, 1) that depends on `of` and `what` alone, drawn apart from those of every other `what`."""
    # the hash of several values is a mere xor at its end: hashed once more, it is not
    return f"((hash(xor(hash({of}), {crc32(what.encode())}::ubigint)) >> 11)::double / 9007199254740992)"


_ACCOUNTS = f"""
with drawn as (
    select
        account,
        $day_number as day_number,
        {_drawn("traded")} < 0.3 as traded,
        round(({_drawn("a")} + {_drawn("b")} + {_drawn("c")} - 1.5) * 800, 2) as profit,
        [5000.0, 25000.0, 100000.0][1 + account % 3] as start
    from range($accounts) as accounts(account)
)
select
    $day as date, 'account' || lpad(account::varchar, 7, '0') as account_id, (1000000 + account)::varchar as login,
    4::bigint as platform, 1::bigint as broker, 'plan' || account % 40 as plan_id, 'trader' || account as trader_id,
    1::bigint as account_type, 1 + account % 4 as phase, 1::bigint as status,
    ['FI', 'DE', 'US', 'IN', 'NG'][1 + account % 5] as country,
    'metrics' as state_source, $day as state_date, $born as first_seen_date, start as starting_balance,
    start + round(1000 * {_drawn("balance")}, 2) as balance, start + round(1000 * {_drawn("equity")}, 2) as equity,
    0.0 as approved_payouts, 0.0 as pending_payouts, (day_number % 14)::double as days_to_next_payout,
    $born as first_trade_date, case when traded then profit else 0.0 end as net_profit,
    traded::int::bigint * (1 + hash(account, day_number) % 9)::bigint as trades_closed, traded as has_traded,
    (account % 7 = 0)::int::bigint as open_positions,
    case when account % 7 = 0 then profit end as open_pnl, case when account % 7 = 0 then 10000.0 end as open_volume,
    start + 1000.0 as equity_high, $born as equity_high_date, case when traded then $day else $day - 3 end as last_trade_date,
    (day_number * 3 // 10)::bigint as active_trading_days,
    greatest(day_number * 3 // 10 - (hash(account, day_number, 'w') % 3)::bigint, 0)::bigint as active_days_at_last_non_win,
    greatest(day_number * 3 // 10 - (hash(account, day_number, 'l') % 3)::bigint, 0)::bigint as active_days_at_last_non_loss,
    'Standard P' || 1 + account % 3 as plan_type, 100.0 as leverage, 8.0 as profit_target_pct, 10.0 as max_drawdown_pct,
    5.0 as daily_loss_limit_pct, account % 2 = 0 as is_drawdown_relative, 80.0 as profit_share_pct,
    5::bigint as min_trading_days, null::bigint as max_trading_days, true as liquidate_friday,
    30::bigint as inactivity_period_days, account % 2 = 1 as daily_drawdown_by_balance_equity,
    false as enable_consistency, timestamptz '2024-01-01 00:00:00+00' as plan_valid_from,
    account % 50 <> 0 as is_eligible, case when account % 50 = 0 then 'ended' end as ineligible_reason
from drawn
"""

# the settled profit of those that traded, as staging/accounts has it
_METRICS = f"""
select
    date, account_id, login, platform, broker, 1::bigint as status, trades_closed as num_trades, net_profit
from ({_ACCOUNTS}) as accounts
where has_traded
"""

_IDENTITIES = """
select
    $day as date, 'account' || lpad(account::varchar, 7, '0') as account_id, (1000000 + account)::varchar as login,
    4::bigint as platform, 1::bigint as broker, false as is_live
from range($accounts) as accounts(account)
"""

_TRADES = f"""
with drawn as (
    select
        trade,
        $day_number as day_number,
        -- a few accounts trade much, most little
        (power({_drawn("who", "trade, day_number")}, 2.5) * $accounts)::bigint as account,
        {_SYMBOLS}[1 + (hash(hash(trade, day_number)) % 10)::bigint] as symbol,
        {_drawn("open", "trade, day_number")} as opened,
        {_drawn("held", "trade, day_number")} as held,
        round(({_drawn("p", "trade, day_number")} + {_drawn("q", "trade, day_number")} - 1.0) * 500, 2) as profit
    from range($trades) as trades(trade)
)
select
    $day as date, 4::bigint as platform, 1::bigint as broker, (1000000 + account)::varchar as login,
    (day_number::bigint * 10000000 + trade)::varchar as position, (day_number::bigint * 10000000 + trade)::varchar as ticket,
    1::bigint as manager, symbol as trd_symbol, symbol as std_symbol, ['buy', 'sell'][1 + trade % 2] as side,
    round(0.01 + 5 * held * opened, 2) as lots, 100000.0 as contract_size, 1000.0 as qty_in_base_crncy,
    round(1000 + 100000 * held, 2) as volume_usd, case when trade % 3 = 0 then 1.05 end as stop_loss,
    case when trade % 4 = 0 then 1.25 end as take_profit,
    epoch_ms(epoch_ms($day::timestamp) + (opened * 70000000)::bigint)::timestamptz as open_time, 1.1 as open_price,
    epoch_ms(epoch_ms($day::timestamp) + (opened * 70000000)::bigint + (held * held * 14000000)::bigint)::timestamptz
        as close_time,
    1.1 + profit / 100000 as close_price, profit, held * held * 14000000 / 3600000 as duration,
    -round(3 * held, 2) as commission, 0.0 as fee, 0.0 as swap, null::varchar as comment, 100.0 as client_margin,
    200.0 as firm_margin
from drawn
"""


@dataclass(frozen=True)
class LargeFirm:
    """How large it is: accounts, and closed trades a day."""

    accounts: int
    trades_a_day: int
    history_days: int
    """Days of its history, the last one LAST."""

    def days(self, last: int) -> list[str]:
        """The last so many days."""
        return days_between(LAST - timedelta(days=last - 1), LAST)

    def write_accounts(self, lake: Lake, days: Sequence[str]) -> None:
        """staging/accounts and raw/market_regimes of some days, and raw/metrics_daily without a row."""
        for day in days:
            write(lake, STAGING_ACCOUNTS, day, self._rows(_ACCOUNTS, STAGING_ACCOUNTS, day), code_version=CODE_VERSION)
            _write_raw(lake, RAW_MARKET_REGIMES, day, _regime(date.fromisoformat(day)))
            _write_raw(lake, RAW_METRICS_DAILY, day, RAW_METRICS_DAILY.schema().empty_table())

    def write_metrics(self, lake: Lake, days: Sequence[str]) -> None:
        """raw/metrics_daily of some days: a row for each account that traded."""
        for day in days:
            _write_raw(lake, RAW_METRICS_DAILY, day, self._rows(_METRICS, RAW_METRICS_DAILY, day))

    def write_trades(self, lake: Lake, days: Sequence[str]) -> None:
        """raw/trades_closed of some days, and raw/accounts with the accounts' identities."""
        for day in days:
            _write_raw(lake, RAW_TRADES_CLOSED, day, self._rows(_TRADES, RAW_TRADES_CLOSED, day))
            _write_raw(lake, RAW_ACCOUNTS, day, self._rows(_IDENTITIES, RAW_ACCOUNTS, day))

    def _rows(self, sql: str, table: Table, day: str) -> pa.Table:
        """The rows of a day; columns that the text does not make are null."""
        own = date.fromisoformat(day)
        values = {
            "day": own,
            "born": LAST - timedelta(days=self.history_days - 1),
            "day_number": (own - LAST).days + self.history_days - 1,
            "accounts": self.accounts,
            "trades": self.trades_a_day,
        }
        with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
            connection.execute("set timezone = 'UTC'")
            found = connection.sql(sql, params={name: value for name, value in values.items() if f"${name}" in sql})
            rows = found.to_arrow_table()
        columns = [
            rows[column.name].cast(column.type)
            if column.name in rows.column_names
            else pa.nulls(rows.num_rows, column.type)
            for column in table.columns
        ]
        return pa.table(columns, schema=table.schema())


def _regime(day: date) -> pa.Table:
    place = day.toordinal() % 7
    values: dict[str, object] = {"date": day, "known_at": datetime(day.year, day.month, day.day, 23, tzinfo=UTC)}
    for column in RAW_MARKET_REGIMES.columns:
        if column.name not in values:
            number: object = 0.01 * (place + len(column.name))
            values[column.name] = number if pa.types.is_floating(column.type) else place
            if pa.types.is_string(column.type):
                values[column.name] = f"state {place}"
    return pa.Table.from_pylist([values], schema=RAW_MARKET_REGIMES.schema())


def _write_raw(lake: Lake, table: Table, day: str, rows: pa.Table) -> None:
    known = cut_off(date.fromisoformat(day)) - timedelta(hours=1)
    write_revision(lake, table, day, rows, ingested_at=known, code_version=CODE_VERSION)
