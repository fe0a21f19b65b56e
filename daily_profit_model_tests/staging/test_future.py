"""Poison the future: whatever later days say, staging and features of a day keep their bits; so does a rerun."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from upath import UPath

from daily_profit_model.features import FEATURES_ACCOUNT_DAILY
from daily_profit_model.features.trade_daily import FEATURES_TRADE_DAILY
from daily_profit_model.lake import Lake
from daily_profit_model.tables.staging import STAGING_ACCOUNTS, STAGING_TRADES
from daily_profit_model_tests.staging.firm_days import (
    Record,
    day,
    make_features,
    metrics,
    plan,
    snapshot,
    store_day,
    trade,
)

TABLES = (STAGING_ACCOUNTS, STAGING_TRADES, FEATURES_TRADE_DAILY, FEATURES_ACCOUNT_DAILY)
DAYS = list(map(day, range(6)))
EDGE = 3


def _firm(root: Path, *, poisoned: bool) -> Lake:
    """A small firm of six days; poisoned: everything after day EDGE is something else."""
    lake = Lake(UPath(root))
    rng = np.random.default_rng(3)
    for place, one in enumerate(DAYS):
        profits = [round(float(profit), 2) for profit in rng.normal(0, 90, 6)]
        rows: list[Record] = [
            metrics(f"a{account}", profit, current_equity=10_000.0 + 3 * profit)
            for account, profit in enumerate(profits)
            if rng.random() < 0.6
        ]
        accounts, plans = [snapshot("a0"), snapshot("a1", live=False)], [plan()]
        trades = [trade(f"a{account}", profit=profit) for account, profit in enumerate(profits)]
        regime: Record = {"known_at": datetime(2026, 3, 1, tzinfo=UTC), "sentiment_score": profits[0]}
        if poisoned and place > EDGE:
            absurd = {"status": 3, "plan_id": "p2", "current_equity": 1.0}
            rows = [metrics(f"a{account}", -9e6, 77, **absurd) for account in range(9)]
            accounts, plans = [snapshot("a0", status=2, starting_balance=1.0)], [plan(leverage=1.0), plan("p2")]
            trades = [trade(f"a{account}", "9", lots=1e6, std_symbol="BTCUSD") for account in range(9)]
            regime["sentiment_score"] = 1e9
        store_day(lake, one, accounts=accounts, rows=rows, plans=plans, closed=trades, regimes=[regime])
    return lake


def _hashes(lake: Lake) -> dict[str, str]:
    make_features(lake, DAYS)
    return {
        f"{table.name}@{one}": file.content_hash
        for table in TABLES
        for one in DAYS
        if (file := lake.describe(table.name, one)) is not None
    }


def test_everything_after_a_day_may_change_and_the_day_does_not_L12(tmp_path: Path) -> None:
    honest = _hashes(_firm(tmp_path / "honest", poisoned=False))
    poisoned = _hashes(_firm(tmp_path / "poisoned", poisoned=True))
    assert len(honest) == len(TABLES) * len(DAYS)
    same = {name for name in honest if honest[name] == poisoned[name]}
    assert same == {name for name in honest if name.rpartition("@")[2] <= DAYS[EDGE]}


def test_daily_runs_give_the_bits_of_a_backfill_L13(tmp_path: Path) -> None:
    backfill = _hashes(_firm(tmp_path / "backfill", poisoned=False))
    daily = _firm(tmp_path / "daily", poisoned=False)
    for one in DAYS:
        make_features(daily, [one])
    for name, content_hash in backfill.items():
        table, _, one = name.rpartition("@")
        file = daily.describe(table, one)
        assert file is not None
        assert file.content_hash == content_hash, name
