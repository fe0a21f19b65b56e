"""What a request to a host must pass: the circuit breaker, then the rate limit.

One gate for all clients of a host in a process, else each would find a full bucket and a closed breaker.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from daily_profit_model.risk_api.breaker import Breaker, Pass, State
from daily_profit_model.risk_api.faults import PassingFault
from daily_profit_model.risk_api.throttle import Permit, Throttle

UPSTREAM_RATE = 15.0
"""Requests a second that the service allows (RISK_API.md)."""
UPSTREAM_BURST = 20


@dataclass(frozen=True)
class Limits:
    """What a host allows, and how long it may fail."""

    rate: float = UPSTREAM_RATE
    burst: int = UPSTREAM_BURST
    breaker_failures: int = 10
    breaker_pause: float = 3.0
    breaker_patience: float = 30.0


@dataclass(frozen=True)
class Leave:
    """Leave to send one request."""

    permit: Permit
    granted: Pass


def utc_now() -> datetime:
    return datetime.now(UTC)


class Gate:
    """The breaker and the throttle of a host; thread safe.

    After `enter`, `arrived` or `refused` is to be called once, when the answer (or none) has come, and then
    `judged`, when it is known what it was worth; or `abandoned` instead of what is still to be called.
    """

    def __init__(
        self,
        host: str,
        limits: Limits,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._throttle = Throttle(limits.rate, limits.burst, clock=clock, sleep=sleep)
        self._breaker = Breaker(
            host,
            failures=limits.breaker_failures,
            pause=limits.breaker_pause,
            patience=limits.breaker_patience,
            clock=clock,
            sleep=sleep,
            now=now,
        )

    @property
    def state(self) -> State:
        """The breaker's."""
        return self._breaker.state

    def enter(self) -> Leave:
        """Wait until a request may be sent. Raises BreakerOpen."""
        while True:
            granted = self._breaker.enter()
            try:
                permit = self._throttle.take()
            except BaseException:
                self._breaker.unused(granted)
                raise
            if not self._breaker.is_shut_to(granted):
                return Leave(permit, granted)
            self._throttle.unused(permit)
            self._breaker.unused(granted)

    def arrived(self, leave: Leave, *, is_refusal: bool = False, hold: float = 0.0) -> None:
        """The answer came, or it is certain that none will; `hold`: seconds that the service asks to wait."""
        if is_refusal:
            self._throttle.refused(leave.permit)
        else:
            self._throttle.answered(leave.permit)
        if hold:
            self._throttle.hold(hold)

    def judged(self, leave: Leave, fault: PassingFault | None, *, is_storm: bool = False) -> bool:
        """What the answer was worth; null: it shows that the host works. True when the breaker opens.

        Being asked to slow down is no failure of the host, but for a storm: again and again for one question.
        """
        is_mere_refusal = fault is not None and fault.is_refusal and not is_storm
        if fault is None or (is_mere_refusal and leave.granted.is_probe):
            self._breaker.succeeded(leave.granted)
            return False
        if is_mere_refusal:
            self._breaker.unused(leave.granted)
            return False
        return self._breaker.failed(leave.granted, str(fault))

    def abandoned(self, leave: Leave) -> None:
        """Nothing is known of the answer's worth."""
        self._breaker.unused(leave.granted)
