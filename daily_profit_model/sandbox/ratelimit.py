"""The upstream rate limit: a token bucket, counted by the instants at which requests arrive."""

from __future__ import annotations

import threading
from typing import Final

#: A token is whole when it lacks no more than the rounding of the sums does.
ROUNDING: Final = 1e-9


class Bucket:
    """`burst` requests at once, `rate` a second in the long run; a rate of 0 sets no limit."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._tokens = float(burst)
        self._seen = float("-inf")
        self._lock = threading.Lock()

    def take(self, now: float) -> float:
        """Take a token at `now`, in seconds: 0 when there was one, otherwise the seconds until there is.

        A refused request costs nothing.
        """
        if self._rate <= 0:
            return 0.0
        with self._lock:
            if now > self._seen:  # requests that came together may be counted in another order
                self._tokens = min(self._burst, self._tokens + (now - self._seen) * self._rate)
                self._seen = now
            if self._tokens >= 1.0 - ROUNDING:
                self._tokens -= 1.0
                return 0.0
            return (1.0 - self._tokens) / self._rate
