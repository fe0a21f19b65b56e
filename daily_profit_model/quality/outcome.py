"""What became of a rule on a day: counts, the measured value, and the rows that show it.

Which rows violate what is found by `validation`; how the UI shows an outcome belongs to `defs.quality`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from daily_profit_model.quality.expectation import Expectation
from daily_profit_model.quality.rule import Rule
from daily_profit_model.quality.validation import Violations

SAMPLES = 20
"""Violating rows kept with an outcome."""


@dataclass(frozen=True)
class Part:
    """What became of one expectation on one day."""

    says: str
    passed: bool
    observed: float | None
    """The measured value of a frame of measurements, else the share of the day's rows that violate."""
    limit: float | None
    unexpected_count: int
    unexpected_share: float
    error: str = ""
    is_judged: bool = True
    """False: the day's measurements are all null, for want of a past to compare with."""


@dataclass(frozen=True)
class Outcome:
    """What a rule says of a day. `observed` … `unexpected_share` are those of its worst part."""

    rule: Rule
    partition: str
    passed: bool
    rows: int
    observed: float | None = None
    limit: float | None = None
    unexpected_count: int = 0
    unexpected_share: float = 0.0
    samples: tuple[Mapping[str, object], ...] = ()
    """At most SAMPLES violating rows: what was violated, the key, and the columns looked at."""
    parts: tuple[Part, ...] = ()
    error: str = ""
    """Why the rule could not be judged; it counts as failed then."""

    @property
    def is_judged(self) -> bool:
        """False: too little of the past is known yet to say anything of the day; it counts as passed then."""
        return bool(self.error) or any(part.is_judged for part in self.parts)


@dataclass(frozen=True)
class FrameDays:
    """A frame's rows with the place of each one's day in `days`, and the count of rows a day."""

    days: Sequence[str]
    rows: pd.DataFrame
    places: npt.NDArray[np.intp]
    counts: npt.NDArray[np.int64]


def outcomes_of(rule: Rule, frame: FrameDays, judged: Sequence[Violations]) -> Iterator[Outcome]:
    """An outcome for each day of `frame`; `judged` are the violations of the rule's expectations, in order."""
    counts = [np.bincount(frame.places[found.positions], minlength=len(frame.days)) for found in judged]
    for place, day in enumerate(frame.days):
        total = int(frame.counts[place])
        parts = tuple(
            _part(rule, expectation, found, int(count[place]), total, frame, place)
            for expectation, found, count in zip(rule.expectations, judged, counts, strict=True)
        )
        worst = min(parts, key=lambda part: (part.passed, not part.is_judged, -part.unexpected_share))
        failed = [number for number, part in enumerate(parts) if not part.passed]
        yield Outcome(
            rule,
            day,
            not failed,
            total,
            worst.observed,
            worst.limit,
            worst.unexpected_count,
            worst.unexpected_share,
            samples=_samples(rule, frame, judged, failed, place),
            parts=parts,
            error="; ".join(dict.fromkeys(part.error for part in parts if part.error)),
        )


def _part(
    rule: Rule,
    expectation: Expectation,
    found: Violations,
    count: int,
    total: int,
    frame: FrameDays,
    place: int,
) -> Part:
    share = count / total if total else 0.0
    allowed = round(1.0 - expectation.mostly, 12)  # a limit of 0.1, not of 0.09999999999999998
    passed = not found.error and share <= allowed
    observed: float | None = share
    limit: float | None = allowed
    is_judged = True
    if rule.frame.measures and not found.error:
        observed, limit = _measured(expectation, found, frame, place)
        is_judged = observed is not None
    return Part(expectation.says, passed, observed, limit, count, share, found.error, is_judged)


def _measured(
    expectation: Expectation, found: Violations, frame: FrameDays, place: int
) -> tuple[float | None, float | None]:
    """The measured value and its bound: of the first violating row of the day, else of its largest value."""
    own = np.flatnonzero(frame.places == place)
    values = frame.rows[expectation.columns[0]].to_numpy(dtype=float, na_value=np.nan)
    known = own[~np.isnan(values[own])]
    if not len(known):
        return None, None
    bad = np.intersect1d(known, found.positions)
    row = bad[0] if len(bad) else known[np.argmax(values[known])]
    if other := expectation.arguments.get("column_B"):
        return float(values[row]), float(frame.rows[str(other)].iloc[row])
    bound = expectation.arguments.get("max_value")
    bound = expectation.arguments.get("min_value") if bound is None else bound
    return float(values[row]), None if bound is None else float(str(bound))


def _samples(
    rule: Rule, frame: FrameDays, judged: Sequence[Violations], failed: Sequence[int], place: int
) -> tuple[Mapping[str, object], ...]:
    samples: list[Mapping[str, object]] = []
    for number in failed:
        expectation, positions = rule.expectations[number], judged[number].positions
        own = np.sort(positions[frame.places[positions] == place])[: SAMPLES - len(samples)]
        if not len(own):
            continue
        columns = [name for name in dict.fromkeys((*rule.frame.key, *expectation.columns)) if name != rule.frame.day]
        for record in frame.rows.iloc[own][columns].to_dict("records"):
            samples.append(
                {"violates": expectation.says, **{str(name): _plain(value) for name, value in record.items()}}
            )
    return tuple(samples)


def _plain(value: object) -> object:
    """A value as JSON has it, which knows no infinity: that is a text."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, float) and np.isinf(value):
        return str(value)
    return value if isinstance(value, (bool, int, float, str)) else str(value)


def describe(outcome: Outcome) -> str | None:
    """What a failed outcome saw, in one line; None when the rule holds."""
    if outcome.passed:
        return None
    if outcome.error:
        return f"could not be judged: {outcome.error}"
    worst, *others = [part for part in outcome.parts if not part.passed]
    extent = f" by {worst.unexpected_count} of {outcome.rows} rows"
    if outcome.rule.frame.measures:
        several = f" by {worst.unexpected_count} of {outcome.rows} rows" if worst.unexpected_count > 1 else ""
        extent = f"{several}: seen {_number(worst.observed)}, limit {_number(worst.limit)}"
    example = ", ".join(f"{name}={_cell(value)}" for name, value in outcome.samples[0].items() if name != "violates")
    also = "".join(f'; and so is "{part.says}"' for part in others)
    return f'"{worst.says}" is violated{extent}; for example {example}{also}'


def _cell(value: object) -> object:
    """A value in one line that no terminal obeys, without the digits that binary fractions add."""
    if isinstance(value, str):
        return "".join(character if character.isprintable() else " " for character in value)
    return float(f"{value:.10g}") if isinstance(value, float) else value


def _number(value: float | None) -> str:
    return "nothing" if value is None else f"{value:,.6g}"
