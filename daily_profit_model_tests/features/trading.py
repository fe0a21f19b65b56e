"""Random closed trades and market regimes beside the random histories, and features/trade_daily of them. No tests.

Trades close in parts and at equal times, are opened days before, break even, have no volume or no symbol, belong
to nobody yet, or to days on which their account did not live.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from upath import UPath

from daily_profit_model.engine import run_table
from daily_profit_model.features.trade_daily import FEATURES_TRADE_DAILY, trade_daily_query
from daily_profit_model.lake import Lake
from daily_profit_model.partitions import days_between
from daily_profit_model.tables.contract import FLOAT, INT
from daily_profit_model.tables.raw import RAW_MARKET_REGIMES
from daily_profit_model.tables.staging import STAGING_TRADES

Record = dict[str, Any]
NOWHERE = Lake(UPath("memory://no-lake-is-needed"))
SYMBOLS: dict[str | None, str] = {
    "EURUSD": "forex", "USDJPY": "forex", "EURGBP": "forex", "XAUUSD": "metals", "GOLD": "metals",
    "SPX500": "index", "US500": "index", "BTCUSD": "crypto", "USOIL": "energy", "UKOIL": "energy",
    "AAPL": "other", None: "other",
}  # fmt: skip
"""Symbols of the ten instruments, other names of theirs, others, and none; with their class."""


def trade(day: date, account: str | None, number: int, **values: Any) -> Record:
    """A row of staging/trades: 1 lot of EURUSD bought at noon of the day, held for an hour, broken even."""
    opened = values.pop("open_time", datetime.combine(day, time(12), UTC))
    closed = values.pop("close_time", opened + timedelta(hours=1))
    profit, costs = values.pop("profit", 0.0), values.pop("costs", 0.0)
    symbol = values.pop("symbol", "EURUSD")
    return {
        "date": day, "platform": 4, "broker": 1, "login": f"l{account}", "position": f"p{number:06d}",
        "ticket": f"t{number:06d}", "account_id": account, "is_resolved": account is not None,
        "symbol": symbol, "symbol_class": SYMBOLS.get(symbol, "other"), "session": _session(opened.hour), "side": "buy",
        "lots": 1.0, "volume_usd": 100_000.0, "has_stop_loss": False, "has_take_profit": False,
        "open_time": opened, "close_time": closed,
        "duration_hours": closed.timestamp() / 3600.0 - opened.timestamp() / 3600.0,
        "profit": profit, "commission": 0.0, "costs": costs, "net_profit": profit + costs, **values,
    }  # fmt: skip


def trades_table(records: list[Record]) -> pa.Table:
    """staging/trades of the given rows."""
    return pa.Table.from_pylist(records, schema=STAGING_TRADES.schema())


def trade_days(trades: pa.Table, first: str, last: str) -> pa.Table:
    """features/trade_daily of the days first … last, sorted by key."""
    query = replace(trade_daily_query(), sources=(), frames={"staging_trades": trades})
    days = days_between(date.fromisoformat(first), date.fromisoformat(last))
    cut = run_table(query, NOWHERE, FEATURES_TRADE_DAILY, days)
    return pa.concat_tables(cut.values()).sort_by([("date", "ascending"), ("account_id", "ascending")])


def random_trades(staging: pa.Table, seed: int) -> pa.Table:
    """Trades of the accounts of staging/accounts: several on most days that traded, few on others."""
    rng = np.random.default_rng(seed)
    records: list[Record] = []
    for row in staging.select(["date", "account_id", "first_seen_date", "has_traded"]).to_pylist():
        count = int(rng.integers(1, 6)) if row["has_traded"] and rng.random() < 0.95 else int(rng.random() < 0.04)
        for _ in range(count):
            records += _position(rng, row["date"], row["account_id"], len(records))
        if row["date"] == row["first_seen_date"]:
            before = row["date"] - timedelta(days=int(rng.integers(1, 4)))
            records += _position(rng, before, row["account_id"], len(records))
        if rng.random() < 0.02:
            records += _position(rng, row["date"], None, len(records))
            records += _position(rng, row["date"], "stranger", len(records))
    return trades_table(records)


def random_regimes(first: date, days: int, seed: int) -> pa.Table:
    """raw/market_regimes with missing days and missing values."""
    rng = np.random.default_rng(seed)
    records: list[Record] = []
    for day in (first + timedelta(days=offset) for offset in range(days)):
        known_at = datetime.combine(day, time(21), UTC)
        values = {
            column.name: _value(rng, column.type)
            for column in RAW_MARKET_REGIMES.columns
            if column.name not in ("date", "known_at") and rng.random() < 0.85
        }
        if rng.random() < 0.85:
            records.append({"date": day, "known_at": known_at, **values})
    return pa.Table.from_pylist(records, schema=RAW_MARKET_REGIMES.schema())


def _value(rng: np.random.Generator, kind: pa.DataType) -> object:
    if kind == FLOAT:
        return float(rng.uniform(0.01, 2.0))
    return int(rng.integers(0, 9)) if kind == INT else f"label {rng.integers(3)}"


def _position(rng: np.random.Generator, day: date, account: str | None, number: int) -> list[Record]:
    """A position with the parts in which it closes on the day, on a grid of half hours so that times are equal."""
    midnight = datetime.combine(day, time(), UTC)
    opened = midnight + timedelta(minutes=30 * int(rng.integers(0, 40)), days=-int(rng.choice([0, 0, 0, 1, 2, 9])))
    parts, size, symbol = int(rng.choice([1, 1, 1, 2, 3])), float(rng.integers(1, 500)) / 100, rng.choice([*SYMBOLS])
    records = []
    for part in range(parts):
        minutes = max(opened, midnight) + timedelta(minutes=30 * int(rng.integers(0, 10)))
        profit, costs = (0.3, -0.1 - 0.2) if rng.random() < 0.15 else _profit(rng)
        records.append(trade(
            day, account, number + part, position=f"p{number:06d}", symbol=symbol, open_time=opened,
            close_time=minutes + timedelta(milliseconds=int(rng.choice([0, 0, 123, 59_999]))),
            side=str(rng.choice(["buy", "sell"])), lots=size, profit=profit, costs=costs, commission=costs / 2,
            volume_usd=None if rng.random() < 0.1 else round(float(rng.uniform(1e3, 1e6)), 2),
            has_stop_loss=bool(rng.random() < 0.5), has_take_profit=bool(rng.random() < 0.3),
        ))  # fmt: skip
    return records


def _profit(rng: np.random.Generator) -> tuple[float, float]:
    return round(float(rng.normal(0, 200)), 2), -float(rng.integers(0, 500)) / 50


def _session(hour: int) -> str:
    if hour < 8 or hour >= 22:
        return "asia"
    return "london" if hour < 13 else "new_york"
