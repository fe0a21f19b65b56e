"""Calibrated 90 % intervals: conformal prediction over whole past days, one level a tail and a day.

Here: the fold over conformity rows and the intervals it gives. Nothing of the predicted day enters.

Method. Each tail's stretch (see `conformity`) is compared with a threshold, the quantile of the stretches
of a sliding window of whole days at the level of the day (split conformal prediction; Vovk et al. 2005).
A day weighs the same however many accounts it has, and half as much every few days that it is older,
since volatility comes in regimes (weighted quantiles; Barber et al. 2023, Conformal prediction beyond
exchangeability). The level moves once a day towards the promised miss rate (adaptive conformal inference;
Gibbs & Candes, NeurIPS 2021, eq. 2). Activity groups have their own distribution, mixed with the pool's
in proportion to how few rows they have, and both with what the quantiles claim of themselves (`CLAIMED`).
Within an activity group each plan type (family and stage of the plan) has its own again, mixed with the
group's in the same way.

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

Places = npt.NDArray[np.int64]

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
    plan_rows: int = 20_000
    """The same of a plan type and its activity group. Many, since the quantiles know the plan already: with 2,000 a firm
    of 500 accounts had a Winkler score that was 0.3 % worse than without plan types, and no better coverage of any."""
    most_plan_types: int = 24
    """Those with the most rows have thresholds of their own; others take their activity group's."""
    claim_rows: int = 2000
    """What the quantiles claim of themselves counts as much as so many rows of the last day. They were learnt from
    far more days than a window holds: without it a short window's noise cost 2 % of the Winkler score."""
    first_days: int = 5
    """Days of history before the first threshold of the fold."""


@dataclass(frozen=True)
class Levels:
    """What a fold ends with: a level per tail, and a threshold (stretch) per tail, activity group and plan type."""

    lower_level: float
    upper_level: float
    lower: Floats
    """Activities x (1 + plan types); the first column is the activity's own, for plan types that are not listed."""
    upper: Floats
    plan_types: tuple[str, ...] = ()

    def places(self, rows: pa.Table) -> tuple[Places, Places]:
        """The row and the column of `lower` and `upper` that hold for each row of scores."""
        return activity_codes(floats(rows["probability_trade"])), plan_places(rows["plan_type"], self.plan_types)


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
    places = levels.places(scores)
    median = floats(scores["median"])
    lower_reach, upper_reach = reaches(scores)
    lower = median - levels.lower[places] * lower_reach
    upper = median + levels.upper[places] * upper_reach
    return scores.append_column("lower_90", pa.array(lower)).append_column("upper_90", pa.array(upper))


def fold_levels(history: pa.Table, settings: IntervalSettings) -> Levels:
    """The levels and thresholds for the day after `history`'s last. Raises ValueError when it is empty."""
    if not history.num_rows:
        raise ValueError("there is no conformity history to calibrate with: a bundle brings its own")
    days, recent = _newest_days(history, settings.fold_days + settings.window_days)
    plan_types = _plan_types(recent["plan_type"], settings.most_plan_types)
    activities = pc.index_in(recent["activity"], value_set=pa.array(ACTIVITIES)).to_numpy().astype(np.int64)
    groups = (days, activities, plan_places(recent["plan_type"], plan_types))
    shape = (int(days.max()) + 1, len(ACTIVITIES), 1 + len(plan_types))
    (lower_level, lower), (upper_level, upper) = (
        _fold(_histograms(floats(recent[name]), groups, shape), settings) for name in ("lower_stretch", "upper_stretch")
    )
    return Levels(lower_level, upper_level, lower, upper, plan_types)


def plan_places(names: pa.ChunkedArray, plan_types: tuple[str, ...]) -> Places:
    """1 and the place of each name in `plan_types`; 0 for what is not listed."""
    found = pc.fill_null(pc.index_in(names, value_set=pa.array(plan_types, pa.string())), -1)
    places: Places = found.to_numpy().astype(np.int64) + 1
    return places


def _plan_types(names: pa.ChunkedArray, most: int) -> tuple[str, ...]:
    """The names with the most rows, in alphabetical order; a null is none."""
    counted = [(-entry["counts"], entry["values"]) for entry in pc.value_counts(names.drop_null()).to_pylist()]
    return tuple(sorted(name for _, name in sorted(counted)[:most]))


def _newest_days(history: pa.Table, days: int) -> tuple[Places, pa.Table]:
    """Rows of the newest days of `history`, and the number of each row's day."""
    known, numbers = np.unique(history["prediction_date"].cast(pa.int32()).to_numpy(), return_inverse=True)
    oldest = max(0, len(known) - days)
    rows = np.flatnonzero(numbers >= oldest)
    return numbers[rows] - oldest, history.take(pa.array(rows))


def _histograms(stretches: Floats, groups: tuple[Places, Places, Places], shape: tuple[int, int, int]) -> Floats:
    """Counts, days x activities x (1 + plan types) x (EDGES + 1): cell j holds stretches above edge j-1, up to edge j."""
    cells = np.searchsorted(EDGES, stretches, side="left")
    flat = np.ravel_multi_index((*groups, cells), (*shape, len(EDGES) + 1))
    counts = np.bincount(flat, minlength=int(np.prod(shape)) * (len(EDGES) + 1))
    made: Floats = counts.reshape(*shape, len(EDGES) + 1).astype(np.float64)
    return made


def _fold(counts: Floats, settings: IntervalSettings) -> tuple[float, Floats]:
    """The level after the last day, and the thresholds of the groups at it, activities x (1 + plan types)."""
    sizes = counts.sum(axis=(1, 2, 3))
    rows = counts.sum(axis=3)
    beyond = counts[..., ::-1].cumsum(axis=3)[..., -2::-1]  # rows above each edge
    tails = _window_tails(rows.sum(axis=2), beyond.sum(axis=2), sizes, settings)
    tails = _plan_type_tails(tails, rows, beyond, sizes, settings)
    level = settings.miss_rate
    for day in range(min(settings.first_days, len(counts)), len(counts)):
        chosen = _first_within(tails[day - 1], level)
        missed = float(np.take_along_axis(beyond[day], chosen[..., None], axis=2).sum() / sizes[day])
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


def _plan_type_tails(
    activity_tails: Floats, rows: Floats, beyond: Floats, sizes: Floats, settings: IntervalSettings
) -> Floats:
    """The same by plan type, days x activities x (1 + plan types) x edges: each one's own share, mixed with its
    activity's by how many rows it has. Rows without a plan type have their activity's."""
    keep = 0.5 ** (1.0 / settings.half_life_days)
    seen = _window_sums(rows, settings.window_days, 1.0)
    mass = _window_sums(rows / sizes[:, None, None], settings.window_days, keep)
    over = _window_sums(beyond / sizes[:, None, None, None], settings.window_days, keep)
    trust = (seen / (seen + settings.plan_rows))[..., None]
    trust[:, :, 0] = 0.0
    own = over / np.where(mass > 0, mass, 1.0)[..., None]
    tails: Floats = trust * own + (1.0 - trust) * activity_tails[:, :, None]
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


def _first_within(tails: Floats, level: float) -> Places:
    """Per group the first edge beyond which at most `level` lies."""
    chosen: Places = np.minimum((tails > level).sum(axis=-1), len(EDGES) - 1)
    return chosen
