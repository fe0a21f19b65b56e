"""Which days are audited, and which partitions must be made once more for that."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from daily_profit_model.engine import Query
from daily_profit_model.features.pipeline import Step
from daily_profit_model.lake import Lake, LakeError
from daily_profit_model.partitions import days_between

RANGE_DAYS = 3
"""A day is made in a range with so many days before it and after it, to be compared with the day made alone."""


@dataclass(frozen=True)
class Schedule:
    """The audited days, and for each table the days that are made, ascending."""

    days: tuple[str, ...]
    made: Mapping[str, tuple[str, ...]]
    ranges: Mapping[str, tuple[str, ...]]
    """Audited day → the range of stored days around it."""
    reach: int
    """Days between a day and the oldest one that is read for it."""


def schedule(lake: Lake, steps: Sequence[Step], *, days: int, seed: int) -> Schedule:
    """`days` random days of which every table of the pipeline is stored, the same for a seed.

    A fold is made from the first day of its table on; of any other table what the audited days read.
    Raises LakeError when there is no such day.
    """
    stored = {step.table.name: lake.partitions(step.table.name) for step in steps}
    common = sorted(set.intersection(*(set(found) for found in stored.values())))
    if not common:
        empty = [name for name, found in stored.items() if not found]
        lacking = f"no day of {', '.join(empty)} is stored" if empty else "no day is stored of every table"
        raise LakeError(f"nothing to audit: {lacking}; fill the lake first: dpm run")
    chosen = tuple(sorted(random.Random(seed).sample(common, min(days, len(common)))))
    ranges = {day: _range_around(day, set(common)) for day in chosen}
    queries = {step.table.name: step.query(lake) for step in steps}
    needed = _needed(steps, queries, stored, chosen, [day for days in ranges.values() for day in days])
    firsts = [source.first for query in queries.values() for source in query.sources]
    return Schedule(chosen, needed, ranges, reach=-min(firsts, default=0))


def _needed(
    steps: Sequence[Step],
    queries: Mapping[str, Query],
    stored: Mapping[str, Sequence[str]],
    chosen: Sequence[str],
    ranged: Sequence[str],
) -> dict[str, tuple[str, ...]]:
    """Days to make of every table: the chosen ones, what the later steps read, and all before them of a fold."""
    wanted = {step.table.name: set(chosen) for step in steps}
    for step in reversed(steps):
        name, query = step.table.name, queries[step.table.name]
        if query.fold:
            wanted[name] |= {day for day in stored[name] if day <= max(wanted[name])}
        for source in query.sources:
            if source.table.name in wanted and source.table.name != name:
                read = source.days_of_range(sorted({*wanted[name], *ranged}))
                wanted[source.table.name] |= set(read) & set(stored[source.table.name])
    # what a leaky step reads of later days is not there in the morning, and is not made for it
    newest = max(*chosen, *ranged)
    return {name: tuple(sorted(day for day in days if day <= newest)) for name, days in wanted.items()}


def _range_around(day: str, there: set[str]) -> tuple[str, ...]:
    """The days around `day` up to RANGE_DAYS away, without one behind a gap."""
    own = date.fromisoformat(day)
    days = days_between(own - timedelta(days=RANGE_DAYS), own + timedelta(days=RANGE_DAYS))
    before = [one for one in days if one < day]
    after = [one for one in days if one > day]
    first = next((place + 1 for place in reversed(range(len(before))) if before[place] not in there), 0)
    last = next((place for place, one in enumerate(after) if one not in there), len(after))
    return (*before[first:], day, *after[:last])
