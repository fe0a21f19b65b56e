"""Read a frame's rows from the lake. What the rows mean is the frame's own business."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from daily_profit_model.engine import run
from daily_profit_model.lake import Lake, LakeError, PartitionFile
from daily_profit_model.quality.frame import Frame

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


def load(lake: Lake, frame: Frame, days: Sequence[str]) -> pa.Table:
    """The rows of `frame` for `days` (ascending). Raises LakeError when a day of its table is not there."""
    for day in days:
        if lake.file(frame.table.name, day, "newest") is None:
            raise LakeError(f"{frame.table.name} of {day} is not in the lake")
    if frame.query is not None:
        return run(frame.query, lake, days)
    files = [lake.describe(table.name, day, "newest") for day in days for table in frame.footers]
    # a feed that was not read yet has counted nothing
    return pa.Table.from_pylist([_counts(file) for file in files if file is not None], schema=COUNTS_SCHEMA)


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
