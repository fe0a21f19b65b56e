"""A firm by hand: a few raw rows a day into a lake, and the staging SQL run over it as the assets do. No tests here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from daily_profit_model.engine import Query, run_table
from daily_profit_model.features import FEATURES_ACCOUNT_DAILY, account_daily_query
from daily_profit_model.features.trade_daily import FEATURES_TRADE_DAILY, trade_daily_query
from daily_profit_model.lake import Lake, write, write_revision
from daily_profit_model.lake.lake import cut_off
from daily_profit_model.staging.accounts import accounts_query
from daily_profit_model.staging.trades import trades_query
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import (
    RAW_ACCOUNTS,
    RAW_MARKET_REGIMES,
    RAW_METRICS_DAILY,
    RAW_PLANS,
    RAW_TRADES_CLOSED,
    RAW_TRADES_OPEN,
)
from daily_profit_model.tables.staging import STAGING_ACCOUNTS, STAGING_TRADES

Record = dict[str, Any]
DORMANT_DAYS = 7
"""Shorter than the default of the settings, so that the days to stage are few."""
FIRST = date(2026, 3, 2)  # a Monday


def day(offset: int) -> str:
    """The day `offset` days after the firm's first one, as ISO text."""
    return (FIRST + timedelta(days=offset)).isoformat()


def identity(account: str) -> Record:
    return {"account_id": account, "login": f"login-{account}", "platform": 4, "broker": 1}


def snapshot(account: str, *, live: bool = True, **values: object) -> Record:
    """An all-time row; of a day filled later only the identity is there."""
    rest = {"status": 1, "plan_id": "p1", "starting_balance": 10_000.0, **values} if live else values
    return {**identity(account), "is_live": live, **rest}


def metrics(account: str, net_profit: float | None = 0.0, num_trades: int | None = 1, **values: object) -> Record:
    """A daily metrics row of an active account."""
    state = {"status": 1, "plan_id": "p1", "starting_balance": 10_000.0, "current_balance": 10_000.0,
             "current_equity": 10_000.0}  # fmt: skip
    return {**identity(account), **state, "net_profit": net_profit, "num_trades": num_trades, **values}


def plan(plan_id: str = "p1", **terms: object) -> Record:
    standard: Record = {
        "type": "Standard P1", "starting_balance": 10_000.0, "profit_target_pct": 10.0,
        "max_trailing_drawdown_pct": 10.0, "daily_loss_limit_pct": 5.0, "profit_share_pct": 80.0, "leverage": 100.0,
        "minimum_required_active_trading_days": 3, "maximum_time": None, "is_drawdown_relative": False,
        "liquidate_friday": False, "inactivity_period": 30, "daily_drawdown_by_balance_equity": False,
        "enable_consistency": False, "valid_from": datetime(2025, 1, 1, tzinfo=UTC), "source_file": "plans.csv",
    }  # fmt: skip
    return {"plan_id": plan_id, **standard, **terms}


def trade(account: str, position: str = "1", **values: object) -> Record:
    """A closed trade (or, with `unrealized_profit`, an open position)."""
    opened = datetime(2026, 3, 2, 9, tzinfo=UTC)
    standard: Record = {
        "position": position, "ticket": position, "trd_symbol": "EURUSD", "std_symbol": "EURUSD", "side": "buy",
        "lots": 1.0, "volume_usd": 100_000.0, "open_time": opened, "open_price": 1.1,
        "close_time": opened + timedelta(hours=1, minutes=30), "close_price": 1.2, "profit": 10.0,
    }  # fmt: skip
    login = {name: value for name, value in identity(account).items() if name != "account_id"}
    return {**login, **standard, **values}


def store(lake: Lake, table: Table, of: str, records: Sequence[Record], at: datetime | None = None) -> None:
    """A complete fetch of one day; by default an hour before its cut-off."""
    rows = [{"date": date.fromisoformat(of), **record} for record in records]
    moment = at or cut_off(date.fromisoformat(of)) - timedelta(hours=1)
    write_revision(
        lake, table, of, pa.Table.from_pylist(rows, schema=table.schema()), ingested_at=moment, code_version="test"
    )


def store_day(
    lake: Lake,
    of: str,
    *,
    accounts: Sequence[Record] = (),
    rows: Sequence[Record] = (),
    plans: Sequence[Record] | None = None,
    opened: Sequence[Record] = (),
    closed: Sequence[Record] = (),
    regimes: Sequence[Record] = (),
) -> None:
    """All raw tables of one day."""
    store(lake, RAW_ACCOUNTS, of, accounts)
    store(lake, RAW_METRICS_DAILY, of, rows)
    store(lake, RAW_PLANS, of, [plan()] if plans is None else plans)
    store(lake, RAW_TRADES_OPEN, of, opened)
    store(lake, RAW_TRADES_CLOSED, of, closed)
    store(lake, RAW_MARKET_REGIMES, of, regimes)


def make(lake: Lake, query: Query, table: Table, days: Sequence[str]) -> dict[str, pa.Table]:
    """Run and store the partitions, as the I/O manager does."""
    made = {}
    for chunk in [[one] for one in days] if query.fold else [list(days)]:
        for partition, rows in run_table(query, lake, table, chunk).items():
            write(lake, table, partition, rows, code_version="test")
            made[partition] = rows
    return made


def stage(lake: Lake, *days: str) -> dict[str, Mapping[str, Record]]:
    """staging/accounts of the days: day → account → row."""
    made = make(lake, accounts_query(DORMANT_DAYS), STAGING_ACCOUNTS, days)
    return {partition: {row["account_id"]: row for row in rows.to_pylist()} for partition, rows in made.items()}


def stage_trades(lake: Lake, of: str) -> list[Record]:
    """staging/trades of the day, in the table's order."""
    rows = make(lake, trades_query(lake), STAGING_TRADES, [of])[of]
    ordered: list[Record] = rows.sort_by([(name, "ascending") for name in STAGING_TRADES.key]).to_pylist()
    return ordered


def make_features(lake: Lake, days: Sequence[str]) -> None:
    """Everything from staging to features/account_daily of the days."""
    stage(lake, *days)
    make(lake, trades_query(lake), STAGING_TRADES, days)
    make(lake, trade_daily_query(), FEATURES_TRADE_DAILY, days)
    make(lake, account_daily_query(), FEATURES_ACCOUNT_DAILY, days)
