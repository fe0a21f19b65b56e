"""The service without HTTP: from a request to a status, headers and a body.

`respond` decides every answer; it is the one place at which faults can be put in later.
"""

from __future__ import annotations

import hmac
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson
import pyarrow as pa

from daily_profit_model.sandbox import chart, queries, selection
from daily_profit_model.sandbox import clock as clocks
from daily_profit_model.sandbox.blocks import Blocks
from daily_profit_model.sandbox.clock import Clock
from daily_profit_model.sandbox.queries import Query, Refused
from daily_profit_model.sandbox.ratelimit import Bucket
from daily_profit_model.sandbox.world import World

PREFIX: Final = "/risk-analytics/tft/external/"
CHART: Final = "/market/v8/finance/chart/"
REGIMES: Final = "/regimes/"
CLOCK: Final = "/sandbox/clock"
#: Answers kept between the pages of one selection.
KEPT_SELECTIONS: Final = 16


@dataclass(frozen=True)
class Request:
    """Method, path with query string, the `apiKey` header, and the body."""

    method: str
    target: str
    api_key: str | None = None
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    """HTTP status, JSON body, and headers beyond the usual ones."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Service:
    """One firm's answers: its world, clock, key and rate limit. Safe for many threads."""

    def __init__(
        self,
        world: World,
        *,
        api_key: str,
        rate_limit: float = 15.0,
        burst: int = 20,
        as_of: datetime | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._world = world
        self._blocks = Blocks(world)
        self._api_key = api_key
        self._bucket = Bucket(rate_limit, burst, timer)
        self.clock = Clock(as_of or world.settings.default_clock)
        self._lock = threading.Lock()
        self._selected: OrderedDict[tuple[object, ...], list[bytes]] = OrderedDict()

    def respond(self, request: Request) -> Response:
        """Decide the answer to a request."""
        url = urlsplit(request.target)
        try:
            if url.path == CLOCK:
                return self._set_clock(request)
            if request.method != "GET":
                raise Refused(405, f"{request.method} is not served")
            if url.path.startswith(PREFIX):
                return self._api(url.path[len(PREFIX) :].strip("/"), url.query, request.api_key)
            if url.path.startswith(REGIMES):
                return self._regime(url.path[len(REGIMES) :])
            if url.path.startswith(CHART):
                symbol, wanted = unquote(url.path[len(CHART) :]), dict(parse_qsl(url.query))
                return Response(*chart.answer(self._world.bars, symbol, wanted, self.clock))
            raise Refused(404, "not found")
        except Refused as refusal:
            return _failure(refusal.status, refusal.message)

    def _authorise(self, api_key: str | None) -> None:
        if not hmac.compare_digest((api_key or "").encode(), self._api_key.encode()):
            raise Refused(401, "missing or wrong apiKey")

    def _api(self, endpoint: str, query_string: str, api_key: str | None) -> Response:
        self._authorise(api_key)
        wait = self._bucket.take()
        if wait > 0:
            return _failure(429, "too many requests", {"Retry-After": str(max(1, round(wait + 0.5)))})
        query = queries.parse(endpoint, query_string)
        clock = self.clock
        rows = self._select(query, clock)
        page = rows[query.skip : query.skip + query.limit]
        return Response(200, _envelope(query, page, len(rows), clock))

    def _select(self, query: Query, clock: Clock) -> list[bytes]:
        key = (clock.now, *query.selection)
        # One computation at a time: threads waiting for the same rows then find them ready.
        with self._lock:
            if key not in self._selected:
                self._selected[key] = selection.select(self._blocks, query, clock)
                while len(self._selected) > KEPT_SELECTIONS:
                    self._selected.popitem(last=False)
            self._selected.move_to_end(key)
            return self._selected[key]

    def _set_clock(self, request: Request) -> Response:
        self._authorise(request.api_key)
        if request.method == "POST":
            try:
                self.clock = clocks.parse(orjson.loads(request.body)["as_of"])
            except (ValueError, KeyError, TypeError):
                raise Refused(400, 'the body must be {"as_of": "<ISO time>"}') from None
        elif request.method != "GET":
            raise Refused(405, f"{request.method} is not served")
        return Response(200, orjson.dumps({"as_of": self.clock.now.isoformat()}))

    def _regime(self, name: str) -> Response:
        table: pa.Table = self._world.regimes
        now = self.clock.now
        if not name:
            known = [
                day.isoformat()
                for day, created in zip(table["day"].to_pylist(), table["created"].to_pylist(), strict=True)
                if created <= now
            ]
            return Response(200, orjson.dumps(known))
        try:
            row = (date.fromisoformat(name.removesuffix(".json")) - self._world.settings.opening).days
        except ValueError:
            raise Refused(404, f"no document {name}") from None
        if not (name.endswith(".json") and 0 <= row < table.num_rows) or table["created"][row].as_py() > now:
            raise Refused(404, f"no document {name}")
        updated = table["updated"][row].as_py()
        version = "second" if updated is not None and updated <= now else "first"
        return Response(200, table[version][row].as_py().encode())


def _envelope(query: Query, page: list[bytes], total: int, clock: Clock) -> bytes:
    data = b"[" + b",".join(page) + b"]"
    stamp = orjson.dumps(clock.now.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
    if query.endpoint != "accounts" or query.include_total:
        known = b'"total":%d,' % total if query.include_total else b""
        data = b'{"data":%b,%b"skip":%d,"limit":%d,"count":%d}' % (data, known, query.skip, query.limit, len(page))
    return b'{"Status":"ok","Data":%b,"Time":%b}' % (data, stamp)


def _failure(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status, orjson.dumps({"Status": "fail", "Error": message}), headers or {})
