"""A service of closed trades that is fast enough never to be what is measured, and remembers what it was asked.

Run: python -m daily_profit_model_tests.benchmarks.trade_server --first 2026-06-01 --days 1 --rows-a-day 500000
     [--rendered] [--pace 0.05]

Prints `RISK_API_BASE_URL=…` when it answers. A thread a connection, bare sockets, pages of `trade_pages`:
`--rendered` makes all of them beforehand, otherwise each is made when it is asked for. GET `/sandbox/requests`:
[monotonic seconds of arrival, target, status, number of the connection, seconds when it was sent or null] of each
request for trades; `/sandbox/count`: how many; `/sandbox/pace?seconds=…`: how long each page is held back from now on.
"""

from __future__ import annotations

import argparse
import itertools
import socket
import socketserver
import threading
import time
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from daily_profit_model_tests.benchmarks.processes import API
from daily_profit_model_tests.benchmarks.trade_pages import BLOCK_ROWS, TradePages

TRADES = f"{API}v2/trades/closed"


class Trades:
    """What is served, and the record of what was asked."""

    def __init__(self, first: date, days: int, rows_a_day: int, pace: float) -> None:
        self.first, self.days, self.rows_a_day, self.pace = first, days, rows_a_day, pace
        self.pages = TradePages(first, rows_a_day)
        self.connections = itertools.count()
        self.asked: list[list[Any]] = []
        self._rendered: dict[tuple[int, int], bytes] = {}

    def render(self) -> None:
        """Make every whole page once."""
        for start in range(0, self.days * self.rows_a_day, BLOCK_ROWS):
            ends = start, min(start + BLOCK_ROWS, self.days * self.rows_a_day)
            self._rendered[ends] = self.pages.rows(*ends)

    def answer(self, target: str) -> tuple[bytes, bytes, bytes]:
        """The body of an answer in three parts: before the rows, the rows, after them."""
        url = urlsplit(target)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/sandbox/requests":
            return b"", orjson.dumps(self.asked), b""
        if url.path == "/sandbox/count":
            return b"", orjson.dumps(len(self.asked)), b""
        if url.path == "/sandbox/pace":
            self.pace = float(asked["seconds"])
            return b"", b"{}", b""
        low, high = self._range(asked) if url.path == TRADES else (0, 0)
        skip, limit = int(asked.get("skip", 0)), int(asked.get("limit", 1000))
        start, end = min(low + skip, high), min(low + skip + limit, high)
        rows = self._rows(start, end) if end > start else b""
        facts = {"total": high - low, "skip": skip, "limit": limit, "count": end - start}
        if asked.get("include-total") != "1":
            del facts["total"]
        if self.pace:
            time.sleep(self.pace)
        return b'{"Status":"ok","Data":{"data":[', rows, b"]," + orjson.dumps(facts)[1:] + b',"Time":"0.01"}'

    def _rows(self, start: int, end: int) -> bytes:
        return self._rendered.get((start, end)) or self.pages.rows(start, end)

    def _range(self, asked: dict[str, str]) -> tuple[int, int]:
        first = self._number(asked.get("trade-date") or asked["trade-date-from"])
        last = self._number(asked.get("trade-date") or asked["trade-date-to"])
        low, high = max(0, first), min(self.days, last + 1)
        return low * self.rows_a_day, max(low, high) * self.rows_a_day

    def _number(self, text: str) -> int:
        return (date(int(text[:4]), int(text[4:6]), int(text[6:])) - self.first).days


class _Connection(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        connection: socket.socket = self.request
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        trades, number = self.server.trades, next(self.server.trades.connections)
        waiting = b""
        while True:
            while b"\r\n\r\n" not in waiting:
                part = connection.recv(65536)
                if not part:
                    return
                waiting += part
            request, _, waiting = waiting.partition(b"\r\n\r\n")
            target = request.split(b" ", 2)[1].decode()
            entry = [time.monotonic(), target, 200, number, None]
            if target.startswith(TRADES):
                trades.asked.append(entry)
            before, rows, after = trades.answer(target)
            length = len(before) + len(rows) + len(after)
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
            connection.sendall(head.encode() + before, socket.MSG_MORE)
            connection.sendall(rows, socket.MSG_MORE)
            connection.sendall(after)
            entry[4] = time.monotonic()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    trades: Trades

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A killed client is what some benchmarks are about."""


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--first", type=date.fromisoformat, required=True)
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--rows-a-day", type=int, required=True)
    parser.add_argument("--rendered", action="store_true")
    parser.add_argument("--pace", type=float, default=0.0)
    asked = parser.parse_args()
    trades = Trades(asked.first, asked.days, asked.rows_a_day, asked.pace)
    if asked.rendered:
        trades.render()
    with _Server(("127.0.0.1", 0), _Connection) as server:
        server.trades = trades
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"RISK_API_BASE_URL=http://127.0.0.1:{server.server_address[1]}{API}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
