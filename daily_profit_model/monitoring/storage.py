"""What the lake takes, as rows of monitoring/storage. Measuring belongs to `lake.storage`."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import asdict
from datetime import date

import pyarrow as pa

from daily_profit_model.lake import Lake, LakeError
from daily_profit_model.lake.storage import measure
from daily_profit_model.tables.storage import MONITORING_STORAGE


def storage(lake: Lake, day: date, known: Container[str]) -> pa.Table:
    """A row for each table that has files in the lake now; `known`: the names that a contract describes."""
    rows = [{"date": day, "has_contract": taken.table in known, **asdict(taken)} for taken in measure(lake)]
    return pa.Table.from_pylist(rows, schema=MONITORING_STORAGE.schema())


def refuse_other_days(days: list[str], today: date) -> None:
    """Raise LakeError for a day that is not today (UTC): how the lake was then, nobody can tell."""
    if other := [day for day in days if day != today.isoformat()]:
        raise LakeError(
            f"{MONITORING_STORAGE.name} of {other[0]} cannot be measured: it tells how the lake is now; "
            f"materialise {today} alone"
        )
