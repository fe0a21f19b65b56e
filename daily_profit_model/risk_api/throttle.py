"""Waiting for the rate limit: one for all threads that talk to a host, first come, first served.

When a request may leave is decided in `rate_control`; what a request is belongs to `client`.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from daily_profit_model.risk_api.rate_control import RateControl

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Permit:
    """Leave to send one request, given at `sent_at`; to be given back once, by `answered`, `refused` or `unused`."""

    sent_at: float
    limited_s: float
    """Seconds waited because of the rate."""
    held_s: float
    """Seconds waited because the service asked for it (Retry-After)."""


class Throttle:
    """Lets at most `rate` requests a second leave, and `burst` after a pause, and fewer while the service
    answers HTTP 429; thread safe, and no thread is overtaken by one that came later."""

    def __init__(self, rate: float, burst: int, *, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._control = RateControl(rate, burst, clock())
        self._clock, self._sleep = clock, sleep
        self._changed = threading.Condition()
        self._queue: deque[object] = deque()

    def take(self) -> Permit:
        """Wait until one more request may leave."""
        me, came = object(), self._clock()
        with self._changed:
            self._queue.append(me)
        try:
            while not isinstance(granted := self._permit_or_wait(me, came), Permit):
                self._sleep(granted)
            return granted
        finally:
            with self._changed:
                self._queue.remove(me)
                self._changed.notify_all()

    def answered(self, permit: Permit) -> None:
        """The request is over, other than by HTTP 429."""
        with self._changed:
            self._control.answered(self._clock())
            self._changed.notify_all()

    def refused(self, permit: Permit) -> None:
        """The request was answered with HTTP 429."""
        with self._changed:
            now = self._clock()
            if self._control.refused(permit.sent_at, now):
                log.info("risk_api_rate_lowered", requests_a_second=round(self._control.rate(now), 2))
            self._changed.notify_all()

    def unused(self, permit: Permit) -> None:
        """The request was not sent after all."""
        with self._changed:
            self._control.withdrawn()
            self._changed.notify_all()

    def hold(self, seconds: float) -> None:
        """Let nothing leave for `seconds`, because the service said so."""
        with self._changed:
            self._control.hold(seconds, self._clock())

    def _permit_or_wait(self, me: object, came: float) -> Permit | float:
        """The permit, or the seconds until the head of the queue should ask again; blocks while the head is
        someone else, or nobody can say when."""
        with self._changed:
            while self._queue[0] is not me or (due_in := self._control.wait(self._clock())) == math.inf:
                self._changed.wait()
            if due_in > 0:
                return due_in
            now = self._clock()
            self._control.sent(now)
            held = min(max(0.0, self._control.held_until - came), now - came)
            return Permit(now, now - came - held, held)
