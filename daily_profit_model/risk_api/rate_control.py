"""When the next request may leave, decided from answers alone: no threads, no sleeping, time is handed in.

Two questions are kept apart. *What the configured limit allows* is a token bucket in which a request counts
as spent from the instant its answer came. The service counted it at some instant between sending and answer,
and each further request reaches it after it was sent, so whatever the network does to the gaps, no window of
the service's own ever holds more than the burst and the rate (counting from the sending, as is usual, grazes
the limit as soon as a slow request is followed by a quick one). It costs no throughput: the rate is earned
on while requests are in flight. *What the service allows just now* is learnt from HTTP 429, see `learnt_rate`.

The limit is held within one process; several processes that share a service share the blame for its 429s.
Waiting, and the order of those who wait, belongs to `throttle`.
"""

from __future__ import annotations

import math

from daily_profit_model.risk_api.learnt_rate import LearntRate

HEADROOM = 0.005
"""Share of the rate left unused, for two clocks that do not run alike and for rounding."""
INSTANT_S = 1e-6
"""Shorter waits are rounding errors of the clock's."""


class RateControl:
    """At most `burst` requests at once and `rate` a second, and less while the service refuses that many.

    One token of the burst is never used: something else may have asked just before (the ping of a run).
    """

    def __init__(self, rate: float, burst: int, now: float) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError(f"a rate above 0 and a burst of at least 1 are needed, not {rate} and {burst}")
        self._learnt = LearntRate(rate * (1.0 - HEADROOM))
        self._burst = max(1.0, burst - 1.0)
        self._spent, self._earned_until = 0.0, now
        self._in_flight = 0
        self._held_until = self._last_sent = -math.inf

    def rate(self, now: float) -> float:
        """Requests a second that may leave in the long run, as things are."""
        return self._learnt.rate(now)

    @property
    def held_until(self) -> float:
        """The instant up to which the service asked for silence."""
        return self._held_until

    def wait(self, now: float) -> float:
        """Seconds until a request may leave; infinite: not before an answer to another one has come."""
        self._earn(now)
        if self._in_flight + 1.0 > self._burst:
            return math.inf
        rate = self.rate(now)
        missing = max(0.0, self._spent + self._in_flight + 1.0 - self._burst)
        due = self._earned_until + missing / rate - now  # held: nothing is earned before
        if self._learnt.is_limited(now):
            # the service's burst is unknown while it refuses: no two at once
            due = max(due, self._last_sent + 1.0 / rate - now)
        return due if due > INSTANT_S else 0.0

    def sent(self, now: float) -> None:
        """A request leaves."""
        self._earn(now)
        self._in_flight += 1
        self._last_sent = now

    def withdrawn(self) -> None:
        """A request that was to leave did not."""
        self._in_flight -= 1

    def answered(self, now: float) -> None:
        """A request is over, whatever came of it; not for a refusal by HTTP 429."""
        self._over(now)
        self._learnt.accepted(now)

    def refused(self, sent_at: float, now: float) -> bool:
        """A request was refused by HTTP 429. True when that lowers the rate."""
        self._over(now)
        return self._learnt.refused(sent_at, now)

    def hold(self, seconds: float, now: float) -> None:
        """Let nothing leave for `seconds`; no burst follows."""
        self._earn(now)
        self._learnt.silent(max(0.0, now + seconds - max(now, self._held_until)))
        self._held_until = max(self._held_until, now + seconds)
        self._spent = max(self._spent, self._burst - 1.0)
        self._earned_until = max(self._earned_until, self._held_until)

    def _over(self, now: float) -> None:
        self._earn(now)
        self._in_flight -= 1
        self._spent += 1.0

    def _earn(self, now: float) -> None:
        if now > self._earned_until:
            self._spent = max(0.0, self._spent - (now - self._earned_until) * self.rate(self._earned_until))
            self._earned_until = now
