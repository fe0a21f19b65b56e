"""Which days of which stage are made when: ascending, each once, and kept no longer than somebody reads them.

Days are ordinals here (`date.toordinal`). Running the statements belongs to `run`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from daily_profit_model.engine.query import OUTPUT, Query, Stage

Days = frozenset[int]


@dataclass(frozen=True)
class Statement:
    """One stage, or the output itself, for some days."""

    stage: Stage
    days: tuple[int, ...]
    is_output: bool = False


def sweep(query: Query, outputs: Sequence[int], days_at_once: int) -> Iterator[list[Statement]]:
    """The statements that give `outputs` (ascending), a list for each stretch of days, in order of time.

    No statement has more than `days_at_once` days.
    """
    steps = (*query.stages, query.final)
    needed = needs(query, outputs)
    for first, last in _stretches([needed[stage.name] for stage in steps], days_at_once):
        statements = []
        for stage in steps:
            days = tuple(sorted(day for day in needed[stage.name] if first <= day <= last))
            if days:
                statements.append(Statement(stage, days, is_output=stage.name == OUTPUT))
        yield statements


def needs(query: Query, outputs: Sequence[int]) -> dict[str, Days]:
    """View of a stage or source → the days of it that are read for `outputs`; the output stands under OUTPUT."""
    needed: dict[str, Days] = {OUTPUT: frozenset(outputs)}
    for stage in (query.final, *reversed(query.stages)):
        days = needed.setdefault(stage.name, frozenset())
        for name, lags in stage.reads.items():
            needed[name] = needed.get(name, frozenset()) | {day - lag for day in days for lag in lags}
    return needed


def read_for(query: Query) -> dict[str, int]:
    """View → for how many days after its own day a day of it is still read."""
    longest: dict[str, int] = {}
    for stage in (query.final, *query.stages):
        for name, lags in stage.reads.items():
            longest[name] = max(longest.get(name, 0), *lags)
    return longest


def _stretches(needed: Sequence[Days], days_at_once: int) -> Iterator[tuple[int, int]]:
    """First and last day of consecutive stretches in which no stage has more than `days_at_once` days."""
    every = sorted(frozenset[int]().union(*needed))
    if not every:
        return
    first, counts = every[0], [0] * len(needed)
    for day in every:
        here = [place for place, days in enumerate(needed) if day in days]
        if any(counts[place] == days_at_once for place in here):
            yield first, day - 1
            first, counts = day, [0] * len(needed)
        for place in here:
            counts[place] += 1
    yield first, every[-1]
