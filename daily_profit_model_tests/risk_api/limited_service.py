"""Requests to a service with a strict token bucket, in simulated time: events instead of threads. No tests here."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from daily_profit_model.risk_api.rate_control import RateControl

Latency = tuple[float, float]
"""Shortest and longest way there and back, seconds."""


@dataclass
class StrictBucket:
    """What the service allows: refuses with HTTP 429 whenever less than a whole token is there."""

    rate: Callable[[float], float]
    burst: int
    stray_share: float = 0.0
    """Share of the requests that it refuses though there is a token."""
    chance: random.Random = field(default_factory=lambda: random.Random(11))
    _tokens: float = field(init=False)
    _seen: float = 0.0

    def __post_init__(self) -> None:
        self._tokens = float(self.burst)

    def accepts(self, now: float) -> bool:
        self._tokens = min(self.burst, self._tokens + (now - self._seen) * self.rate(now))
        self._seen = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return self.chance.random() >= self.stray_share


@dataclass(frozen=True)
class Arrivals:
    """When requests arrived at the service, and which it accepted."""

    seen: list[tuple[float, bool]]

    def rate(self, first: float, last: float) -> float:
        """Accepted requests a second."""
        return sum(ok for at, ok in self.seen if first <= at < last) / (last - first)

    def refused_share(self, first: float, last: float) -> float:
        within = [ok for at, ok in self.seen if first <= at < last]
        return within.count(False) / len(within)

    def refused(self) -> int:
        return sum(not ok for _, ok in self.seen)


def simulate(
    bucket: StrictBucket,
    *,
    seconds: float,
    retry_after: float = 0.0,
    rate: float = 15.0,
    burst: int = 20,
    workers: int = 8,
    latency: Latency = (0.005, 0.05),
    pauses: Callable[[int], float] = lambda _: 0.0,
    seed: int = 1,
) -> Arrivals:
    """`workers` send one request after another through one RateControl; `pauses(n)`: what the worker of the n-th
    answer does before it asks again, seconds."""
    control, chance, seen = RateControl(rate, burst, 0.0), random.Random(seed), []
    events: list[tuple[float, int, str, float]] = []
    order, answers = count(), count()
    waiting, due_at = workers, math.inf

    def later(at: float, what: str, sent_at: float = 0.0) -> None:
        heapq.heappush(events, (at, next(order), what, sent_at))

    def travel() -> float:
        return chance.uniform(*latency) / 2

    def leave(now: float) -> None:
        """Whoever may leave does; the next one is tried again when it is due."""
        nonlocal waiting, due_at
        while waiting:
            due_in = control.wait(now)
            if due_in > 0:
                if now + due_in < due_at:
                    due_at = now + due_in
                    later(due_at, "is due")
                return
            waiting -= 1
            control.sent(now)
            later(now + travel(), "arrives", now)

    leave(0.0)
    while events:
        now, _, what, sent_at = heapq.heappop(events)
        if now > seconds:
            break
        if what == "arrives":
            accepted = bucket.accepts(now)
            seen.append((now, accepted))
            later(now + travel(), "accepted" if accepted else "refused", sent_at)
            continue
        if what == "is due" and now >= due_at:
            due_at = math.inf
        elif what == "is back":
            waiting += 1
        elif what == "accepted":
            control.answered(now)
            later(now + pauses(next(answers)), "is back")
        elif what == "refused":
            control.refused(sent_at, now)
            if retry_after:
                control.hold(retry_after, now)
            later(now, "is back")
        leave(now)
    return Arrivals(seen)
