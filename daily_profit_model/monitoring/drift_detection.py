"""Which statistics have moved for good: cumulative sums over days, calibrated on the reference's own days.

Here: arrays of days x charts, a chart being one statistic of one column. What the statistics are stands in `drift`; who
is to blame for an alarm in `drift_blame`.

A day's value is standardised by the mean of the reference's days and by how much whole days differ there, plus what so
many rows of that day leave to chance; what a day shares with the day before is taken away (AR(1)); and a two-sided
cumulative sum (Page 1954) collects what is left above ALLOWANCE.

Thresholds: the reference's own days are replayed in random order (blocks of whole days, all charts together: Politis &
Romano 1992), each time with mean, spread and correlation estimated anew from another such draw, so that what the
reference's length leaves unknown is in them. A chart's threshold is a multiple of its own highest sums there; the
multiple is the one that the replays exceed anywhere, in any chart on any of HORIZON_DAYS days, with chance FALSE_ALARMS.

Limit: of correlated days a reference of a few months tells the correlation only roughly, so that thresholds are met more
often than by independent ones, and a lasting shift is found later, since what a day shares with the day before is no
news (benchmarks/drift_simulation --correlation measures both).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from daily_profit_model.modeling.matrix import Floats

Groups = npt.NDArray[np.int64]

ALLOWANCE = 1.0
"""Day-level standard deviations a day that are forgiven: half of the shift that is to be found fastest, two (Page 1954)."""

CLIP = 3.0
"""Day-level standard deviations beyond which a day counts no more: days have fat tails, and one day of news is no drift.
The largest shift that must be found fast is three; clipping at four costs more days of delay at equal false alarms."""

HORIZON_DAYS = 250
"""A year of working days."""

FALSE_ALARMS = 0.05
"""Chance of any false alarm in HORIZON_DAYS: half of the tenth that is promised, since the reference's days do not hold
the worst that days can be."""

REPLAYS = 300
"""Of which FALSE_ALARMS are fifteen: the threshold is known to a few hundredths."""

TOGETHER = 10
"""Replays that are computed at once: few enough that their days stay in the processor's cache."""

OWN_QUANTILE = 0.8
"""Of a chart's highest sums over replays: what its threshold is a multiple of."""

USUAL_QUANTILE = 0.97
"""Of those quantiles over charts: a chart's is taken for at least as high. One with heavier tails or longer memory than
that has a higher threshold of its own and raises nobody else's; one whose few reference days happened to be calm gets no
lower one for it."""

BLOCK_DAYS = 3
"""Days that are drawn together. What a day keeps of the one before is taken away by the correlation of each draw; longer
blocks of a reference of a few months leave too few sequences to meet a rare one (drift_simulation)."""

MOST_CORRELATION = 0.95
"""Of neighbouring days: of means over a month that move by a thirtieth a day, little more than the step is news."""

LEAST_SHARE = 0.002
"""Smaller shares (and their complements) count as this one: a fifth of a per cent of the rows is nothing to act on."""

LEAST_SPREAD = 0.001
"""Of days, in places: a column that moved less never moved, and its first movement would be infinite."""

FEWEST_DAYS = 28
"""Reference days below which nothing is calibrated: four whole weeks."""


@dataclass(frozen=True)
class Standard:
    """How charts vary from day to day while nothing drifts: groups of like days x draws x charts (draws: 1 outside of
    a calibration)."""

    mean: Floats
    between: Floats
    """Variance between days that is no chance of drawing rows."""
    row_variance: Floats
    """Of a single row, charts."""
    is_share: npt.NDArray[np.bool_]
    """Charts that are shares, and so measured as log-odds."""
    correlation: Floats
    """Of neighbouring days, draws x charts."""


@dataclass(frozen=True)
class Calibration:
    standard: Standard
    thresholds: Floats
    """Of the cumulative sums, charts, in day-level standard deviations."""


@dataclass(frozen=True)
class Course:
    """Days x charts."""

    shift: Floats
    """Standardised values, day-level standard deviations, not clipped; 0 on a day without a value."""
    up: Floats
    down: Floats
    """Cumulative sums of what exceeds ALLOWANCE."""


def calibrate(
    values: Floats, rows: Floats, row_variance: Floats, groups: Groups | None = None, *, seed: int = 0
) -> Calibration:
    """From the reference's days in order: `values` and the `rows` that each comes from (days x charts), `row_variance`
    of a single row (charts; NaN: the chart is a share), and optionally the group of each day (0, 1, …: as working days
    and weekends), each with a mean and a spread of its own. Raises ValueError below FEWEST_DAYS."""
    if len(values) < FEWEST_DAYS:
        raise ValueError(f"{len(values)} reference days are too few to tell drift by: {FEWEST_DAYS} are needed")
    is_share = np.isnan(row_variance)
    of_row = np.where(is_share, _of_share(values), row_variance)
    days = _days(values, rows, of_row, is_share, groups)
    kinds = int(days.groups.max()) + 1
    rng = np.random.default_rng(seed)
    highest = []
    for _ in range(0, REPLAYS, TOGETHER):
        past, future = (days.drawn(_blocks(rng, len(values), wanted)) for wanted in (len(values), HORIZON_DAYS))
        standard = _standard(past, of_row, is_share, kinds)
        most = np.zeros(past.levelled.shape[1:])
        for up, down in _sums(standard, _standardised(standard, future)):
            most = np.maximum(most, np.maximum(up, down))
        highest.append(most)
    most = np.concatenate(highest)
    own = np.quantile(most, OWN_QUANTILE, axis=0)
    own = np.maximum(own, np.quantile(own, USUAL_QUANTILE))
    multiple = float(np.quantile((most / own).max(axis=1), 1 - FALSE_ALARMS))
    return Calibration(_standard(days, of_row, is_share, kinds), own * multiple)


def course(standard: Standard, values: Floats, rows: Floats, groups: Groups | None = None) -> Course:
    """The charts of days in order, from the first on; a day without a value changes no sum. Raises ValueError for a day
    of a group that the reference did not have."""
    if groups is not None and groups.max(initial=0) >= len(standard.mean):
        raise ValueError(f"days of group {groups.max()}: the reference has the groups 0 to {len(standard.mean) - 1}")
    z = _standardised(standard, _days(values, rows, standard.row_variance, standard.is_share, groups))
    sums = [(up[0], down[0]) for up, down in _sums(standard, z)]
    return Course(z[:, 0], np.array([up for up, _ in sums]), np.array([down for _, down in sums]))


def first_alarms(calibration: Calibration, charts: Course) -> npt.NDArray[np.int64]:
    """The day, from 0, on which each chart first exceeds its threshold; -1: none."""
    above = np.maximum(charts.up, charts.down) > calibration.thresholds
    return np.where(above.any(axis=0), above.argmax(axis=0), -1)


@dataclass(frozen=True)
class _Days:
    """Days x draws x charts; groups days x draws."""

    levelled: Floats
    """Shares as log-odds, in which a factor that moves values moves each share alike up and down; others as they are."""
    chance: Floats
    """Variance that drawing so many rows leaves."""
    groups: Groups

    def drawn(self, places: Groups) -> _Days:
        """Other days, days x draws, of one draw."""
        return _Days(self.levelled[places, 0], self.chance[places, 0], self.groups[places, 0])


def _days(
    values: Floats, rows: Floats, row_variance: Floats, is_share: npt.NDArray[np.bool_], groups: Groups | None
) -> _Days:
    share = np.clip(values, LEAST_SHARE, 1 - LEAST_SHARE)
    levelled = np.where(is_share, np.log(share / (1 - share)), values)
    kinds = np.zeros(len(values), dtype=np.int64) if groups is None else groups
    return _Days(levelled[:, None], (row_variance / np.maximum(rows, 1))[:, None], kinds[:, None])


def _of_share(values: Floats) -> Floats:
    """The variance that a single row adds to the log-odds of the mean share of all days (delta method)."""
    count = np.maximum((~np.isnan(values)).sum(axis=0), 1)
    mean = np.clip(np.nansum(values, axis=0) / count, LEAST_SHARE, 1 - LEAST_SHARE)
    variance: Floats = 1 / (mean * (1 - mean))
    return variance


def _standard(days: _Days, row_variance: Floats, is_share: npt.NDArray[np.bool_], kinds: int) -> Standard:
    """Mean and spread of each of `kinds` groups' days, and the correlation of neighbouring days over all of them. A
    group with fewer than two days of a chart has the mean and spread of all days."""
    means, spreads = [], []
    mean_of_all, spread_of_all = _moments(days.levelled, days.chance)
    for group in range(kinds):
        own = np.where((days.groups == group)[..., None], days.levelled, np.nan)
        few = (~np.isnan(own)).sum(axis=0) < 2
        mean, spread = _moments(own, days.chance)
        means.append(np.where(few, mean_of_all, mean))
        spreads.append(np.where(few, spread_of_all, spread))
    none = np.zeros(days.levelled.shape[1:])
    standard = Standard(np.stack(means), np.stack(spreads), row_variance, is_share, none)
    z = np.clip(_standardised(standard, days), -CLIP, CLIP)
    same, lagged = (z**2).sum(axis=0), (z[1:] * z[:-1]).sum(axis=0)
    moved = same > len(z) * np.finfo(np.float64).eps  # what never moved has rounding alone
    r = np.divide(lagged, same, out=np.zeros_like(same), where=moved)
    r = np.clip(r + (1 + 3 * r) / len(z), 0.0, MOST_CORRELATION)  # freed of its bias (Kendall 1954)
    return replace(standard, correlation=r)


def _moments(levelled: Floats, chance: Floats) -> tuple[Floats, Floats]:
    known = ~np.isnan(levelled)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, levelled, 0.0).sum(axis=0) / count
    variance = np.where(known, (levelled - mean) ** 2, 0.0).sum(axis=0) / np.maximum(count - 1, 1)
    return mean, np.maximum(variance - np.where(known, chance, 0.0).sum(axis=0) / count, 0.0)


def _standardised(standard: Standard, days: _Days) -> Floats:
    draws = np.arange(days.groups.shape[1])
    mean, between = standard.mean[days.groups, draws], standard.between[days.groups, draws]
    z = (days.levelled - mean) / np.sqrt(np.maximum(between + days.chance, LEAST_SPREAD**2))
    return np.where(np.isnan(z), 0.0, z)


def _sums(standard: Standard, z: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Of each day, draws x charts."""
    r = standard.correlation
    left = np.sqrt(1 - r**2)
    up, down, last = np.zeros(z.shape[1:]), np.zeros(z.shape[1:]), np.zeros(z.shape[1:])
    for today in np.clip(z, -CLIP, CLIP):
        news = np.clip((today - r * last) / left, -CLIP, CLIP)
        up, down = np.maximum(up + news - ALLOWANCE, 0.0), np.maximum(down - news - ALLOWANCE, 0.0)
        last = today
        yield up, down


def _blocks(rng: np.random.Generator, days: int, wanted: int) -> Groups:
    """Days x TOGETHER draws."""
    starts = rng.integers(days, size=(-(-wanted // BLOCK_DAYS), 1, TOGETHER))
    drawn = (starts + np.arange(BLOCK_DAYS)[:, None]).reshape(-1, TOGETHER)[:wanted] % days
    return drawn.astype(np.int64)
