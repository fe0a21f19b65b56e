"""What lies in quarantine, for people: counts by table, day and reason, and the rows themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from daily_profit_model.lake import Lake, read
from daily_profit_model.tables.contract import Table
from daily_profit_model.tables.raw import rejects_of


@dataclass(frozen=True)
class Rejects:
    """How many rows of a table's day were rejected for one reason."""

    table: str
    date: str
    reason: str
    rows: int


def rejects(lake: Lake, tables: Sequence[Table], *, since: str = "", until: str = "") -> Iterator[Rejects]:
    """The rejected rows of the days `since` … `until` (both included; empty: open) by table, day and reason."""
    for table in tables:
        for day in days_with_rejects(lake, table, since=since, until=until):
            reasons = read(lake, rejects_of(table), [day], as_known="newest", columns=["reason"])["reason"]
            for reason, rows in sorted(Counter(reasons.to_pylist()).items()):
                yield Rejects(table.name, day, reason, rows)


def days_with_rejects(lake: Lake, table: Table, *, since: str = "", until: str = "") -> list[str]:
    """The days of a table of which rows lie in quarantine, ascending."""
    kept = rejects_of(table).name
    found = []
    for day in lake.partitions(kept):
        if since <= day and (not until or day <= until):
            file = lake.describe(kept, day, "newest")
            if file is not None and file.rows:
                found.append(day)
    return found


def counted(rows: pa.Table) -> list[dict[str, Any]]:
    """Rows of raw/quarantine by `table` and `reason`, most `rows` first."""
    counts = (
        rows.group_by(["table", "reason"]).aggregate([([], "count_all")]).rename_columns(["table", "reason", "rows"])
    )
    found: list[dict[str, Any]] = counts.sort_by(
        [("rows", "descending"), ("table", "ascending"), ("reason", "ascending")]
    ).to_pylist()
    return found


def samples(rows: pa.Table, limit: int) -> pa.Table:
    """Up to `limit` of the rows: of each table and reason one, then a second one, and so on; by payload's hash."""
    ordered = rows.sort_by([(name, "ascending") for name in ("table", "reason", "payload_hash", "occurrence")])
    seen: Counter[tuple[str, str]] = Counter()
    turns = []
    for place, kind in enumerate(zip(ordered["table"].to_pylist(), ordered["reason"].to_pylist(), strict=True)):
        turns.append((seen[kind], place))
        seen[kind] += 1
    return ordered.take(pa.array([place for _, place in sorted(turns)[:limit]], pa.int64()))
