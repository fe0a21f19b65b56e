"""A firm by hand for the corner cases: each test declares its accounts here, all are computed at once. No tests.

One call for all of them, since the query's planning costs more than its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pyarrow as pa

from daily_profit_model.tables.raw import RAW_MARKET_REGIMES
from daily_profit_model.tables.staging import STAGING_ACCOUNTS
from daily_profit_model_tests.features.histories import LAST, features_of, iso
from daily_profit_model_tests.features.trading import Record, trade, trade_days, trades_table

TERMS: Record = {
    "leverage": 100.0, "profit_target_pct": 8.0, "max_drawdown_pct": 10.0, "daily_loss_limit_pct": 5.0,
    "is_drawdown_relative": False, "profit_share_pct": 80.0, "min_trading_days": 3, "max_trading_days": 60,
    "liquidate_friday": False, "inactivity_period_days": 30, "daily_drawdown_by_balance_equity": False,
    "enable_consistency": False, "plan_valid_from": datetime(2025, 1, 1, tzinfo=UTC),
}  # fmt: skip
_NEWEST: Mapping[str, Callable[[float], bool]] = {
    "active_days_at_last_non_win": lambda profit: profit <= 0,
    "active_days_at_last_non_loss": lambda profit: profit >= 0,
}


@dataclass(frozen=True)
class Firm:
    """Accounts with their trades, and regimes; `trade` and `account` add to it, `features` computes them all."""

    rows: list[Record] = field(default_factory=list)
    trades: list[Record] = field(default_factory=list)
    regimes: list[Record] = field(default_factory=list)

    def account(self, name: str, days: int, until: int = 0, **values: Any) -> str:
        """An account that lived for `days` days, the newest `until` days before LAST; a list holds a value a day.

        It is eligible, has 10,000 USD, trades on days with another profit than 0, and its plan type is its own name.
        """
        born = LAST - timedelta(days=until + days - 1)
        memory: Record = {"last_trade_date": None, "active_trading_days": 0, **dict.fromkeys(_NEWEST, 0)}
        for place in range(days):
            today = {key: value[place] if isinstance(value, list) else value for key, value in values.items()}
            row = _complete(
                {"date": born + timedelta(days=place), "account_id": name, "first_seen_date": born, **today}
            )
            if row["has_traded"]:
                active = memory["active_trading_days"] + 1
                memory |= {"last_trade_date": row["date"], "active_trading_days": active}
                memory |= {key: active for key, holds in _NEWEST.items() if holds(row["net_profit"] or 0.0)}
            self.rows.append({**row, **memory})
        return name

    def trade(self, account: str, ago: int, **values: Any) -> None:
        """A trade of the account, closed `ago` days before LAST."""
        self.trades.append(trade(LAST - timedelta(days=ago), account, len(self.trades), **values))

    def regime(self, ago: int, **values: Any) -> None:
        day = LAST - timedelta(days=ago)
        self.regimes.append({"date": day, "known_at": datetime.combine(day, time(21), UTC), **values})

    def features(self, first_ago: int) -> dict[tuple[str, int], Mapping[str, Any]]:
        """Features by (account, days before LAST) of the days from `first_ago` days before LAST on."""
        traded = trade_days(trades_table(self.trades), iso(first_ago + 30), iso(0))
        staging = pa.Table.from_pylist(self.rows, schema=STAGING_ACCOUNTS.schema())
        regimes = pa.Table.from_pylist(self.regimes, schema=RAW_MARKET_REGIMES.schema())
        made = features_of(staging, iso(first_ago), iso(0), traded, regimes)
        return {(row["account_id"], (LAST - _day(row)).days): row for row in made.to_pylist()}


def _day(row: Record) -> date:
    day: date = row["date"]
    return day


def _complete(row: Record) -> Record:
    name, day, traded = row["account_id"], row["date"], row.get("net_profit", 0.0) != 0.0
    return {
        "login": f"l{name}", "platform": 4, "broker": 1, "plan_id": "p", "phase": 1, "country": "FI", "status": 1,
        "state_source": "metrics", "state_date": day, "starting_balance": 10_000.0, "balance": 10_000.0,
        "equity": 10_000.0, "first_trade_date": row["first_seen_date"], "net_profit": 0.0,
        "trades_closed": int(traded), "has_traded": traded, "open_positions": 0, "equity_high": 10_000.0,
        "equity_high_date": row["first_seen_date"], "plan_type": name, "is_eligible": True, **TERMS, **row,
    }  # fmt: skip
