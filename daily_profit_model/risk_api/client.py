"""One authenticated, rate-limited, retried request to the risk service.

Pages and completeness belong to `paging`, the meaning of rows to `decode`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlsplit

import requests
import structlog
import tenacity
import urllib3

from daily_profit_model.risk_api import envelope, faults
from daily_profit_model.risk_api.envelope import MalformedAnswer
from daily_profit_model.risk_api.errors import RequestRefused
from daily_profit_model.risk_api.faults import PassingFault
from daily_profit_model.risk_api.throttle import TokenBucket

_T = TypeVar("_T")
Params = Mapping[str, str | int]

UPSTREAM_RATE = 15.0
"""Requests a second that the service allows (RISK_API.md)."""
UPSTREAM_BURST = 20
CONNECT_TIMEOUT_S = 10.0

log = structlog.get_logger(__name__)


class RiskApi:
    """A connection to the service: `get` answers the body of one successful, whole answer.

    Safe to share between threads; use it as a context manager. Neither its repr nor its logs or
    errors hold the key. Raises RequestRefused at once for a 4xx, ServiceUnreachable or
    ServiceFailing when every attempt failed.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        rate: float = UPSTREAM_RATE,
        burst: int = UPSTREAM_BURST,
        timeout: float = 120.0,
        connections: int = 4,
        attempts: int = 6,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base_url = base_url if base_url.endswith("/") else f"{base_url}/"
        self.connections = connections
        self.clock = clock
        self._host = _host_of(self.base_url)
        self._attempts, self._sleep = attempts, sleep
        self._timeout = (min(CONNECT_TIMEOUT_S, timeout), timeout)
        self._bucket = TokenBucket(rate, burst, clock=clock, sleep=sleep)
        self._session = requests.Session()
        self._session.headers["apiKey"] = _header_value(api_key)
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=connections, pool_block=True)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def __repr__(self) -> str:
        return f"RiskApi({self._host})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def get(self, endpoint: str, params: Params, *, attempts: int | None = None) -> bytes:
        """The whole body of a successful answer whose envelope says ok."""
        return self.read(endpoint, params, _whole, attempts=attempts)[0]

    def read(
        self, endpoint: str, params: Params, reader: Callable[[bytes], _T], *, attempts: int | None = None
    ) -> tuple[_T, int]:
        """`reader` of a successful answer's body, and how many requests that took.

        A reader that raises MalformedAnswer makes the answer one that is asked for again.
        """
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(attempts or self._attempts),
            wait=faults.wait,
            retry=tenacity.retry_if_exception_type(PassingFault),
            sleep=self._sleep,
            before_sleep=lambda state: self._log_retry(endpoint, state),
            reraise=True,
        )
        made = 0
        try:
            for attempt in retrying:
                with attempt:
                    made = attempt.retry_state.attempt_number
                    value = self._once(endpoint, params, reader)
        except PassingFault as fault:
            raise faults.lasting(endpoint, self._host, fault, made) from None
        return value, made

    def _once(self, endpoint: str, params: Params, reader: Callable[[bytes], _T]) -> _T:
        self._bucket.take()
        try:
            with self._session.get(
                f"{self.base_url}{endpoint}",
                params=dict(params),
                timeout=self._timeout,
                stream=True,
                # a redirect would carry the key to another host
                allow_redirects=False,
            ) as response:
                # one read of the raw stream: `.content` reads in small chunks and is 2.5 times slower
                body = response.raw.read(decode_content=True)
        except requests.Timeout:
            raise PassingFault(f"no answer within {self._timeout[1]:g} s", unreachable=True) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise faults.of_connection(error) from None
        retry_after = response.headers.get("Retry-After")
        status = response.status_code
        message = "" if status == 200 else self._without_key(envelope.message(body))
        if fault := faults.of_status(endpoint, self._host, status, retry_after, message):
            if isinstance(fault, PassingFault) and fault.retry_after is not None:
                self._bucket.hold(fault.retry_after)
            raise fault
        try:
            return reader(body)
        except MalformedAnswer as malformed:
            raise PassingFault(self._without_key(str(malformed))) from None

    def _without_key(self, text: str) -> str:
        """A service may say in its message which key it was given."""
        return text.replace(str(self._session.headers["apiKey"]), "…")

    def _log_retry(self, endpoint: str, state: tenacity.RetryCallState) -> None:
        fault = state.outcome.exception() if state.outcome else None
        wait = state.next_action.sleep if state.next_action else 0.0
        log.warning(
            "risk_api_retry",
            endpoint=endpoint,
            attempt=state.attempt_number,
            reason=str(fault),
            wait_s=round(wait, 2),
        )


def ping(api: RiskApi) -> None:
    """Ask for one all-time row, so that a wrong key or host shows before any work is done."""
    api.get("v2/metrics/alltime", {"limit": 1, "include-total": 1}, attempts=1)


def _whole(body: bytes) -> bytes:
    envelope.cut(body)
    return body


def _host_of(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RequestRefused("RISK_API_BASE_URL is not an address such as http://127.0.0.1:8750/risk-analytics/")
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname


def _header_value(api_key: str) -> str:
    if not api_key or not api_key.isascii() or not api_key.isprintable():
        raise RequestRefused("RISK_API_KEY is empty or not printable text: set it to the key of the service")
    return api_key
