"""A firm of nine days in which everything happens that a leak could live on. No tests here.

Accounts end, plan terms change, days are corrected a week later, regimes are written anew, positions are open and
are not; every morning's snapshot holds what each account made in its life.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
from upath import UPath

from daily_profit_model.engine import inputs_of, run_table
from daily_profit_model.features.pipeline import Step
from daily_profit_model.lake import Lake, write
from daily_profit_model.lake.lake import cut_off
from daily_profit_model.lake.staleness import HashLookup
from daily_profit_model.tables.raw import RAW_MARKET_REGIMES, RAW_METRICS_DAILY
from daily_profit_model_tests.staging.firm_days import (
    day,
    metrics,
    plan,
    snapshot,
    store,
    store_day,
    trade,
)

DAYS = [day(offset) for offset in range(9)]
ACCOUNTS = 45
TERMS_CHANGE = 6
"""From this day on the plan's leverage is another one."""
CORRECTED = range(1, 9, 2)
"""Days that the service corrects a week after their cut-off."""
CODE_VERSION = "1"


def raw_tables(root: Path) -> Lake:
    """All raw tables of the firm."""
    lake, rng = Lake(UPath(root)), np.random.default_rng(5)
    ends = {account: int(rng.integers(3, 40)) for account in range(ACCOUNTS)}
    made = np.zeros(ACCOUNTS)
    for offset, one in enumerate(DAYS):
        rows, opened, accounts = [], [], []
        for account in range(ACCOUNTS):
            if ends[account] < offset:
                continue
            profit = round(float(rng.normal(0, 90)), 2)
            made[account] += profit
            status = 3 if ends[account] == offset else 1
            state = {"status": status, "current_equity": round(10_000.0 + made[account], 2)}
            if rng.random() < 0.95 or status == 3:
                rows.append(metrics(f"a{account}", profit, 2, **state))
            if rng.random() < 0.4:
                opened.append(trade(f"a{account}", unrealized_profit=round(float(rng.normal(0, 50)), 2)))
            accounts.append(snapshot(f"a{account}", **state, net_profit=round(float(made[account]), 2)))
        terms = plan(leverage=100.0 if offset < TERMS_CHANGE else 30.0)
        store_day(lake, one, accounts=accounts, rows=rows, plans=[terms], opened=opened)
        _market(lake, one, float(rng.normal()))
        if offset in CORRECTED:
            corrected = [{**row, "net_profit": round(row["net_profit"] + 7.5, 2)} for row in rows]
            store(lake, RAW_METRICS_DAILY, one, corrected, _late(one, days=7))
    return lake


def _market(lake: Lake, one: str, score: float) -> None:
    """The regime of a day, and what was written about it three days later."""
    written = cut_off(date.fromisoformat(one)) - timedelta(hours=2)
    store(lake, RAW_MARKET_REGIMES, one, [{"known_at": written, "sentiment_score": score}])
    late = _late(one, days=3)
    store(lake, RAW_MARKET_REGIMES, one, [{"known_at": late, "sentiment_score": score + 0.5}], late)


def _late(one: str, days: int) -> datetime:
    return cut_off(date.fromisoformat(one)) + timedelta(days=days)


def fill(lake: Lake, steps: Sequence[Step], days: Sequence[str]) -> None:
    """Make and store the tables of `steps`, as the graph does in a backfill: a range at once, a fold day by day."""
    for step in steps:
        for chunk in [[one] for one in days] if step.query(lake).fold else [list(days)]:
            query = step.query(lake)
            for partition, rows in run_table(query, lake, step.table, chunk).items():
                inputs = inputs_of(query.sources, partition, HashLookup(lake))
                write(lake, step.table, partition, rows, code_version=CODE_VERSION, inputs=inputs)


def lake_over(root: Path, base: Lake) -> Lake:
    """A lake that holds every table of `base`, and into which more can be written: `base` stays as it is."""
    for table in sorted(Path(str(base.root)).glob("*/*")):
        place = root / table.parent.name / table.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(table)
    return Lake(UPath(root))
