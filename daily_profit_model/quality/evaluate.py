"""Evaluate rules over days of the lake: an outcome a rule and day. No Dagster, and no Great Expectations:
that is run by `validation`, rows come from `load`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from daily_profit_model.quality.frame import Frame
from daily_profit_model.quality.outcome import FrameDays, Outcome, outcomes_of
from daily_profit_model.quality.rule import Rule
from daily_profit_model.quality.validation import violations

DAYS_A_VALIDATION = 30
"""Days judged together: the library's cost is by validation, memory by rows (30,000 trades a day: 0.5 GB)."""

Load = Callable[[Frame, Sequence[str]], pa.Table]
"""Reads a frame's rows for ascending days; raises when a day cannot be judged."""


def evaluate(rules: Sequence[Rule], load: Load, days: Sequence[str]) -> list[Outcome]:
    """An outcome for every rule and day, by day and then in the order of `rules`.

    Each frame is loaded and validated once for DAYS_A_VALIDATION days. Whatever goes wrong with a
    rule is a failed outcome that carries the message; no rule is ever left out.
    """
    ordered = sorted(days)
    frames = {rule.frame.name: rule.frame for rule in rules}
    found: dict[tuple[str, str, str], Outcome] = {}
    for first in range(0, len(ordered), DAYS_A_VALIDATION):
        chunk = ordered[first : first + DAYS_A_VALIDATION]
        for frame in frames.values():
            of_frame = [rule for rule in rules if rule.frame.name == frame.name]
            for outcome in _judged(frame, of_frame, load, chunk):
                found[outcome.partition, outcome.rule.table, outcome.rule.id] = outcome
    return [found[day, rule.table, rule.id] for day in ordered for rule in rules]


def _judged(frame: Frame, rules: Sequence[Rule], load: Load, days: Sequence[str]) -> Iterator[Outcome]:
    """Outcomes of the rules of one frame; what cannot be judged of several days together is tried of each alone."""
    try:
        outcomes = _outcomes(frame, rules, load(frame, days), days)
    except Exception as error:
        if len(days) > 1:
            for day in days:
                yield from _judged(frame, rules, load, [day])
            return
        message = f"{type(error).__name__}: {' '.join(str(error).split())}"
        yield from (Outcome(rule, days[0], passed=False, rows=0, error=message) for rule in rules)
        return
    if len(days) == 1:
        yield from outcomes
        return
    yield from (outcome for outcome in outcomes if not outcome.error)
    # an error of the library's counts for all rows that it was given, those of good days as well
    broken = [rule for rule in rules if any(outcome.error and outcome.rule is rule for outcome in outcomes)]
    for day in days if broken else ():
        yield from _judged(frame, broken, load, [day])


def _outcomes(frame: Frame, rules: Sequence[Rule], rows: pa.Table, days: Sequence[str]) -> list[Outcome]:
    pandas = rows.to_pandas(date_as_object=False)
    # places of rows by day: 0 … len(days) - 1
    places = pd.Index([pd.Timestamp(day) for day in days]).get_indexer(pd.DatetimeIndex(pandas[frame.day]))
    if (places < 0).any():
        raise ValueError(f"{frame.name}: rows of other days than asked for")
    expectations = [expectation for rule in rules for expectation in rule.expectations]
    judged = iter(violations(expectations, pandas))
    days_rows = FrameDays(days, pandas, places, np.bincount(places, minlength=len(days)))
    return [
        outcome for rule in rules for outcome in outcomes_of(rule, days_rows, [next(judged) for _ in rule.expectations])
    ]
