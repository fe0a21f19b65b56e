"""The upstream rate limit: a token bucket."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Bucket:
    """`burst` requests at once, `rate` a second in the long run; a rate of 0 sets no limit."""

    def __init__(self, rate: float, burst: int, timer: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._timer = timer
        self._tokens = float(burst)
        self._seen = timer()
        self._lock = threading.Lock()

    def take(self) -> float:
        """Take a token: 0 when there was one, otherwise the seconds until there is."""
        if self._rate <= 0:
            return 0.0
        with self._lock:
            now = self._timer()
            self._tokens = min(self._burst, self._tokens + (now - self._seen) * self._rate)
            self._seen = now
            if self._tokens >= 1.0:
                self._tokens -= 1.0
                return 0.0
            return (1.0 - self._tokens) / self._rate
