"""Random dense histories of accounts as staging/accounts would hold them, and features computed from them. No tests.

Every account lives one to three lives with gaps between; profits are missing here and there. Trades and regimes
beside them are made in `trading`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
from upath import UPath

from daily_profit_model.engine import run_table
from daily_profit_model.features import FEATURES_ACCOUNT_DAILY, account_daily_query
from daily_profit_model.features.trade_daily import FEATURES_TRADE_DAILY
from daily_profit_model.lake import Lake
from daily_profit_model.partitions import days_between
from daily_profit_model.tables.raw import RAW_MARKET_REGIMES
from daily_profit_model.tables.staging import STAGING_ACCOUNTS

Record = dict[str, object]
LAST = date(2026, 7, 6)
DAYS = 150
FIRST = LAST - timedelta(days=DAYS - 1)
NOWHERE = Lake(UPath("memory://no-lake-is-needed"))
_NEVER_NULL = ("account_id", "login", "platform", "broker")


def iso(offset: int) -> str:
    """The day `offset` days before the last one."""
    return (LAST - timedelta(days=offset)).isoformat()


def histories(accounts: int, seed: int, first_name: int = 0) -> pa.Table:
    """staging/accounts of the days FIRST … LAST."""
    rng = np.random.default_rng(seed)
    records: list[Record] = []
    for place in range(accounts):
        records += _account(rng, f"a{first_name + place:03d}")
    return pa.Table.from_pylist(records, schema=STAGING_ACCOUNTS.schema())


def features_of(
    staging: pa.Table, first: str, last: str, trades: pa.Table | None = None, regimes: pa.Table | None = None
) -> pa.Table:
    """features/account_daily of the days first … last, sorted by key; `trades`: rows of features/trade_daily."""
    frames = {
        "staging_accounts": staging,
        "features_trade_daily": FEATURES_TRADE_DAILY.schema().empty_table() if trades is None else trades,
        "raw_market_regimes": RAW_MARKET_REGIMES.schema().empty_table() if regimes is None else regimes,
    }
    query = replace(account_daily_query(), sources=(), frames=frames)
    days = days_between(date.fromisoformat(first), date.fromisoformat(last))
    cut = run_table(query, NOWHERE, FEATURES_ACCOUNT_DAILY, days)
    return pa.concat_tables(cut.values()).sort_by([("date", "ascending"), ("account_id", "ascending")])


def _account(rng: np.random.Generator, name: str) -> list[Record]:
    records: list[Record] = []
    start = int(rng.integers(0, DAYS // 2)) if rng.random() < 0.6 else 0
    while start < DAYS:
        length = int(rng.choice([1, 2, 7, 40, DAYS]))
        end = min(start + length, DAYS)
        records += _life(rng, name, start, end)
        start = end + int(rng.integers(1, 30))
    return records


def _life(rng: np.random.Generator, name: str, start: int, end: int) -> list[Record]:
    born = FIRST + timedelta(days=start)
    balance = float(rng.choice([5_000.0, 50_000.0, 600_000.0]))
    activity = rng.choice([0.0, 0.3, 0.9])
    equity = high = balance
    high_date, last_trade, active, non_win, non_loss = born, None, 0, 0, 0
    terms = _terms(rng)
    records: list[Record] = []
    for place in range(end - start):
        today = born + timedelta(days=place)
        traded = bool(rng.random() < activity)
        profit = round(float(rng.normal(0, balance * 0.01)), 2) if traded else 0.0
        known = None if rng.random() < 0.07 else (0.0 if rng.random() < 0.05 else profit)
        equity = round(equity + (known or 0.0), 2)
        if equity > high:
            high, high_date = equity, today
        if traded:
            active, last_trade = active + 1, today
            non_win = active if (known or 0.0) <= 0 else non_win
            non_loss = active if (known or 0.0) >= 0 else non_loss
        is_open = rng.random() < 0.3
        records.append({
            "date": today, "account_id": name, "login": f"l{name}", "platform": 4, "broker": 1, "plan_id": "p",
            "phase": _maybe(rng, 2), "country": _maybe(rng, "FI"), "status": 1, "state_source": "metrics",
            "state_date": today, "first_seen_date": born, "starting_balance": balance,
            "balance": _maybe(rng, round(equity + 3.25, 2)), "equity": _maybe(rng, equity),
            "approved_payouts": _maybe(rng, 10.5), "pending_payouts": _maybe(rng, 0.0),
            "days_to_next_payout": _maybe(rng, 4.0), "first_trade_date": _maybe(rng, born + timedelta(days=place // 2)),
            "net_profit": known, "trades_closed": int(traded), "has_traded": traded,
            "open_positions": 2 if is_open else 0, "open_pnl": -12.34 if is_open else None,
            "open_volume": 5e5 if is_open else None, "equity_high": high, "equity_high_date": high_date,
            "last_trade_date": last_trade, "active_trading_days": active, "active_days_at_last_non_win": non_win,
            "active_days_at_last_non_loss": non_loss, **terms,
            "is_eligible": place < end - start - 1 or end == DAYS, "ineligible_reason": None,
        })  # fmt: skip
    return records


def _terms(rng: np.random.Generator) -> Record:
    return {
        "plan_type": _maybe(rng, str(rng.choice(["Standard P1", "Standard P2"]))), "leverage": _maybe(rng, 100.0),
        "profit_target_pct": _maybe(rng, 8.0), "max_drawdown_pct": _maybe(rng, 10.0),
        "daily_loss_limit_pct": _maybe(rng, 5.0), "is_drawdown_relative": _maybe(rng, bool(rng.random() < 0.5)),
        "profit_share_pct": _maybe(rng, 80.0), "min_trading_days": _maybe(rng, 3), "max_trading_days": _maybe(rng, 60),
        "liquidate_friday": _maybe(rng, True), "inactivity_period_days": _maybe(rng, int(rng.choice([0, 30]))),
        "daily_drawdown_by_balance_equity": _maybe(rng, bool(rng.random() < 0.5)),
        "enable_consistency": _maybe(rng, False), "plan_valid_from": datetime(2025, 1, 1, tzinfo=UTC),
    }  # fmt: skip


def _maybe(rng: np.random.Generator, value: object) -> object:
    return None if rng.random() < 0.1 else value
