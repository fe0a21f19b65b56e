"""The process around the answers: rate limit, threads, loopback, speed, and its end."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from daily_profit_model.sandbox.server import Address, running, serve
from daily_profit_model.sandbox.world import World
from daily_profit_model_tests.sandbox.client import DAY, KEY, get


def test_beyond_the_rate_limit_is_429_with_retry_after(world: World) -> None:
    with running(world, api_key=KEY, rate_limit=2.0, burst=3) as address:
        answers = [get(address, "accounts", limit=1) for _ in range(6)]
    assert [answer.status_code for answer in answers[:3]] == [200] * 3
    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in limited)


def test_many_clients_at_once_get_the_same_answer(address: Address) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: get(address, "v2/metrics/hourly", dates="20260603"), range(16))
        bodies = [answer.content for answer in answers]
    assert len(set(bodies)) == 1


def test_the_server_binds_loopback_only(world: World) -> None:
    with pytest.raises(ValueError, match="loopback only"):
        serve(world, host="0.0.0.0", port=0, api_key=KEY)


def test_a_page_of_a_thousand_trades_is_quick(address: Address) -> None:
    get(address, "v2/trades/closed", trade_date=DAY)
    session = requests.Session()
    session.headers["apiKey"] = KEY
    url = f"{address.base_url}v2/trades/closed?trade-date={DAY}&limit=1000"
    seconds = sorted(session.get(url, timeout=30).elapsed.total_seconds() for _ in range(9))
    assert seconds[0] < 0.010


def test_a_served_process_stops_at_sigterm_within_seconds() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = (
        "from daily_profit_model.sandbox import server, world\n"
        "made = world.generate(world.WorldSettings(accounts=20, days=3, warmup_days=0))\n"
        f"server.serve(made, port={port}, api_key={KEY!r}, ready=lambda at: print(at.base_url, flush=True))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    url = process.stdout.readline().strip()
    answer = requests.get(url + "accounts", headers={"apiKey": KEY}, timeout=30)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    assert answer.ok
    assert len(json.loads(answer.content)["Data"]) >= 20
    assert process.stderr.read() == ""
