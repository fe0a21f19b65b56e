"""Days that the reference could have had as well: its own news in another order, each day keeping what it keeps of the last.

Here: draws of days for the thresholds of `drift_detection`.

The sieve bootstrap (Buehlmann 1997) of an AR(1): the days' news, what standardised days do not keep of the day before, is
drawn in blocks of whole days, all charts together (Politis & Romano 1992), and made into days again with the correlation
of the reference. Days that were drawn themselves would resemble their neighbours less than the reference's do, whatever
the length of blocks, and thresholds would be met too often.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from daily_profit_model.modeling.matrix import Floats
from daily_profit_model.monitoring.drift_standard import LEAST_SPREAD, Days, Groups, Standard, in_units, standardised

BLOCK_DAYS = 3
"""Days that are drawn together, for what an AR(1) does not know of neighbouring days; longer blocks of a reference of a few
months leave too few sequences to meet a rare one (drift_simulation)."""


class Replays:
    """Draws of the days of a reference, whose own standard it is."""

    def __init__(self, standard: Standard, days: Days) -> None:
        z = standardised(standard, days)[:, 0]
        self._r = standard.correlation[0]
        self._left = np.sqrt(1 - self._r**2)
        known = ~np.isnan(days.levelled[:, 0])
        news = z.copy()
        news[1:] -= self._r * z[:-1]
        news[1:] /= self._left
        for place in np.flatnonzero(
            ~known.all(axis=0) & known.any(axis=0)
        ):  # a day without a value has no news of its own
            news[:, place] = np.resize(news[known[:, place], place], len(news))
        self._news = news
        self._groups = days.groups[:, 0]
        self._mean = standard.mean[self._groups, 0]
        self._chance = days.chance[:, 0]
        self._spread = np.sqrt(np.maximum(standard.between[self._groups, 0] + self._chance, LEAST_SPREAD**2))
        self._missing = ~known
        began = known.argmax(axis=0)  # a column that came late is there on every day that follows
        self._missing_later = self._missing & (np.arange(len(known))[:, None] >= began)

    def past(self, rng: np.random.Generator, draws: int) -> Days:
        """As many days as the reference's, with as many missing."""
        places = _blocks(rng, len(self._news), len(self._news), draws)
        levelled = np.stack(list(self._levelled(places, self._missing)))
        return Days(levelled, self._chance[places], self._groups[places])

    def future(self, rng: np.random.Generator, standard: Standard, wanted: int) -> Iterator[Floats]:
        """Days that follow, draws x charts each, by the measure of another `standard` of as many draws."""
        draws = np.arange(standard.correlation.shape[0])
        places = _blocks(rng, len(self._news), wanted, len(draws))
        for day, levelled in zip(places, self._levelled(places, self._missing_later), strict=True):
            groups = self._groups[day]
            yield in_units(levelled, self._chance[day], standard.mean[groups, draws], standard.between[groups, draws])

    def _levelled(self, places: Groups, missing: npt.NDArray[np.bool_]) -> Iterator[Floats]:
        has_gaps = bool(missing.any())
        last = None
        for day in places:
            z = self._news[day] if last is None else self._r * last + self._left * self._news[day]
            levelled = self._mean[day] + z * self._spread[day]
            if has_gaps:
                np.copyto(levelled, np.nan, where=missing[day])
            last = z
            yield levelled


def _blocks(rng: np.random.Generator, days: int, wanted: int, draws: int) -> Groups:
    """Days x draws: places of the reference's `days`."""
    starts = rng.integers(days, size=(-(-wanted // BLOCK_DAYS), 1, draws))
    drawn = (starts + np.arange(BLOCK_DAYS)[:, None]).reshape(-1, draws)[:wanted] % days
    return drawn.astype(np.int64)
