"""Which faults of a request may pass, how long to wait for that, and what to tell when they do not.

Sending the request, and counting attempts, belongs to `client`.
"""

from __future__ import annotations

import random
import time
from email.utils import parsedate_to_datetime

import tenacity

from daily_profit_model.risk_api.errors import (
    RequestRefused,
    RiskApiError,
    ServiceFailing,
    ServiceUnreachable,
)

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
LONGEST_RETRY_AFTER_S = 300.0
"""A service that asks for more is down for our purposes: better to fail and say so."""


class PassingFault(Exception):
    """A fault that may pass: worth asking again, after `retry_after` seconds if the service said so."""

    def __init__(self, reason: str, *, unreachable: bool = False, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.unreachable, self.retry_after = unreachable, retry_after


def of_status(
    endpoint: str, host: str, status: int, retry_after_header: str | None, message: str = ""
) -> Exception | None:
    """The fault that an HTTP status means; null for 200. `message` is what the service said of it.

    Only 429 and 5xx may pass: a wrong request stays wrong, and must not count against the service.
    """
    if status == 200:
        return None
    if status != 429 and status < 500:
        said = f" ({message})" if message else ""
        return RequestRefused(f"{endpoint} at {host} answered HTTP {status}{said}: {_advice(status)}")
    retry_after = seconds_of(retry_after_header)
    if retry_after is not None and retry_after > LONGEST_RETRY_AFTER_S:
        return ServiceFailing(
            f"{endpoint} at {host} answered HTTP {status} and asks to wait {retry_after:,.0f} s: start again after that"
        )
    return PassingFault(f"HTTP {status}", retry_after=retry_after)


def of_connection(error: BaseException) -> PassingFault:
    """A connection that could not be made or broke; the reason holds no address and no key."""
    text = str(error)
    for known in ("Connection refused", "Name or service not known", "Connection reset", "IncompleteRead"):
        if known in text:
            return PassingFault(known, unreachable=True)
    return PassingFault(type(error).__name__, unreachable=True)


def lasting(endpoint: str, host: str, fault: PassingFault, attempts: int) -> RiskApiError:
    """What to raise when a fault did not pass in `attempts` requests."""
    tries = "once" if attempts == 1 else f"{attempts} times"
    if fault.unreachable:
        return ServiceUnreachable(
            f"{endpoint}: no answer from {host}, asked {tries} ({fault}): "
            "check RISK_API_BASE_URL and that the service runs"
        )
    return ServiceFailing(
        f"{endpoint} at {host} failed, asked {tries} (last: {fault}): the service is failing, start again later"
    )


def wait(state: tenacity.RetryCallState) -> float:
    """Seconds until the next attempt: what the service asked for, else doubling with jitter.

    The jitter keeps the threads of several workers from returning at the same instant.
    """
    fault = state.outcome.exception() if state.outcome else None
    if isinstance(fault, PassingFault) and fault.retry_after is not None:
        return fault.retry_after
    backoff = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (state.attempt_number - 1))
    return backoff * random.uniform(0.5, 1.0)


def seconds_of(retry_after: str | None) -> float | None:
    """A Retry-After header in seconds; a date in it (RFC 9110, 10.2.3) counts from the current time."""
    if not retry_after:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def _advice(status: int) -> str:
    if status in (401, 403):
        return "the key was not accepted, set RISK_API_KEY"
    if status == 404:
        return "no such endpoint, check the path in RISK_API_BASE_URL"
    if status == 414:
        return "too many ids in one request"
    if 300 <= status < 400:
        return "a redirect is not followed, set RISK_API_BASE_URL to where the service is"
    return "the request is not one that the service takes"
