"""Days by the measure of the reference's: standardised, freed of what they keep of the day before, summed.

Here: arrays of days x draws x charts (draws: 1 outside of a calibration). What they are for stands in `drift_detection`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from daily_profit_model.modeling.matrix import Floats

Groups = npt.NDArray[np.int64]

ALLOWANCE = 1.0
"""Day-level standard deviations a day that are forgiven: half of the shift that is to be found fastest, two (Page 1954)."""

CLIP = 3.0
"""Standard deviations of a day's news beyond which it counts no more: days have fat tails, and one day of news is no
drift. The largest shift that must be found fast is three; clipping at four costs more days of delay at equal false
alarms."""

MOST_CORRELATION = 0.95
"""Of neighbouring days: of means over a month that move by a thirtieth a day, little more than the step is news."""

LEAST_SHARE = 0.002
"""Smaller shares (and their complements) count as this one: a fifth of a per cent of the rows is nothing to act on."""

LEAST_SPREAD = 0.001
"""Of days, in places: a column that moved less never moved, and its first movement would be infinite."""


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
class Days:
    """Days x draws x charts; groups days x draws."""

    levelled: Floats
    """Shares as log-odds, in which a factor that moves values moves each share alike up and down; others as they are;
    NaN: no value."""
    chance: Floats
    """Variance that drawing so many rows leaves."""
    groups: Groups


def days_of(
    values: Floats, rows: Floats, row_variance: Floats, is_share: npt.NDArray[np.bool_], groups: Groups | None
) -> Days:
    """Of days x charts, one draw."""
    share = np.clip(values, LEAST_SHARE, 1 - LEAST_SHARE)
    levelled = np.where(is_share, np.log(share / (1 - share)), values)
    kinds = np.zeros(len(values), dtype=np.int64) if groups is None else groups
    return Days(levelled[:, None], (row_variance / np.maximum(rows, 1))[:, None], kinds[:, None])


def share_variance(values: Floats) -> Floats:
    """The variance that a single row adds to the log-odds of the mean share of all days (delta method)."""
    count = np.maximum((~np.isnan(values)).sum(axis=0), 1)
    mean = np.clip(np.nansum(values, axis=0) / count, LEAST_SHARE, 1 - LEAST_SHARE)
    variance: Floats = 1 / (mean * (1 - mean))
    return variance


def standard_of(days: Days, row_variance: Floats, is_share: npt.NDArray[np.bool_], kinds: int) -> Standard:
    """Mean and spread of each of `kinds` groups' days, and the correlation of neighbouring days over all of them. A
    group with fewer than two days of a chart has the mean and spread of all days."""
    mean, between = _moments(days, kinds)
    draws = np.arange(days.groups.shape[1])
    same, lagged, last, count = (np.zeros(days.levelled.shape[1:]) for _ in range(4))
    for levelled, chance, groups in zip(days.levelled, days.chance, days.groups, strict=True):
        z = in_units(levelled, chance, mean[groups, draws], between[groups, draws])
        np.clip(z, -CLIP, CLIP, out=z)
        same += z**2
        lagged += z * last
        last = z
        count += ~np.isnan(levelled)
    moved = same > len(days.levelled) * np.finfo(np.float64).eps  # what never moved has rounding alone
    r = np.divide(lagged, same, out=np.zeros_like(same), where=moved)
    r = np.clip(r + (1 + 3 * r) / np.maximum(count, 1), 0.0, MOST_CORRELATION)  # freed of its bias (Kendall 1954)
    return Standard(mean, between, row_variance, is_share, r)


def standardised(standard: Standard, days: Days) -> Floats:
    """Day-level standard deviations; 0 without a value."""
    draws = np.arange(days.groups.shape[1])
    mean, between = standard.mean[days.groups, draws], standard.between[days.groups, draws]
    return in_units(days.levelled, days.chance, mean, between)


def memory(standard: Standard) -> Floats:
    """Of a lasting shift, what is news on each day: the share sqrt((1 - r) / (1 + r))."""
    r = standard.correlation
    share: Floats = np.sqrt((1 - r) / (1 + r))
    return share


def sums(
    standard: Standard, days: Iterable[Floats], since: tuple[Floats, Floats, Floats] | None = None
) -> Iterator[tuple[Floats, Floats]]:
    """The sums up and down after each of the standardised `days` (draws x charts each), from 0 before the first, or
    `since` the day before it: its sums up and down, and that day standardised."""
    r = standard.correlation
    left, weight = np.sqrt(1 - r**2), memory(standard)
    allowance = ALLOWANCE * weight**2
    up, down, last = since or (np.zeros(r.shape), np.zeros(r.shape), np.zeros(r.shape))
    for today in days:
        news = weight * np.clip((today - r * last) / left, -CLIP, CLIP)
        up, down = np.maximum(up + news - allowance, 0.0), np.maximum(down - news - allowance, 0.0)
        last = today
        yield up, down


def _moments(days: Days, kinds: int) -> tuple[Floats, Floats]:
    """Mean, and variance between days beyond chance, kinds x draws x charts."""
    draws = np.arange(days.groups.shape[1])
    centre = np.nan_to_num(days.levelled[0])
    count, total, squares, chances = (np.zeros((kinds, *centre.shape)) for _ in range(4))
    for levelled, chance, groups in zip(days.levelled, days.chance, days.groups, strict=True):
        known = ~np.isnan(levelled)
        away = np.where(known, levelled - centre, 0.0)
        count[groups, draws] += known
        total[groups, draws] += away
        squares[groups, draws] += away**2
        chances[groups, draws] += np.where(known, chance, 0.0)
    of_all = _moments_of(*(part.sum(axis=0) for part in (count, total, squares, chances)))
    own = _moments_of(count, total, squares, chances)
    mean, between = (np.where(count < 2, usual, each) for usual, each in zip(of_all, own, strict=True))
    return mean + centre, between


def _moments_of(count: Floats, total: Floats, squares: Floats, chances: Floats) -> tuple[Floats, Floats]:
    mean = total / np.maximum(count, 1)
    variance = (squares - total * mean) / np.maximum(count - 1, 1)
    return mean, np.maximum(variance - chances / np.maximum(count, 1), 0.0)


def in_units(levelled: Floats, chance: Floats, mean: Floats, between: Floats) -> Floats:
    """How far levels lie from their mean, in day-level standard deviations; 0 without a value."""
    z = (levelled - mean) / np.sqrt(np.maximum(between + chance, LEAST_SPREAD**2))
    np.copyto(z, 0.0, where=np.isnan(z))
    return z
