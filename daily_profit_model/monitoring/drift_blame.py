"""Who is to blame for drift, and what it may cost: columns ranked, and the error to be expected without outcomes.

Here: pure functions over what `drift` and `drift_detection` found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from daily_profit_model.modeling.matrix import Floats
from daily_profit_model.monitoring.drift import Profile
from daily_profit_model.monitoring.drift_detection import Calibration, Course

RECENT_DAYS = 10
"""Over which the size of a shift is taken, or since its sum began to rise, if that is less."""

Z_95 = 1.96


@dataclass(frozen=True)
class Blame:
    """A column on the day of the list."""

    feature: str
    statistic: str
    """The one of its statistics whose sum is highest, measured by its threshold."""
    shift: float
    """Day-level standard deviations of that statistic, median over its rise (RECENT_DAYS at most)."""
    rise: float
    """Its cumulative sum by its threshold: above 1 there is an alarm."""
    importance: float
    """Share of all features' importance."""
    score: float
    """importance x |shift| where there is an alarm; 0 where there is none, since then no shift is shown."""


def importances(mean_absolute_usd: Mapping[str, float], wanted: Sequence[Profile]) -> Floats:
    """The share of each column in the importance of all (a manifest's `mean_absolute_usd`); what is no feature, as a
    prediction or an outcome, weighs as much as the most important feature."""
    total = sum(mean_absolute_usd.values()) or 1.0
    most = max(mean_absolute_usd.values(), default=total)
    return np.array([mean_absolute_usd.get(profile.feature, most) for profile in wanted]) / total


def blame(
    wanted: Sequence[Profile], importance: Floats, calibration: Calibration, charts: Course, day: int
) -> list[Blame]:
    """Every column on a `day` (a place in `charts`), those with an alarm first by importance x shift, then the others by
    how far their sums have risen. The charts are the statistics of `wanted`, one column after the other."""
    sums = np.maximum(charts.up[day], charts.down[day])
    rises = sums / calibration.thresholds
    found, first = [], 0
    for profile, weight in zip(wanted, importance, strict=True):
        place = first + int(np.argmax(rises[first : first + len(profile.statistics)]))
        rise = float(rises[place])
        shift = _shift(charts, place, day)
        score = float(weight) * abs(shift) if rise > 1 else 0.0
        name = profile.statistics[place - first]
        found.append(Blame(profile.feature, name, shift, rise, float(weight), score))
        first += len(profile.statistics)
    return sorted(found, key=lambda column: (column.rise <= 1, -column.score, -column.rise))


def _shift(charts: Course, place: int, day: int) -> float:
    """Median of the standardised days since the higher of the two sums was last 0."""
    course = charts.up if charts.up[day, place] >= charts.down[day, place] else charts.down
    zeros = np.flatnonzero(course[: day + 1, place] == 0)
    began = int(zeros[-1]) + 1 if len(zeros) else 0
    began = min(max(began, day + 1 - RECENT_DAYS), day)
    return float(np.median(charts.shift[began : day + 1, place]))


@dataclass(frozen=True)
class ExpectedError:
    """USD."""

    value: float
    lower: float
    upper: float
    """About 95 % for a mean over many such days; a single day varies more."""
    usual: float
    """Mean absolute error on the settled days."""


def expected_error(width_today: float, widths: Floats, errors: Floats) -> ExpectedError:
    """Mean absolute error to be expected of a day without its outcomes, from how wide its intervals are.

    `widths`, `errors`: of settled days, the mean width of the day's 90 % intervals and the mean absolute error of its
    medians, USD; `width_today` likewise. The estimate is the ratio of errors to widths over the settled days, times
    today's width, with the ratio's error over days (Cochran 1977, Sampling Techniques, 6.4). It sees what the model's
    own uncertainty sees, as wilder markets and accounts; it is blind to a relation between features and outcomes that
    has changed, which shows in outcomes alone. Raises ValueError below two settled days or without width.
    """
    days: npt.NDArray[np.int64] = np.flatnonzero(np.isfinite(widths) & np.isfinite(errors))
    if len(days) < 2 or widths[days].sum() <= 0:
        raise ValueError(f"{len(days)} settled days with interval widths are too few to expect an error by")
    mean_width = float(widths[days].mean())
    ratio = float(errors[days].mean()) / mean_width
    residuals = errors[days] - ratio * widths[days]
    error = float(np.sqrt((residuals**2).sum() / (len(days) - 1) / len(days))) / mean_width
    value, margin = ratio * width_today, Z_95 * error * width_today
    return ExpectedError(value, value - margin, value + margin, float(errors[days].mean()))
