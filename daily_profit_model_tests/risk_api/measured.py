"""The measurement of a good call, for the tests of the request log and of what is told from it."""

from __future__ import annotations

from datetime import datetime

from daily_profit_model.risk_api.measurement import Measurement


def good_call(at: datetime) -> Measurement:
    """A first attempt, sent at once and answered."""
    return Measurement(
        started_at=at,
        endpoint="v2/trades/closed",
        outcome="ok",
        status=200,
        latency_s=0.2,
        bytes=1000,
        rows=10,
        attempt=1,
        limited_s=0.0,
        held_s=0.0,
        breaker_state="closed",
        opened_breaker=False,
    )
