"""Read a frame's rows from the lake. What the rows mean is the frame's own business."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Any

import pyarrow as pa

from daily_profit_model.engine import run
from daily_profit_model.lake import Lake, LakeError, PartitionFile
from daily_profit_model.lake.lake import revision_of
from daily_profit_model.partitions import days_between
from daily_profit_model.quality.frame import Frame
from daily_profit_model.quality.profiles import profiles

_COUNTS = ("received", "stored", "quarantined", "test_accounts", "repeated", "late")

COUNTS_SCHEMA = pa.schema(
    [
        ("date", pa.date32()),
        ("table", pa.string()),
        ("rows_in_file", pa.int64()),
        *((name, pa.int64()) for name in _COUNTS),
        ("accounted", pa.int64()),
        ("quarantined_share", pa.float64()),
        ("unknown_fields", pa.int64()),
        ("unreadable", pa.int64()),
        ("missing", pa.int64()),
    ]
)
"""Rows of a frame of footers: what a fetch received (`received`), where it says that the rows went
(their sum is `accounted`), how many rows its file really holds, how many fields the contract does not know
(`unknown_fields`), how many values of optional fields could not be read (`unreadable`), and how many symbols
the service has no bars of (`missing`)."""


ARRIVALS_SCHEMA = pa.schema(
    [
        ("date", pa.date32()),
        ("arrived_after_h", pa.float64()),
        ("usually_after_h", pa.float64()),
        ("later_than_usual_h", pa.float64()),
    ]
)
"""Rows of a frame of arrivals: hours from the day's end to its first revision, the median of the days before, and by how
much it came later; null where the day was not stored on its morning, or too few days before it were."""

ARRIVAL_DAYS = 14
ENOUGH_ARRIVALS = 7
"""Of the two weeks before: half of them, or there is no usual time."""

MORNING_H = 24.0
"""Hours after the day's end within which the day was fetched as it came; later it was filled."""


def load(lake: Lake, frame: Frame, days: Sequence[str]) -> pa.Table:
    """The rows of `frame` for `days` (ascending). Raises LakeError when a day of its table is not there."""
    for day in days:
        if lake.file(frame.table.name, day, "newest") is None:
            raise LakeError(f"{frame.table.name} of {day} is not in the lake")
    if frame.query is not None and frame.past_days:
        past = profiles(lake, frame.table, _with_past(frame, days))
        return run(replace(frame.query, frames={"profiles": past}), lake, days, copies=True)
    if frame.query is not None:
        return run(frame.query, lake, days, copies=True)
    if frame.arrivals:
        return pa.Table.from_pylist([_arrival(lake, frame.table.name, day) for day in days], schema=ARRIVALS_SCHEMA)
    files = [lake.describe(table.name, day, "newest") for day in days for table in frame.footers]
    # a feed that was not read yet has counted nothing
    return pa.Table.from_pylist([_counts(file) for file in files if file is not None], schema=COUNTS_SCHEMA)


def _arrival(lake: Lake, table: str, day: str) -> dict[str, object]:
    own = date.fromisoformat(day)
    before = [_arrived_after(lake, table, own - timedelta(days=back)) for back in range(1, ARRIVAL_DAYS + 1)]
    known = [hours for hours in before if hours is not None]
    arrived = _arrived_after(lake, table, own)
    usual = median(known) if len(known) >= ENOUGH_ARRIVALS else None
    return {
        "date": own,
        "arrived_after_h": arrived,
        "usually_after_h": usual,
        "later_than_usual_h": None if arrived is None or usual is None else arrived - usual,
    }


def _arrived_after(lake: Lake, table: str, day: date) -> float | None:
    """Hours from the day's end to its first revision; None when there is none, or when the day was filled later."""
    files = lake.files(table, day.isoformat())
    stored = revision_of(files[0]) if files else None
    if stored is None:
        return None
    hours = (stored - datetime.combine(day + timedelta(days=1), time(), UTC)).total_seconds() / 3600
    return hours if hours <= MORNING_H else None


def _with_past(frame: Frame, days: Sequence[str]) -> Sequence[str]:
    return days_between(date.fromisoformat(days[0]) - timedelta(days=frame.past_days), date.fromisoformat(days[-1]))


def _counts(file: PartitionFile) -> Mapping[str, object]:
    counts = {name: int(str(file.facts.get(name, 0))) for name in _COUNTS}
    received = counts["received"]
    return {
        "date": date.fromisoformat(file.partition),
        "table": file.table,
        "rows_in_file": file.rows,
        **counts,
        "accounted": sum(counts.values()) - received,
        "quarantined_share": counts["quarantined"] / received if received else 0.0,
        "unknown_fields": len(_by_field(file, "unknown_fields")),
        "unreadable": sum(_by_field(file, "unreadable").values()),
        "missing": len(_by_field(file, "missing")),
    }


def _by_field(file: PartitionFile, fact: str) -> Mapping[str, Any]:
    counts = file.facts.get(fact)
    return counts if isinstance(counts, dict) else {}
