"""Which faults of a request may pass, which class each is of, and what to tell when they do not pass.

How often and when to ask again belongs to `tries` and `gate`, sending the request to `transport`.
"""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import orjson
import requests
import urllib3

from daily_profit_model.risk_api.errors import (
    RequestRefused,
    RiskApiError,
    ServiceFailing,
    ServiceUnreachable,
)
from daily_profit_model.risk_api.measurement import Outcome

RISK_API = "RISK_API_BASE_URL"
"""The setting that holds the service's address, as errors call it."""

LONGEST_RETRY_AFTER_S = 300.0
"""A service that asks for more is down for our purposes: better to fail and say so."""

_RESETS = ("Connection reset", "Connection aborted", "IncompleteRead", "Broken pipe", "InvalidChunkLength")
_NO_CONNECTION = ("Connection refused", "Name or service not known", "No route to host", "Network is unreachable")


class PassingFault(Exception):
    """A fault that may pass."""

    def __init__(self, outcome: Outcome, reason: str, *, is_held: bool = False, is_worth_asking: bool = True) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.is_held = is_held
        """The service said how long to wait, and the gate does."""
        self.is_worth_asking = is_worth_asking
        """False: it asks for a longer wait than any of ours."""
        self.is_of_probe = False
        """It was the answer to the breaker's question whether the host is back."""

    @property
    def is_refusal(self) -> bool:
        """The service works, and is asked too often."""
        return self.outcome == "http_429"

    @property
    def is_unreachable(self) -> bool:
        return self.outcome in ("timeout", "connection", "reset")


def of_status(
    endpoint: str,
    host: str,
    status: int,
    retry_after_header: str | None,
    message: str = "",
    setting: str = RISK_API,
) -> PassingFault | RequestRefused | None:
    """The fault that an HTTP status means; null for 200. `message` is what the service said of it.

    Only 429 and 5xx may pass: a wrong request stays wrong, and must not count against the service.
    """
    if status == 200:
        return None
    if status != 429 and status < 500:
        said = f" ({message})" if message else ""
        return RequestRefused(f"{endpoint} at {host} answered HTTP {status}{said}: {_advice(status, setting)}")
    asked, outcome = seconds_of(retry_after_header), outcome_of(status)
    if asked is not None and asked > LONGEST_RETRY_AFTER_S:
        return PassingFault(outcome, f"HTTP {status}, asks to wait {asked:,.0f} s", is_worth_asking=False)
    return PassingFault(outcome, f"HTTP {status}", is_held=bool(asked))


def hold_of(status: int, retry_after_header: str | None) -> float:
    """Seconds for which an answer asks everybody to wait; 0 where it asks for none, or for more than is waited."""
    asked = seconds_of(retry_after_header) if status == 429 or status >= 500 else None
    return asked if asked is not None and asked <= LONGEST_RETRY_AFTER_S else 0.0


def outcome_of(status: int) -> Outcome:
    """The class of an HTTP status."""
    if status == 200:
        return "ok"
    if status == 429:
        return "http_429"
    return "http_5xx" if status >= 500 else "refused_4xx"


def of_connection(error: BaseException, connect_timeout: float, timeout: float) -> PassingFault:
    """A connection that could not be made, broke or fell silent; the reason holds no address and no key."""
    text = str(error)
    if isinstance(error, requests.ConnectTimeout):
        return PassingFault("timeout", f"no connection within {connect_timeout:g} s")
    if isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)):
        return PassingFault("timeout", f"no answer within {timeout:g} s")
    for known in _NO_CONNECTION:
        if known in text:
            return PassingFault("connection", known)
    for known in _RESETS:
        if known in text:
            return PassingFault("reset", known)
    was_connected = isinstance(error, urllib3.exceptions.HTTPError)  # the body is read without requests
    return PassingFault("reset" if was_connected else "connection", type(error).__name__)


def of_body(body: bytes, reason: str) -> PassingFault:
    """An answer of HTTP 200 that is not what it should be; `reason` says how."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return PassingFault("broken_json", reason)
    says_error = isinstance(answer, dict) and answer.get("Status", "ok") != "ok"
    return PassingFault("error_envelope" if says_error else "broken_json", reason)


def lasting(endpoint: str, host: str, fault: PassingFault, requests_made: int, setting: str = RISK_API) -> RiskApiError:
    """What to raise when a fault did not pass in so many requests."""
    tries = "once" if requests_made == 1 else f"{requests_made} times"
    if fault.is_unreachable:
        return ServiceUnreachable(
            f"{endpoint}: no answer from {host}, asked {tries} ({fault}): check {setting} and that the service runs"
        )
    return ServiceFailing(
        f"{endpoint} at {host} failed, asked {tries} (last: {fault}): the service is failing, start again later"
    )


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


def _advice(status: int, setting: str) -> str:
    if status in (401, 403):
        return (
            "the key was not accepted, set RISK_API_KEY" if setting == RISK_API else f"not open to us, check {setting}"
        )
    if status == 404:
        return f"no such endpoint, check the path in {setting}"
    if status == 414:
        return "too many ids in one request"
    if 300 <= status < 400:
        return f"a redirect is not followed, set {setting} to where the service is"
    return "the request is not one that the service takes"
