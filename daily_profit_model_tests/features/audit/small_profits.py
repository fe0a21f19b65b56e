"""The smallest pipeline there can be: profits of five accounts on five days, and a table of features. No tests here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from daily_profit_model.engine import Query, Source
from daily_profit_model.features.audit import Report, audit
from daily_profit_model.features.pipeline import Step
from daily_profit_model.lake import Lake, read, write
from daily_profit_model.lake.lake import cut_off
from daily_profit_model.tables import Column, Table
from daily_profit_model.tables.contract import DAY, FLOAT, TEXT
from daily_profit_model_tests.features.audit.small_lake import CODE_VERSION
from daily_profit_model_tests.staging.firm_days import Record, day, store

DAYS = [day(offset) for offset in range(5)]
SPOILED = day(2)
RAW_PROFITS = Table(
    "raw/profits",
    "What each account made: a raw table as small as can be",
    ("date", "account_id"),
    (
        Column("date", DAY, "Day"),
        Column("account_id", TEXT, "Account"),
        Column("profit", FLOAT, "Profit"),
    ),
    revisions=True,
)
PROFITS = Table(
    "features/profits",
    "Profit of the day, and of the day and the one before",
    ("date", "account_id"),
    (
        Column("date", DAY, "Day"),
        Column("account_id", TEXT, "Account"),
        Column("profit", FLOAT, "Profit"),
        Column("profit_2d", FLOAT, "Profit of two days"),
    ),
)
SQL = """
select
    date,
    account_id,
    profit,
    profit + coalesce(lag(profit) over (partition by account_id order by date), 0) as profit_2d
from raw_profits
qualify date between $first_day and $last_day
"""
QUERY = Query(SQL, (Source(RAW_PROFITS, first=-1),))
STEP = Step(PROFITS, lambda _: QUERY)


def made(account: str, profit: float) -> Record:
    return {"account_id": account, "profit": profit}


def fill_raw(lake: Lake, late: timedelta = timedelta(0)) -> None:
    for offset, one in enumerate(DAYS):
        moment = cut_off(date.fromisoformat(one)) - timedelta(hours=1) + late
        store(lake, RAW_PROFITS, one, [made(name, 10.0 * offset + ord(name)) for name in "abcde"], moment)


def audited(lake: Lake, folder: Path, steps: Sequence[Step] = (STEP,), code_version: str = CODE_VERSION) -> Report:
    versions = {step.table.name: code_version for step in steps}
    return audit(lake, steps, folder, days=5, seed=1, code_versions=versions)


def spoil(lake: Lake) -> None:
    """One value of one account on one day is another one; the footer says what it said."""
    stored = lake.describe(PROFITS.name, SPOILED)
    assert stored is not None
    rows = read(lake, PROFITS, [SPOILED]).to_pylist()
    rows[1]["profit"] += 0.01
    spoiled = read(lake, PROFITS, [SPOILED]).from_pylist(rows, schema=PROFITS.schema())
    write(lake, PROFITS, SPOILED, spoiled, code_version=CODE_VERSION, inputs=stored.inputs)
