"""What is broken on the day itself: a column all null, all one value, in another unit, with its sign flipped.

Here: rules on one day's statistics and the reference alone, so that they speak on that day. They compare with what the
reference rules out, not with a threshold of chance: no market makes a column a hundred times larger overnight.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from daily_profit_model.modeling.matrix import Floats
from daily_profit_model.monitoring.drift import DayStatistics, Profile

Break = Literal["all null", "constant", "unit", "sign", "new categories"]

FEWEST_ROWS = 30
"""Fewer values may be equal, or all from one side, by chance."""

NULL_SHARE = 0.99
"""Of a day: then a column says nothing, even if a few rows still have it."""

USUAL_NULLS = 0.9
"""Share of nulls in the reference above which a day of nulls is usual."""

LARGEST_TIE = 0.5
"""Share of the commonest value in the reference above which a day may consist of it alone: where four in ten accounts are
idle on a working day and all of them at weekends, zeros are 57 %."""

UNIT_FACTOR = 30.0
"""Between the tenfold of a wild day in a fat-tailed column and the hundredfold of cents for dollars, per cent for shares;
a thousandfold is found, a tenfold belongs to `drift_detection`."""

ONE_SIDED = 0.95
"""Share of the reference's values on one side of zero; of a column with both sides nobody can tell a flip on one day."""

FLIPPED = 0.5
"""Share of a day's values on the other side."""

NEW_SHARE = 0.5
"""Of a day's known categories: renamed, not merely one more."""


def hard_break(day: DayStatistics, profile: Profile) -> Break | None:
    """What is broken in a column on a day; None: nothing that can be told from the day alone."""
    if day.rows < FEWEST_ROWS:
        return None
    if 1 - day.known / day.rows >= NULL_SHARE:
        return "all null" if profile.missing_share < USUAL_NULLS else None
    if day.known < FEWEST_ROWS:
        return None
    if profile.kind == "category":
        new = day.values[profile.statistics.index("new_share")]
        return "new categories" if new >= NEW_SHARE else None
    return _break_of_numbers(day, profile) if len(profile.knots) else None


def _break_of_numbers(day: DayStatistics, profile: Profile) -> Break | None:
    if day.is_constant and profile.cell_shares[1::2].max() < LARGEST_TIE:
        return "constant"
    reference = np.array(profile.quantiles)
    other = reference[reference != 0]
    if profile.kind != "numeric" or len(other) < 2 or np.isnan(day.magnitude):
        return None
    negative = float((other < 0).mean())
    if max(negative, 1 - negative) >= ONE_SIDED and abs(day.negative_share - negative) >= FLIPPED:
        return "sign"
    usual = _magnitude(other)
    if usual and not 1 / UNIT_FACTOR < day.magnitude / usual < UNIT_FACTOR:
        return "unit"
    return None


def _magnitude(quantiles: Floats) -> float:
    """As `DayStatistics.magnitude`, from percentiles."""
    return float(np.abs(quantiles[(np.array([0.1, 0.9]) * (len(quantiles) - 1)).astype(np.int64)]).max())
