"""A small table with one column of every kind that the lake stores, and rows of it. No tests here."""

from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa

from daily_profit_model.tables import Column, Table
from daily_profit_model.tables.contract import DAY, FLAG, FLOAT, INT, TEXT, TIMESTAMP
from daily_profit_model.tables.predictions import TOP_FEATURES

DAY_1 = "2026-03-01"
DAY_2 = "2026-03-02"

SMALL = Table(
    name="staging/small",
    description="For tests.",
    key=("date", "account_id"),
    columns=(
        Column("date", DAY, "Day", required=True),
        Column("account_id", TEXT, "Account", required=True),
        Column("count", INT, "Count"),
        Column("money", FLOAT, "Money", "USD"),
        Column("flag", FLAG, "Flag"),
        Column("instant", TIMESTAMP, "Instant"),
        Column("seen", DAY, "Another day"),
        Column("reasons", TOP_FEATURES, "Reasons"),
    ),
)


def small_rows(day: str = DAY_1, accounts: int = 3, money: float = 1.5) -> pa.Table:
    """`accounts` rows of `day`; every kind of column, and a null in each that may have one."""
    records = [
        {
            "date": date.fromisoformat(day),
            "account_id": f"a{place:04d}",
            "count": None if place == 1 else place,
            "money": None if place == 2 else money + place,
            "flag": [True, False, None][place % 3],
            "instant": None if place == 0 else datetime(2026, 3, 1, 12, place % 60),
            "seen": None if place == 1 else date(2026, 2, 1 + place % 28),
            "reasons": [None, [], [{"name": "x", "value": None, "contribution": 0.5}]][place % 3],
        }
        for place in range(accounts)
    ]
    return pa.Table.from_pylist(records, schema=SMALL.schema())
