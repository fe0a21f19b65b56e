"""Refusals by HTTP 429 that have nothing to do with the rate: a share of the requests, whatever the rate.

Below a rate that the service was measured to take, its bucket is never empty, so refusals there must be strays.
Their share is learnt there and allowed for elsewhere. Without that a service, or something before it, that
refuses one request in fifty at random would bring the rate down to a tenth; with it such refusals are asked
again and cost hardly anything, and a service without them is treated as before.
"""

from __future__ import annotations

MOST_STRAYS = 1 / 12
"""Share of refusals below the measured rate; more mean that the service takes less than it did."""
STRAYS_FREE = 3
"""So many at once are no share yet."""
MARGIN = 2.5
"""Times the learnt share that may be refused before the rate is to blame."""
ELSEWHERE_FREE = 2
VERDICT_OVER = 100
LEARNT_OVER = 300
"""Answers after which older ones count half."""


class StrayRefusals:
    """Tells stray refusals from those that mean the rate."""

    def __init__(self) -> None:
        self._is_below = False
        self._accepted = self._refused = 0.0  # since the last cut, or since the rate passed the measured one
        self._accepted_below = self._strays = 0.0

    @property
    def share(self) -> float:
        """Share of the requests that are refused whatever the rate."""
        if self._strays < ELSEWHERE_FREE:
            return 0.0
        return min(MOST_STRAYS, self._strays / (self._strays + self._accepted_below))

    def begin(self) -> None:
        """The rate was cut: what was before says nothing of what comes."""
        self._accepted = self._refused = 0.0

    def accepted(self, *, is_below: bool) -> None:
        """A request was accepted; `is_below`: at a rate that the service is known to take."""
        self._enter(is_below)
        self._accepted += 1
        if self._accepted + self._refused > VERDICT_OVER:
            self._accepted, self._refused = self._accepted / 2, self._refused / 2
        if is_below:
            self._accepted_below += 1
            if self._accepted_below > LEARNT_OVER:
                self._accepted_below, self._strays = self._accepted_below / 2, self._strays / 2

    def refused(self, *, is_below: bool) -> bool:
        """A request was refused. True when that is a stray."""
        self._enter(is_below)
        self._refused += 1
        if is_below:
            is_stray = self._refused <= STRAYS_FREE + MOST_STRAYS * self._accepted
            self._strays += is_stray
            return is_stray
        return self.share > 0 and self._refused <= ELSEWHERE_FREE + MARGIN * self.share * self._accepted

    def _enter(self, is_below: bool) -> None:
        if is_below != self._is_below:
            self._is_below = is_below
            self.begin()
