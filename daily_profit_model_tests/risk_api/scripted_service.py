"""A small HTTP server that speaks RISK_API.md and misbehaves on order.

For the tests of `risk_api` only; a whole simulated firm is `daily_profit_model.sandbox`.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

KEY = "the-secret-key"
PREFIX = "/risk-analytics/tft/external/"

Fault = Callable[["_Handler"], None]


@dataclass
class Service:
    """What the server serves, how it misbehaves, and what it was asked."""

    rows: dict[str, list[Any]] = field(default_factory=dict)
    faults: list[Fault | None] = field(default_factory=list)
    """One is taken for each request; null, or none left: a good answer."""
    page_size: int = 1000
    """The most rows in a page, whatever limit was asked for."""
    before_page: Callable[[int, Service], None] | None = None
    """Called with the number of the request (from 1) before its page is cut."""
    order: Callable[[int, list[Any]], list[Any]] | None = None
    """The order in which a request sees the rows."""
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    connections: set[tuple[str, int]] = field(default_factory=set)
    most_at_once: int = 0
    delay: float = 0.0
    base_url: str = ""
    _at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, path: str, params: dict[str, str], headers: dict[str, str], peer: tuple[str, int]) -> Any:
        with self._lock:
            self.asked.append((path, params, headers))
            self.connections.add(peer)
            number = len(self.asked)
            fault = self.faults.pop(0) if self.faults else None
            if self.before_page:
                self.before_page(number, self)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            return fault, number

    def done(self) -> None:
        with self._lock:
            self._at_once -= 1

    def page(self, endpoint: str, params: dict[str, str], number: int) -> bytes:
        with self._lock:
            rows = list(self.rows.get(endpoint, []))
        if self.order:
            rows = self.order(number, rows)
        skip, limit = int(params.get("skip", 0)), min(int(params["limit"]), self.page_size)
        part = rows[skip : skip + limit]
        data: dict[str, Any] = {"data": part, "skip": skip, "limit": limit, "count": len(part)}
        if params.get("include-total") == "1":
            data["total"] = len(rows)
        return orjson.dumps({"Status": "ok", "Data": data, "Time": "0.01"})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        service = self.server.service
        parts = urlsplit(self.path)
        params = dict(parse_qsl(parts.query))
        fault, number = service.take(parts.path, params, dict(self.headers), self.client_address)
        try:
            if service.delay:
                time.sleep(service.delay)
            if fault is not None:
                fault(self)
            elif self.headers.get("apiKey") != KEY:
                self.answer(401, b'{"Status":"fail","Error":"key %b"}' % self.headers["apiKey"].encode())
            else:
                self.answer(200, service.page(parts.path.removeprefix(PREFIX), params, number))
        finally:
            service.done()

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    service: Service

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what some tests are about."""


@contextmanager
def serving(service: Service) -> Iterator[Service]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.service = service
    service.base_url = f"http://127.0.0.1:{server.server_port}{PREFIX}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def status(code: int, body: bytes = b"{}", **headers: str) -> Fault:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.answer(code, body, sent)


def body(text: bytes) -> Fault:
    return status(200, text)


def reset_in_mid_body(handler: _Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"Status":"ok","Data":{"data":[')
    handler.wfile.flush()
    # with a linger time of zero the close is a reset
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def closed_in_mid_body(handler: _Handler) -> None:
    """Fewer bytes than announced, and a clean end: looks whole to a careless reader."""
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"Status":"ok","Data":{"data":[],"total":0}}')
    handler.close_connection = True


def silence(seconds: float) -> Fault:
    def wait(handler: _Handler) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return wait


def drip(seconds: float, length: int | None = 1000) -> Fault:
    """A body that comes byte by byte, each one soon after the one before; without a `length` it ends with a close."""

    def send(handler: _Handler) -> None:
        handler.send_response(200)
        if length is not None:
            handler.send_header("Content-Length", str(length))
        handler.end_headers()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            handler.wfile.write(b" ")
            time.sleep(0.02)
        handler.close_connection = True

    return send


TRUNCATED = body(b'{"Status":"ok","Data":{"data":[{"a":1},{"a":')
ERROR_ENVELOPE = body(b'{"Status":"fail","Error":"query\\n failed"}')
