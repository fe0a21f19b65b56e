"""The rate that the service takes just now, learnt from the requests that it refused with HTTP 429.

A refusal lowers the rate (multiplicative decrease), and it recovers along the curve of CUBIC (RFC 9438,
section 4): quickly at first, slowly near the rate at which refusals came, and quickly again beyond it. A
plain saw tooth meets the limit every few seconds; this one stays just below it, tries above it about once a
minute, and is back at the configured rate some two minutes after the limit was lifted.

How far to fall is measured where it can be: a token bucket is empty when it refuses, so what was accepted
between two cuts is what the service earned in between, its rate. Which refusals mean the rate at all is
decided in `stray_refusals`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from daily_profit_model.risk_api.stray_refusals import StrayRefusals

CUT = 0.7
"""A cut by an unknown excess, as CUBIC's (RFC 9438, 4.6)."""
DEEPEST_CUT = 0.5
BELOW_MEASURED = 0.97
"""How far below a measured rate to go on, so that the service's bucket fills again."""
NEAR_MEASURED = 0.98
MEASURED_OVER = 20
"""Accepted requests that make a measurement: it is right to one of them."""
RECOVERY_S = 120.0
"""Seconds from the plateau to the whole configured rate above it."""
LOWEST_SHARE = 1 / 15
"""Of the configured rate; refusals do not push below it. More of them are a storm, which the client ends."""
NEAR_LOWEST = 1.25
STEP_BACK = 10
"""Requests whose progress on the curve one stray refusal takes back."""


@dataclass(frozen=True)
class _Recovery:
    """CUBIC's curve: from `low` at `since` to a plateau at `ceiling`, and beyond; `growth` in requests/s⁴."""

    since: float
    low: float
    ceiling: float
    is_measured: bool
    growth: float

    def rate(self, now: float) -> float:
        to_plateau = math.cbrt((self.ceiling - self.low) / self.growth)
        return float(self.ceiling + self.growth * (max(0.0, now - self.since) - to_plateau) ** 3)


class LearntRate:
    """At most `top` requests a second, less after refusals."""

    def __init__(self, top: float) -> None:
        self._top, self._lowest = top, LOWEST_SHARE * top
        self._growth = top / RECOVERY_S**3
        self._recovery: _Recovery | None = None
        self._strays = StrayRefusals()
        self._cut_at = -math.inf
        self._accepted, self._silent_s = 0, 0.0  # since the last cut

    def rate(self, now: float) -> float:
        """Requests a second."""
        return self._top if self._recovery is None else min(self._top, self._recovery.rate(now))

    def is_limited(self, now: float) -> bool:
        """Whether the service lately refused so many that the rate is below the configured one."""
        if self._recovery is not None and self._recovery.rate(now) >= self._top:
            self._recovery = None
        return self._recovery is not None

    def accepted(self, now: float) -> None:
        """A request was answered and not refused."""
        self._accepted += 1
        self._strays.accepted(is_below=self._is_below_what_is_known(now))

    def silent(self, seconds: float) -> None:
        """Nothing is sent for `seconds`, which are no measure of the rate."""
        self._silent_s += seconds

    def refused(self, sent_at: float, now: float) -> bool:
        """A request sent at `sent_at` was refused. True when that lowers the rate: what had left before
        the last cut says nothing of the rate since."""
        if sent_at <= self._cut_at:
            return False
        rate = self.rate(now)
        if self._strays.refused(is_below=self._is_below_what_is_known(now)):
            if self._recovery is not None:
                since = min(now, self._recovery.since + STEP_BACK / rate)
                self._recovery = replace(self._recovery, since=since)
            return False
        measured = self._measured(now)
        if measured is None:
            low, ceiling = CUT * rate, rate
        else:
            ceiling = min(rate, max(measured, DEEPEST_CUT * rate))
            low = BELOW_MEASURED * ceiling
        low = max(low, self._lowest)
        self._recovery = _Recovery(now, low, max(ceiling, low), measured is not None, self._growth)
        self._cut_at, self._accepted, self._silent_s = now, 0, 0.0
        self._strays.begin()
        return True

    def _is_below_what_is_known(self, now: float) -> bool:
        """Whether the service is known to take the rate, or it can hardly be lowered any more."""
        if not self.is_limited(now) or self._recovery is None:
            return False
        rate = self._recovery.rate(now)
        is_below_measured = self._recovery.is_measured and rate < NEAR_MEASURED * self._recovery.ceiling
        return is_below_measured or rate < NEAR_LOWEST * self._lowest

    def _measured(self, now: float) -> float | None:
        """Requests a second accepted since the last cut; None when too few were."""
        if not self.is_limited(now) or self._accepted < MEASURED_OVER:
            return None
        seconds = now - self._cut_at - self._silent_s
        return self._accepted / seconds if seconds > 0 else None
