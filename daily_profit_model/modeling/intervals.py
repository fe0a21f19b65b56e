"""Calibrated 90 % intervals: conformal prediction over whole past days, one level a tail and a day.

Here: the fold over conformity rows and the intervals it gives. Nothing of the predicted day enters.

Method. Each tail's stretch (see `conformity`) is compared with a threshold, the quantile of the stretches
of a sliding window of whole days at the level of the day (split conformal prediction; Vovk et al. 2005).
A day weighs the same however many accounts it has, and half as much every few days that it is older,
since volatility comes in regimes (weighted quantiles; Barber et al. 2023, Conformal prediction beyond
exchangeability). The level moves once a day towards the promised miss rate (adaptive conformal inference;
Gibbs & Candes, NeurIPS 2021, eq. 2). Activity groups have their own distribution, mixed with the pool's
in proportion to how few rows they have, and both with what the quantiles claim of themselves (`CLAIMED`).

Zeros. On idle days and weekends the outcome is exactly 0 and lies inside any interval that holds the
median, so those rows miss less than 5 % whatever is done, and a promise of 90 % for each of them cannot
be kept by any interval. The promise is marginal: 90 % of all served account-days. The level therefore
answers to the miss rate of all rows of a day, and settles where busy rows miss a little more than 5 %.
The groups keep idle rows from setting the thresholds of busy ones, weekend rows among them. Answering to
a trailing week instead of to the day was measured and only delays the response.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.conformity import ACTIVITIES, activity_codes, before, reaches
from daily_profit_model.modeling.frames import of_days
from daily_profit_model.modeling.matrix import Floats, floats

LEAST_LEVEL, GREATEST_LEVEL = 0.001, 0.4
"""Bounds of the adapted level: beyond them an interval is endless, or no interval."""

EDGES: Floats = np.exp(np.arange(-5.0, 5.0, 0.01))
"""The thresholds that can be chosen: stretches from 1/150 to 150 in steps of one percent. A fixed grid
makes a day's stretches a histogram, so a fold over months costs no sorting, and miss counts stay exact."""


CLAIMED: Floats = 0.5 * 10.0**-EDGES
"""The share beyond each edge that the quantiles themselves claim: half beyond the median, 5 % beyond a stretch of one,
and between and beyond them as an exponential tail has it."""


@dataclass(frozen=True)
class IntervalSettings:
    """How calibration looks back. Tuned on daily_profit_model_tests/benchmarks/interval_coverage.py."""

    miss_rate: float = 0.05
    """Promised share of outcomes beyond each end."""
    window_days: int = 28
    """Days whose stretches set the thresholds: whole weeks, so that every weekday counts."""
    half_life_days: float = 4.0
    """Age at which a day of the window weighs half: as fast as volatility regimes turn."""
    fold_days: int = 84
    """Days over which the level is adapted, from the promised rate on; earlier days are forgotten."""
    rate: float = 0.05
    """Step of the level per unit of missed miss rate and day (gamma of Gibbs & Candes)."""
    pool_rows: int = 2000
    """A group with this many rows in the window gives and takes equal shares with the pool."""
    claim_rows: int = 2000
    """What the quantiles claim of themselves counts as much as so many rows of the last day. They were learnt from
    far more days than a window holds: without it a short window's noise cost 2 % of the Winkler score."""
    first_days: int = 5
    """Days of history before the first threshold of the fold."""


@dataclass(frozen=True)
class Levels:
    """What a fold ends with: a level per tail, and a threshold (stretch) per tail and activity group."""

    lower_level: float
    upper_level: float
    lower: Floats
    upper: Floats


def calibrate(scores: pa.Table, history: pa.Table, settings: IntervalSettings | None = None) -> pa.Table:
    """`scores` of one day with `lower_90` and `upper_90` (USD), around the median.

    `history`: conformity rows of earlier days only, known at the cut-off (and the bundle's own, for a cold
    start). Raises ValueError when a row of it is not before the scored day.
    """
    if scores.num_rows and history.num_rows:
        last, first = pc.max(history["prediction_date"]).as_py(), pc.min(scores["prediction_date"]).as_py()
        if last >= first:
            raise ValueError(f"calibration of {first} was given outcomes of {last}: only earlier days may enter")
    return apply_levels(scores, fold_levels(history, settings or IntervalSettings()))


def intervals_of(scores: pa.Table, history: pa.Table, days: tuple[date, ...], settings: IntervalSettings) -> pa.Table:
    """`scores` of `days`, in this order, each with the interval that the conformity of the days before it gives."""
    return pa.concat_tables(
        calibrate(of_days(scores, (day,), "prediction_date"), before(history, day), settings) for day in days
    )


def apply_levels(scores: pa.Table, levels: Levels) -> pa.Table:
    """`scores` with the interval that `levels` give; the median is always inside."""
    groups = activity_codes(floats(scores["probability_trade"]))
    median = floats(scores["median"])
    lower_reach, upper_reach = reaches(scores)
    lower = median - levels.lower[groups] * lower_reach
    upper = median + levels.upper[groups] * upper_reach
    return scores.append_column("lower_90", pa.array(lower)).append_column("upper_90", pa.array(upper))


def fold_levels(history: pa.Table, settings: IntervalSettings) -> Levels:
    """The levels and thresholds for the day after `history`'s last. Raises ValueError when it is empty."""
    if not history.num_rows:
        raise ValueError("there is no conformity history to calibrate with: a bundle brings its own")
    days, groups, rows = _day_groups(history, settings)
    tails = []
    for name in ("lower_stretch", "upper_stretch"):
        counts = _histograms(floats(history[name])[rows], days, groups)
        tails.append(_fold(counts, settings))
    (lower_level, lower), (upper_level, upper) = tails
    return Levels(lower_level, upper_level, lower, upper)


def _day_groups(
    history: pa.Table, settings: IntervalSettings
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Day number, group number and row number of the newest days of `history` that the fold looks at."""
    dates = history["prediction_date"].cast(pa.int32()).to_numpy()
    known, numbers = np.unique(dates, return_inverse=True)
    oldest = max(0, len(known) - settings.fold_days - settings.window_days)
    rows = np.flatnonzero(numbers >= oldest)
    groups = pc.index_in(history["activity"], value_set=pa.array(ACTIVITIES)).to_numpy()
    return numbers[rows] - oldest, groups[rows].astype(np.int64), rows


def _histograms(stretches: Floats, days: npt.NDArray[np.int64], groups: npt.NDArray[np.int64]) -> Floats:
    """Counts, days x groups x (EDGES + 1): cell j holds stretches above edge j-1 and up to edge j."""
    cells = np.searchsorted(EDGES, stretches, side="left")
    shape = (int(days.max()) + 1, len(ACTIVITIES), len(EDGES) + 1)
    flat = np.ravel_multi_index((days, groups, cells), shape)
    counts: Floats = np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)
    return counts


def _fold(counts: Floats, settings: IntervalSettings) -> tuple[float, Floats]:
    """The level after the last day, and the thresholds of the groups at it."""
    sizes = counts.sum(axis=(1, 2))
    beyond = counts[:, :, ::-1].cumsum(axis=2)[:, :, -2::-1]  # rows above each edge
    tails = _window_tails(counts.sum(axis=2), beyond, sizes, settings)
    level = settings.miss_rate
    for day in range(min(settings.first_days, len(counts)), len(counts)):
        chosen = _first_within(tails[day - 1], level)
        missed = float(np.take_along_axis(beyond[day], chosen[:, None], axis=1).sum() / sizes[day])
        level += settings.rate * (settings.miss_rate - missed)
        level = min(max(level, LEAST_LEVEL), GREATEST_LEVEL)
    return level, EDGES[_first_within(tails[-1], level)]


def _window_tails(group_rows: Floats, beyond: Floats, sizes: Floats, settings: IntervalSettings) -> Floats:
    """Shares beyond each edge in the window that ends with each day, days by groups by edges.

    A day's rows weigh 1 / the day's size, times what is left of the day at its age; a group's share is
    mixed with the pool's by how many rows it has.
    """
    keep = 0.5 ** (1.0 / settings.half_life_days)
    rows = _window_sums(group_rows, settings.window_days, 1.0)
    mass = _window_sums(group_rows / sizes[:, None], settings.window_days, keep)
    over = _window_sums(beyond / sizes[:, None, None], settings.window_days, keep)
    pooled = over.sum(axis=1, keepdims=True) / mass.sum(axis=1)[:, None, None]
    trust = (rows / (rows + settings.pool_rows))[:, :, None]
    own = over / np.where(mass > 0, mass, 1.0)[:, :, None]
    seen = trust * own + (1.0 - trust) * pooled
    fresh = _window_sums(group_rows, settings.window_days, keep)[:, :, None]
    fresh = trust * fresh + (1.0 - trust) * fresh.sum(axis=1, keepdims=True)
    belief = fresh / np.maximum(fresh + settings.claim_rows, np.finfo(float).tiny)
    tails: Floats = belief * seen + (1.0 - belief) * CLAIMED
    return tails


def _window_sums(values: Floats, window: int, keep: float) -> Floats:
    """At each day the sum over the `window` days up to it, each weighing `keep` per day of age."""
    sums = np.empty_like(values)
    running = np.zeros_like(values[0])
    for day, today in enumerate(values):
        running = keep * running + today
        if day >= window:
            running -= keep**window * values[day - window]
        sums[day] = running
    return sums


def _first_within(tails: Floats, level: float) -> npt.NDArray[np.int64]:
    """Per group the first edge beyond which at most `level` lies."""
    chosen: npt.NDArray[np.int64] = np.minimum((tails > level).sum(axis=1), len(EDGES) - 1)
    return chosen
