"""Which statistics have moved for good: cumulative sums over days, calibrated on the reference's own days.

Here: arrays of days x charts, a chart being one statistic of one column. What the statistics are stands in `drift`; who
is to blame for an alarm in `drift_blame`; how the reference's days are replayed in `drift_replays`.

A day's value is standardised by the mean of the reference's days and by how much whole days differ there, plus what so
many rows of that day leave to chance. What a day keeps of the day before is taken away (AR(1)); the rest is its news,
and of a lasting shift of one day-level standard deviation sqrt((1 - r) / (1 + r)) is news on each day. A two-sided
cumulative sum (Page 1954) collects the news above that many ALLOWANCEs, as a chart of residuals must if it is to find a
shift of the level (Runger, Willemain & Prabhu 1995; Lu & Reynolds 2001), each day weighted by the same factor: the sum is
then half the log-likelihood ratio of a shift of two ALLOWANCEs, and thresholds of columns of short and of long memory
are alike.

Thresholds: the reference's own days are replayed, each time with mean, spread and correlation estimated anew from
another such replay, so that what the reference's length leaves unknown is in them. A chart's threshold is a multiple of
its own highest sums there. FALSE_ALARMS is divided among classes of charts of like memory (MEMORY_EDGES) that know alike
much of the reference (MOST_OF_IT); the multiple of a class is the one that the replays exceed with its part of the chance, in any of its charts on any of HORIZON_DAYS
days. So a chart of long memory, of whose level a short reference tells little, has a high threshold of its
own and raises none of the others.

Limit: a day's own noise hides how much of its level it keeps of the day before, the more so the more it keeps, and
thresholds by a correlation that is too low are too low: where every column's days correlated at 0.8 and the reference
had 120 of them, four years in five raised an alarm (benchmarks/drift_simulation --correlation). So a chart whose
correlation may be above LONGEST_MEMORY, at the upper end of what its reference leaves unknown, raises none. Nor does one
whose days resemble those of a week before by more than an AR(1)'s do by chance (SURE): it remembers otherwise, as means
over weeks do, and what moves with the weekday. Nor does one that has a value on fewer than FEWEST_DAYS of the
reference. Their columns are watched for hard breaks alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from daily_profit_model.modeling.matrix import Floats
from daily_profit_model.monitoring.drift_replays import Replays
from daily_profit_model.monitoring.drift_standard import (
    ALLOWANCE,
    CLIP,
    Groups,
    Standard,
    days_of,
    share_variance,
    standard_of,
    standardised,
    sums,
)

HORIZON_DAYS = 250
"""A year of working days."""

FALSE_ALARMS = 0.05
"""Chance of any false alarm in HORIZON_DAYS: half of the tenth that is promised, since the reference's days do not hold
the worst that days can be."""

REPLAYS = 300
"""Of which FALSE_ALARMS are fifteen: the threshold is known to a few hundredths."""

TOGETHER = 20
"""Replays that are computed at once, day by day: few enough that a day of theirs stays in the processor's cache."""

OWN_QUANTILE = 0.8
"""Of a chart's highest sums over replays: what its threshold is a multiple of."""

MEMORY_EDGES = (0.3, 0.6)
"""Correlations of neighbouring days that divide charts into those of a day's memory, of a few days' and of a week's. The
first is beyond what chance makes of none in a few months (three standard errors of 0.09): charts ranked by an estimate
that is all chance would leave those that were taken for too short of memory alone among themselves, with thresholds that
are too low (a year in eight raised a false alarm, instead of one in forty; drift_simulation)."""

MOST_OF_IT = 0.75
"""Share of the reference's days. Charts that have a value on fewer, as predictions do, are classes apart: their level is
known the less, and shared multiples would raise the thresholds of all others."""

FEWEST_CHARTS = 30
"""Of a class: fewer show no usual one, and classes that have fewer are one."""

LEAST_PART = 0.2
"""Of the chance of a false alarm, of a class: more is its share of the charts. A few charts with a class to themselves
take nothing much from the others, and still less than a fifth of the replays' fifteen could not be told."""

USUAL_QUANTILE = 0.97
"""Of those quantiles over the charts of a class: a chart's is taken for at least as high. One with heavier tails or
longer memory than that has a higher threshold of its own and raises nobody else's; one whose few reference days happened
to be calm gets no lower one for it."""

OF_WHAT_NEVER_MOVED = 4 * (CLIP - ALLOWANCE)
"""Threshold of a chart that the reference says nothing of: four days of as much news as counts."""

LONGEST_MEMORY = 0.8
"""Correlation of neighbouring days above which thresholds are not known to hold."""

SURE = 1.645
"""Standard errors by which a correlation may be higher than estimated: one chart in twenty is still longer of memory; and
above which one of seven days is no chance: about one chart in twenty is given up for nothing."""

NEVER = HORIZON_DAYS * CLIP
"""A threshold that no sum of a year exceeds."""

FEWEST_DAYS = 28
"""Reference days with a value below which a chart is not calibrated: four whole weeks."""


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
    values: Floats,
    rows: Floats,
    row_variance: Floats,
    groups: Groups | None = None,
    alike: Groups | None = None,
    *,
    seed: int = 0,
) -> Calibration:
    """From the reference's days in order: `values` and the `rows` that each comes from (days x charts), `row_variance`
    of a single row (charts; NaN: the chart is a share), and optionally the group of each day (0, 1, …: as working days
    and weekends), each with a mean and a spread of its own, and a number of each chart (0, 1, …): those of one number
    remember as long as the longest of them. Raises ValueError below FEWEST_DAYS."""
    if len(values) < FEWEST_DAYS:
        raise ValueError(f"{len(values)} reference days are too few to tell drift by: {FEWEST_DAYS} are needed")
    is_share = np.isnan(row_variance)
    of_row = np.where(is_share, share_variance(values), row_variance)
    days = days_of(values, rows, of_row, is_share, groups)
    kinds = int(days.groups.max()) + 1
    standard = standard_of(days, of_row, is_share, kinds)
    replays = Replays(standard, days)
    rng = np.random.default_rng(seed)
    highest = []
    for _ in range(0, REPLAYS, TOGETHER):
        drawn = standard_of(replays.past(rng, TOGETHER), of_row, is_share, kinds)
        most = np.zeros((TOGETHER, len(of_row)))
        for up, down in sums(drawn, replays.future(rng, drawn, HORIZON_DAYS)):
            np.maximum(most, up, out=most)
            np.maximum(most, down, out=most)
        highest.append(most)
    known_days = (~np.isnan(values)).sum(axis=0)
    correlation = standard.correlation[0]
    longest = _longest_of(_highest_correlation(correlation, known_days), alike)
    is_told = (known_days >= FEWEST_DAYS) & (longest <= LONGEST_MEMORY)
    is_told &= _after_a_week(standardised(standard, days)[:, 0]) <= _by_chance(correlation, known_days)
    kind = np.digitize(correlation, MEMORY_EDGES)
    kind[known_days < MOST_OF_IT * len(values)] += len(MEMORY_EDGES) + 1
    return Calibration(standard, _thresholds(np.concatenate(highest), kind, is_told))


def _thresholds(highest: Floats, kind: Groups, is_told: npt.NDArray[np.bool_]) -> Floats:
    """From the `highest` sums, replays x charts, the kind of each chart, and whether its reference tells one."""
    found = np.full(len(kind), OF_WHAT_NEVER_MOVED)
    own = np.quantile(highest, OWN_QUANTILE, axis=0)
    found[~is_told] = NEVER
    moved = np.flatnonzero((own > 0) & is_told)
    classes = _classes(kind[moved])
    for places, chance in zip(classes, _chances([len(places) for places in classes]), strict=True):
        charts = moved[places]
        usual = np.maximum(own[charts], np.quantile(own[charts], USUAL_QUANTILE))
        multiple = np.quantile((highest[:, charts] / usual).max(axis=1), 1 - chance)
        found[charts] = usual * multiple
    return found


def _chances(sizes: Sequence[int]) -> Floats:
    """FALSE_ALARMS divided among classes of so many charts."""
    parts = np.maximum(np.array(sizes) / max(sum(sizes), 1), LEAST_PART)
    divided: Floats = FALSE_ALARMS * parts / parts.sum()
    return divided


def _classes(kind: Groups) -> list[Groups]:
    """The places of the charts of each class; kinds of fewer than FEWEST_CHARTS are one."""
    together = np.where(np.bincount(kind, minlength=1)[kind] < FEWEST_CHARTS, -1, kind)
    return [np.flatnonzero(together == own) for own in np.unique(together)]


def _after_a_week(z: Floats) -> Floats:
    """The correlation of standardised days x charts with those seven days later."""
    clipped = np.clip(z, -CLIP, CLIP)
    same = (clipped**2).sum(axis=0)
    later = (clipped[7:] * clipped[:-7]).sum(axis=0)
    found: Floats = np.divide(later, same, out=np.zeros_like(same), where=same > 0)
    return found


def _by_chance(correlation: Floats, days: npt.NDArray[np.int64]) -> Floats:
    """The upper end of an AR(1)'s correlation after a week, of so many days (Bartlett 1946)."""
    spread = np.sqrt((1 + correlation**2) / (1 - correlation**2) / np.maximum(days, 1))
    highest: Floats = correlation**7 + SURE * spread
    return highest


def _longest_of(highest: Floats, alike: Groups | None) -> Floats:
    """Of each chart the highest correlation of those with its number."""
    if alike is None:
        return highest
    found = np.zeros(int(alike.max(initial=0)) + 1)
    np.maximum.at(found, alike, highest)
    return found[alike]


def _highest_correlation(correlation: Floats, days: npt.NDArray[np.int64]) -> Floats:
    """The upper end of what so many days leave unknown of it."""
    highest: Floats = correlation + SURE * np.sqrt((1 - correlation**2) / np.maximum(days, 1))  # Bartlett 1946
    return highest


def course(
    standard: Standard,
    values: Floats,
    rows: Floats,
    groups: Groups | None = None,
    left: tuple[Floats, Floats] | None = None,
) -> Course:
    """The charts of days in order, from the first on; a day without a value is one like most. `left`: the sums up and down
    (charts each) after the first day, where days before it have gone into them. Raises ValueError for a day of a group
    that the reference did not have."""
    if groups is not None and groups.max(initial=0) >= len(standard.mean):
        raise ValueError(f"days of group {groups.max()}: the reference has the groups 0 to {len(standard.mean) - 1}")
    z = standardised(standard, days_of(values, rows, standard.row_variance, standard.is_share, groups))
    if left is None:
        collected = [(up[0], down[0]) for up, down in sums(standard, z)]
    else:
        since = left[0][None], left[1][None], z[0]
        collected = [left, *((up[0], down[0]) for up, down in sums(standard, z[1:], since))]
    return Course(z[:, 0], np.array([up for up, _ in collected]), np.array([down for _, down in collected]))


def first_alarms(calibration: Calibration, charts: Course) -> npt.NDArray[np.int64]:
    """The day, from 0, on which each chart first exceeds its threshold; -1: none."""
    above = np.maximum(charts.up, charts.down) > calibration.thresholds
    return np.where(above.any(axis=0), above.argmax(axis=0), -1)
