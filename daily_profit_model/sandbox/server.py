"""The HTTP shell around the service: sockets, threads, signals. Loopback only."""

from __future__ import annotations

import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from daily_profit_model.sandbox.answers import Request, Response
from daily_profit_model.sandbox.faults.plan import FaultPlan
from daily_profit_model.sandbox.service import PREFIX, Service
from daily_profit_model.sandbox.world import World

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
#: The largest body a request may have; only the clock takes one.
MOST_BYTES: Final = 10_000


@dataclass(frozen=True)
class Address:
    """Where a running server listens: the API's base URL, the root, and the port."""

    base_url: str
    root: str
    port: int


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are no news."""


def serve(
    world: World,
    *,
    host: str = "127.0.0.1",
    port: int = 8750,
    api_key: str,
    rate_limit: float = 15.0,
    burst: int = 20,
    retry_after: bool = True,
    as_of: datetime | None = None,
    faults: FaultPlan | None = None,
    ready: Callable[[Address], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is called with the address once requests are answered.

    Raises ValueError for a host that is not loopback, OSError when the port is taken.
    """
    service = Service(
        world,
        api_key=api_key,
        rate_limit=rate_limit,
        burst=burst,
        retry_after=retry_after,
        as_of=as_of,
        faults=faults,
    )
    server, address = _bind(service, host, port)

    def stop(number: int, frame: object) -> None:
        # shutdown() waits for the serving loop, which is this thread.
        threading.Thread(target=server.shutdown, daemon=True).start()

    # Only the main thread may set signal handlers.
    main = threading.current_thread() is threading.main_thread()
    numbers = (signal.SIGTERM, signal.SIGINT) if main else ()
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        if ready is not None:
            ready(address)
        server.serve_forever(poll_interval=0.1)
    finally:
        server.server_close()
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def running(
    world: World,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    api_key: str = "sandbox-key",
    rate_limit: float = 15.0,
    burst: int = 20,
    retry_after: bool = True,
    as_of: datetime | None = None,
    faults: FaultPlan | None = None,
) -> Iterator[Address]:
    """A server in a thread of this process, stopped on leaving; port 0 takes a free one."""
    service = Service(
        world,
        api_key=api_key,
        rate_limit=rate_limit,
        burst=burst,
        retry_after=retry_after,
        as_of=as_of,
        faults=faults,
    )
    server, address = _bind(service, host, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield address
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _bind(service: Service, host: str, port: int) -> tuple[_Server, Address]:
    if host not in LOOPBACK:
        raise ValueError(f"the sandbox serves on loopback only, not on {host}")
    server = _Server((host, port), _handler(service))
    actual = int(server.server_address[1])
    root = f"http://{host}:{actual}"
    return server, Address(base_url=root + PREFIX, root=root, port=actual)


def _handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # one write a response
        timeout = 120

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length > MOST_BYTES:
                self._send(Response(413, b'{"Status":"fail","Error":"body too large"}'))
                self.close_connection = True
                return
            self._answer(self.rfile.read(length))

        def _answer(self, body: bytes) -> None:
            self._send(service.respond(Request(self.command, self.path, self.headers.get("apiKey"), body)))

        def _send(self, response: Response) -> None:
            if response.delay_s:
                time.sleep(response.delay_s)
            self.send_response(response.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(response.body)))
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.body[: response.breaks_after])
            if response.breaks_after is not None:
                self._break(response.is_reset)

        def _break(self, is_reset: bool) -> None:
            """End the connection although the client waits for more."""
            self.wfile.flush()
            self.close_connection = True
            if is_reset:
                # with a linger time of zero the close is a reset; the descriptor is closed here, since a
                # shutdown before it would end the connection in order
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                os.close(self.connection.detach())

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet: a request is not news."""

    return Handler
