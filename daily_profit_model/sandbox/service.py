"""The service without HTTP: from a request to a status, headers and a body.

`respond` decides every answer, and is the one place at which the faults of a plan come in.
"""

from __future__ import annotations

import hmac
import math
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson
import pyarrow as pa

from daily_profit_model.sandbox import chart, queries, selection
from daily_profit_model.sandbox import clock as clocks
from daily_profit_model.sandbox.answers import Request, Response, failure
from daily_profit_model.sandbox.blocks import Blocks
from daily_profit_model.sandbox.clock import Clock
from daily_profit_model.sandbox.faults.paging import Paging
from daily_profit_model.sandbox.faults.plan import FaultPlan
from daily_profit_model.sandbox.faults.spoiled import SpoiledBlocks
from daily_profit_model.sandbox.faults.transport import Transport
from daily_profit_model.sandbox.queries import Query, Refused
from daily_profit_model.sandbox.ratelimit import Bucket
from daily_profit_model.sandbox.world import World

PREFIX: Final = "/risk-analytics/tft/external/"
CHART: Final = "/market/v8/finance/chart/"
REGIMES: Final = "/regimes/"
CLOCK: Final = "/sandbox/clock"
REQUESTS: Final = "/sandbox/requests"
FAULTS: Final = "/sandbox/faults"
#: Answers kept between the pages of one selection.
KEPT_SELECTIONS: Final = 16
#: Requests that are remembered; the oldest go first.
KEPT_REQUESTS: Final = 1_000_000


class Service:
    """One firm's answers: its world, clock, key, rate limit and faults. Safe for many threads.

    `retry_after`: whether HTTP 429 says how long to wait.
    """

    def __init__(
        self,
        world: World,
        *,
        api_key: str,
        rate_limit: float = 15.0,
        burst: int = 20,
        retry_after: bool = True,
        as_of: datetime | None = None,
        faults: FaultPlan | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._world = world
        self._blocks = Blocks(world) if faults is None else SpoiledBlocks(world, faults)
        self._api_key = api_key
        self._bucket = Bucket(rate_limit, burst)
        self._retry_after, self._timer = retry_after, timer
        self._met: Counter[str] = Counter()
        self._transport = None if faults is None else Transport(faults, self._met)
        self._paging = None if faults is None else Paging(faults, self._met)
        self._requests: deque[tuple[float, str, int]] = deque(maxlen=KEPT_REQUESTS)
        self.clock = Clock(as_of or world.settings.default_clock)
        self._lock = threading.Lock()
        self._selected: OrderedDict[tuple[object, ...], list[bytes]] = OrderedDict()

    def respond(self, request: Request) -> Response:
        """Decide the answer to a request."""
        arrived = self._timer()
        response = self._answer(request, arrived)
        self._requests.append((arrived, request.target, response.status))
        return response

    def _answer(self, request: Request, arrived: float) -> Response:
        url = urlsplit(request.target)
        try:
            if url.path == CLOCK:
                return self._set_clock(request)
            if url.path in (REQUESTS, FAULTS):
                return self._told(url.path, request)
            if request.method != "GET":
                raise Refused(405, f"{request.method} is not served")
            if url.path.startswith(PREFIX):
                return self._admitted(url.path[len(PREFIX) :].strip("/"), request, arrived)
            if url.path.startswith(REGIMES):
                return self._regime(url.path[len(REGIMES) :])
            if url.path.startswith(CHART):
                symbol, wanted = unquote(url.path[len(CHART) :]), dict(parse_qsl(url.query))
                return Response(*chart.answer(self._world.bars, symbol, wanted, self.clock))
            raise Refused(404, "not found")
        except Refused as refusal:
            return failure(refusal.status, refusal.message)

    def _authorise(self, api_key: str | None) -> None:
        if not hmac.compare_digest((api_key or "").encode(), self._api_key.encode()):
            raise Refused(401, "missing or wrong apiKey")

    def _admitted(self, endpoint: str, request: Request, arrived: float) -> Response:
        """The answer of the API, if the key is right and the limit allows it and no fault comes between."""
        self._authorise(request.api_key)
        wait = self._bucket.take(arrived)
        if wait > 0:
            headers = {"Retry-After": str(math.ceil(wait))} if self._retry_after else {}
            return failure(429, "too many requests", headers)
        query = queries.parse(endpoint, urlsplit(request.target).query)
        if self._transport is None:
            return self._api(query)
        return self._transport.answer(request.target, lambda: self._api(query))

    def _api(self, query: Query) -> Response:
        clock = self.clock
        rows = self._select(query, clock)
        if self._paging is None or query.endpoint == "accounts":
            page, total = rows[query.skip : query.skip + query.limit], len(rows)
        else:
            page, total = self._paging.page((clock.now, *query.selection), rows, query.skip, query.limit)
        return Response(200, _envelope(query, page, total, clock))

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

    def _told(self, path: str, request: Request) -> Response:
        """What was asked so far, as [monotonic seconds, target, status]; which faults were met, by kind."""
        self._authorise(request.api_key)
        if request.method != "GET":
            raise Refused(405, f"{request.method} is not served")
        return Response(200, orjson.dumps(list(self._requests) if path == REQUESTS else dict(self._met)))

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


def _envelope(query: Query, page: Sequence[bytes], total: int, clock: Clock) -> bytes:
    data = b"[" + b",".join(page) + b"]"
    stamp = orjson.dumps(clock.now.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
    if query.endpoint != "accounts" or query.include_total:
        known = b'"total":%d,' % total if query.include_total else b""
        data = b'{"data":%b,%b"skip":%d,"limit":%d,"count":%d}' % (data, known, query.skip, query.limit, len(page))
    return b'{"Status":"ok","Data":%b,"Time":%b}' % (data, stamp)
