"""The circuit breaker of a host: after failures in a row nobody asks any more, but for a probe now and then.

While it is open, a fetch waits for a probe that succeeds, so that an outage in the middle of a long ingestion
is a pause and not a failure; when the outage outlasts `patience`, every request of every fetch fails at once.
The patience runs from the first of the failures and serves them all: waiting anew for each of a run's tables,
a dead service would take minutes to be told from a slow one. What is chosen is a trade: with a pause of 3 s and
a patience of 30 s an outage of 27 s is always outlived (the last probe falls into the last 3 s), and a run
against a dead service ends after 30 s. More patience outlives longer outages, and finds dead ones later.
Time-outs are the exception: a failure is known when it is over, so that a service that swallows requests is
found out after `failures` / pages in flight time-outs.

Written here because no library fits threads with several requests in flight: pybreaker 1.4 holds a lock around
the call itself, so that pages would come one after another, and reads the system's clock; circuitbreaker 2.1
has no lock and lets all threads through as probes; aiobreaker is for asyncio. None lets a caller wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import structlog

State = Literal["closed", "open", "half-open"]
LONGEST_NAP_S = 0.5
"""Between two looks at a probe that is under way."""
LONG_AGO_S = 600.0
"""Failures with so long a rest after them say nothing of now; no retry waits as long."""

log = structlog.get_logger(__name__)


class BreakerOpen(Exception):
    """The service has been failing for too long to be waited for; the message says since when and how."""


@dataclass(frozen=True)
class Pass:
    """Leave to ask, to be given back once, by `succeeded`, `failed` or `unused`."""

    is_probe: bool


@dataclass(frozen=True)
class _Outage:
    """Failures in a row, still few while the breaker is closed."""

    failures: int
    began: float
    last: float
    began_at: datetime
    reason: str


class Breaker:
    """Opens after `failures` in a row over all requests, and lets a probe through every `pause` seconds.

    `patience`: seconds from the first failure in a row after which an open breaker is not waited for.
    """

    def __init__(
        self,
        host: str,
        *,
        failures: int,
        pause: float,
        patience: float,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        now: Callable[[], datetime],
    ) -> None:
        self._host, self._failures, self._pause, self._patience = host, failures, pause, patience
        self._clock, self._sleep, self._now = clock, sleep, now
        self._lock = threading.Lock()
        self._state: State = "closed"
        self._probe_at = 0.0
        self._probe_began = 0.0
        self._outage: _Outage | None = None

    @property
    def state(self) -> State:
        return self._state

    def enter(self) -> Pass:
        """Wait until a request may be made. Raises BreakerOpen when that is not worth waiting for."""
        while not isinstance(granted := self._pass_or_wait(), Pass):
            self._sleep(granted)
        return granted

    def is_shut_to(self, granted: Pass) -> bool:
        """Whether the breaker has opened since `granted` was given."""
        return self._state != "closed" and not granted.is_probe

    def succeeded(self, granted: Pass) -> None:
        """The host answered, be it with a refusal."""
        with self._lock:
            outage, self._outage = self._outage, None
            was_open, self._state = self._state != "closed", "closed"
        if was_open and outage is not None:
            seconds = round(self._clock() - outage.began, 1)
            log.warning("risk_api_breaker_closed", host=self._host, outage_s=seconds)

    def failed(self, granted: Pass, reason: str) -> bool:
        """A time-out, a connection error, a 5xx or a broken answer. True when the breaker opens at it."""
        with self._lock:
            if self._state != "closed" and not granted.is_probe:
                return False  # it was under way when others failed
            now, before = self._clock(), self._outage
            if before and self._state == "closed" and now - before.last > LONG_AGO_S:
                before = None  # nobody has asked for so long that it says nothing of now
            began, began_at = (before.began, before.began_at) if before else (now, self._now())
            count = before.failures + 1 if before else 1
            self._outage = _Outage(count, began, now, began_at, reason)
            if self._state == "closed" and count < self._failures:
                return False
            is_new, self._state = self._state == "closed", "open"
            self._probe_at = now + self._pause
        if is_new:
            log.warning("risk_api_breaker_open", host=self._host, failures_in_a_row=count, last=reason)
        return is_new

    def unused(self, granted: Pass) -> None:
        """Nothing was asked, or nothing came of it that says anything of the host."""
        with self._lock:
            if granted.is_probe and self._state == "half-open":
                self._state = "open"  # another request is the probe

    def _pass_or_wait(self) -> Pass | float:
        """A pass, or the seconds until it is time to ask again."""
        with self._lock:
            if self._state == "closed" or self._outage is None:
                return Pass(is_probe=False)
            now, gives_up = self._clock(), self._outage.began + self._patience
            if self._state == "open" and now >= self._probe_at:
                self._state, self._probe_began = "half-open", now
                return Pass(is_probe=True)
            if self._state == "open":
                if self._probe_at > gives_up:
                    raise BreakerOpen(self._story())
                return self._probe_at - now
            # a probe that began when all patience was gone asks anew whether the host is back: its answer counts
            if now >= gives_up > self._probe_began:
                raise BreakerOpen(self._story())
            return LONGEST_NAP_S

    def _story(self) -> str:
        assert self._outage is not None
        return (
            f"the circuit breaker is open, {self._outage.failures} requests in a row failed since "
            f"{self._outage.began_at:%Y-%m-%d %H:%M:%S} UTC (last: {self._outage.reason})"
        )
