"""Which partitions of an asset cannot be made, since a blocking rule of what they read does not hold.

In a run over many days the others are made all the same: a bad day stops what is downstream of it, and no other day.
What the rules said is read from the lake, so that a later run knows it as well.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from daily_profit_model.engine import Source
from daily_profit_model.lake import Lake
from daily_profit_model.quality.results import results
from daily_profit_model.tables import Table

NAMED = 3
"""Partitions that a message names; the others are counted."""


class PartitionsBlocked(Exception):
    """Some partitions of a run were not made; the others are stored. The message: which, and why."""


def blocked(
    lake: Lake, sources: Sequence[Source], partitions: Sequence[str], blocking: Collection[str]
) -> dict[str, str]:
    """Those of `partitions` (ascending) that may not be made → why. `blocking`: tables that have blocking rules.

    One that reads a day of its own table that is blocked here, or a day of another that was not made for that reason,
    is blocked as well.
    """
    found: dict[str, str] = {}
    for source in sources:
        if source.table.name in blocking:
            failed = failed_days(lake, source.table, source.days_of_range(partitions))
            for partition in partitions:
                for day in source.days(partition):
                    if day in failed:
                        found.setdefault(partition, failed[day])
    for source in (source for source in sources if source.is_own_past):
        for partition in partitions:
            if before := [day for day in source.days(partition) if day in found]:
                found.setdefault(partition, f"{source.table.name} of {before[0]} is not made: {found[before[0]]}")
    return {partition: found[partition] for partition in partitions if partition in found}


def failed_days(lake: Lake, table: Table, days: Sequence[str]) -> Mapping[str, str]:
    """Day → the blocking rule of `table` that does not hold of it, and what it saw."""
    said = results(lake, table, days)
    return {
        row["date"].isoformat(): f"{table.name} of {row['date']}: {row['rule']} does not hold: {row['message']}"
        for row in said.select(["date", "rule", "is_blocking", "passed", "message"]).to_pylist()
        if row["is_blocking"] and not row["passed"]
    }


def message(table: Table, why: Mapping[str, str]) -> str:
    """In one line: what was not made and why."""
    told = "; ".join(f"{partition} since {reason}" for partition, reason in list(why.items())[:NAMED])
    more = f"; and {len(why) - NAMED} more" if len(why) > NAMED else ""
    return f"{table.name} is not made of {told}{more}"
