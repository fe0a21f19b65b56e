"""A small daily table of a firm with everything that rules of history look at, and days of it that are right. No tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa

from daily_profit_model.lake import Lake, write
from daily_profit_model.tables.contract import DAY, FLAG, FLOAT, INT, TEXT, Column, Table

LEDGER = Table(
    name="raw/ledger",
    description="What accounts did on a day.",
    key=("date", "account_id"),
    columns=(
        Column("date", DAY, "Day", required=True),
        Column("account_id", TEXT, "Account", required=True),
        Column("amount", FLOAT, "What was made; a fifth of the accounts made nothing", "USD"),
        Column("price", FLOAT, "Price of what was traded", "USD"),
        Column("note", FLOAT, "A tenth of it is missing", "USD"),
        Column("symbol", TEXT, "What was traded"),
        Column("phase", INT, "Phase, 1 to 3"),
        Column("is_live", FLAG, "Whether the account is live"),
        Column("regime", TEXT, "One text a day"),
        Column("level", FLOAT, "One number a day", "points"),
    ),
)

WEEKEND_SHARE = 0.3
"""Of the accounts that act on a weekend; they trade symbol A alone, at three times the price."""


def ledger_of(day: date, accounts: int) -> pd.DataFrame:
    """A good day: the same for the same day."""
    generator = np.random.default_rng(day.toordinal())
    is_weekend = day.weekday() >= 5
    count = int(accounts * WEEKEND_SHARE) if is_weekend else accounts - int(generator.integers(0, accounts // 20))
    price = generator.lognormal(np.log(100), 0.5, count) * (3 if is_weekend else 1)
    amount = generator.normal(0, 50, count) * (generator.random(count) >= 0.2)
    return pd.DataFrame(
        {
            "date": day,
            "account_id": [f"a{number:03d}" for number in generator.permutation(accounts)[:count]],
            "amount": amount,
            "price": price,
            "note": np.where(generator.random(count) < 0.1, np.nan, generator.uniform(1, 2, count)),
            "symbol": "A" if is_weekend else generator.choice(list("ABCD"), count),
            "phase": generator.choice([1, 2, 3], count, p=[0.5, 0.3, 0.2]),
            "is_live": generator.random(count) < 0.7,
            "regime": f"regime {day.isoformat()}",
            "level": float(generator.normal(1000, 300)),
        }
    )


def keep_ledger(lake: Lake, days: Sequence[date], accounts: int) -> None:
    """Write good days."""
    for day in days:
        keep_day(lake, day, ledger_of(day, accounts))


def keep_day(lake: Lake, day: date, rows: pd.DataFrame) -> None:
    """Write a day, right or not."""
    table = pa.Table.from_pandas(rows, schema=LEDGER.schema(), preserve_index=False)
    write(lake, LEDGER, day.isoformat(), table, code_version="1")
