"""How fast requests may leave: one token bucket shared by every thread of a client.

What a request is and when it is repeated belongs to `client`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class TokenBucket:
    """Lets `rate` requests a second pass, and at most `burst` at once after a pause; thread safe.

    Tokens are reserved in order of asking (the balance may go below zero, each waiter sleeping
    until its own token is due), so that no thread starves and the limit holds for any number of them.
    """

    def __init__(self, rate: float, burst: int, *, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError(f"a rate above 0 and a burst of at least 1 are needed, not {rate} and {burst}")
        self._rate, self._burst = rate, float(burst)
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._tokens, self._filled_at = float(burst), clock()

    def take(self) -> None:
        """Wait until one more request may leave."""
        with self._lock:
            now = self._clock()
            earned = max(0.0, now - self._filled_at) * self._rate
            self._tokens = min(self._burst, self._tokens + earned)
            self._filled_at = max(self._filled_at, now)
            self._tokens -= 1.0
            due_in = max(0.0, self._filled_at - now) + max(0.0, -self._tokens) / self._rate
        if due_in > 0:
            self._sleep(due_in)

    def hold(self, seconds: float) -> None:
        """Let nothing pass for `seconds`, because the service said so; no burst follows it."""
        with self._lock:
            self._filled_at = max(self._filled_at, self._clock() + seconds)
            self._tokens = min(self._tokens, 1.0)
