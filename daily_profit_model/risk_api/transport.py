"""One HTTP request and its whole answer, with the key, where there is one, in the header and nowhere else.

What an answer means belongs to `faults` and `client`.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import requests
import urllib3

from daily_profit_model.risk_api import faults
from daily_profit_model.risk_api.errors import RequestRefused

CONNECT_TIMEOUT_S = 10.0

Params = Mapping[str, str | int]


@dataclass(frozen=True)
class Answer:
    """Status, `Retry-After` header and whole body."""

    status: int
    retry_after: str | None
    body: bytes


class Transport:
    """Pooled connections to one base URL; safe to share between threads."""

    def __init__(
        self, base_url: str, api_key: str | None, *, timeout: float, connections: int, setting: str = faults.RISK_API
    ) -> None:
        self.base_url = base_url if base_url.endswith("/") else f"{base_url}/"
        self.host = host_of(self.base_url, setting)
        self._timeout = (min(CONNECT_TIMEOUT_S, timeout), timeout)
        self._session = requests.Session()
        if api_key is not None:
            self._session.headers["apiKey"] = _header_value(api_key)
        self._key_forms = frozenset() if api_key is None else _forms_of(api_key)
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=connections, pool_block=True)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def send(self, endpoint: str, params: Params) -> Answer:
        """The whole answer. Raises PassingFault when none comes, or not all of its body within the time-out."""
        deadline = time.monotonic() + self._timeout[1]
        try:
            # one read of the raw stream: `.content` reads in small chunks and is 2.5 times slower
            with (
                self._session.get(
                    f"{self.base_url}{endpoint}",
                    params=dict(params),
                    timeout=self._timeout,
                    stream=True,
                    # a redirect would carry the key to another host
                    allow_redirects=False,
                ) as response,
                _cut_off_at(deadline, response.raw) as cut_off,
            ):
                body = response.raw.read(decode_content=True)
                if cut_off.is_set():  # a body without a length then seems to be whole
                    raise TimeoutError
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            is_late = time.monotonic() >= deadline
            raise faults.of_connection(TimeoutError() if is_late else error, *self._timeout) from None
        return Answer(response.status_code, response.headers.get("Retry-After"), body)

    def said(self, text: str, body: bytes) -> str:
        """`text`, taken from `body`, as it may be shown: nothing of it where the service repeats the key.

        Striking the key out of the text would miss one that is escaped, or cut off at the text's end.
        """
        return "…" if any(form in body for form in self._key_forms) else text


@contextlib.contextmanager
def _cut_off_at(deadline: float, stream: urllib3.BaseHTTPResponse) -> Iterator[threading.Event]:
    """Ends reading at the deadline, and tells so: a socket's own time-out begins anew with each byte that drips in."""
    cut_off = threading.Event()

    def cut() -> None:
        cut_off.set()
        stream.shutdown()

    watch = threading.Timer(max(0.0, deadline - time.monotonic()), cut)
    watch.daemon = True
    watch.start()
    try:
        yield cut_off
    finally:
        watch.cancel()


def _forms_of(key: str) -> frozenset[bytes]:
    """How a key may stand in a body: as it is, escaped as JSON, or as part of an address."""
    escaped = json.dumps(key)[1:-1]
    return frozenset(form.encode() for form in (key, escaped, escaped.replace("/", "\\/"), quote(key), quote(key, "")))


def host_of(base_url: str, setting: str = faults.RISK_API) -> str:
    """Host and port, the part of an address that may be shown. Raises RequestRefused when there is none."""
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RequestRefused(f"{setting} is not an address such as http://127.0.0.1:8750/risk-analytics/")
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname


def _header_value(api_key: str) -> str:
    if not api_key or not api_key.isascii() or not api_key.isprintable():
        raise RequestRefused("RISK_API_KEY is empty or not printable text: set it to the key of the service")
    return api_key
