"""What is measured of every request. Keeping the measurements belongs to `request_log`, judging them to `monitoring`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from daily_profit_model.risk_api.breaker import State

Outcome = Literal[
    "ok",
    "timeout",
    "connection",
    "reset",
    "http_429",
    "http_5xx",
    "broken_json",
    "error_envelope",
    "refused_4xx",
]
"""`connection`: none could be made. `reset`: it ended before the answer did. `broken_json`: HTTP 200 with
something that is not the answer it should be. `refused_4xx`: a redirect, or a 4xx other than 429."""


@dataclass(frozen=True)
class Measurement:
    """One request: asked, sent and answered, or not."""

    started_at: datetime
    """When it was sent (UTC)."""
    endpoint: str
    outcome: Outcome
    status: int | None
    """HTTP status; null: no answer came."""
    latency_s: float
    """From sending to the last byte, or to the failure."""
    bytes: int
    """Of the body, decompressed; 0 where it did not come whole."""
    rows: int | None
    """Rows in the answer; null: failed, or the caller does not say."""
    attempt: int
    """1 for the first request of a question, 2 for the first retry, …"""
    limited_s: float
    """Waited for the rate limit."""
    held_s: float
    """Waited because of a failure: Retry-After, back-off, an open breaker."""
    breaker_state: State
    """Of the host's breaker, after this request."""
    opened_breaker: bool
    """The breaker opened at this request."""


Recorder = Callable[[Measurement], None]
"""Takes the measurement of every request, from any thread; must not raise."""


def forget(_: Measurement) -> None:
    """The recorder of those who want none."""
