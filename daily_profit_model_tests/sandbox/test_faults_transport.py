"""Answers that a plan spoils: each kind really occurs over HTTP, and passes when the request is repeated."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
import requests

from daily_profit_model.sandbox.faults.plan import KINDS, TRANSPORT, FaultPlan
from daily_profit_model.sandbox.faults.transport import MOST_IN_A_ROW, MOST_TOGETHER
from daily_profit_model.sandbox.server import Address, running
from daily_profit_model.sandbox.world import World
from daily_profit_model_tests.sandbox.client import DAY, KEY, get

ENDPOINT = "v2/metrics/daily"


@contextmanager
def faulty(world: World, seed: int = 1, slow_seconds: float = 1.5, **rates: float) -> Iterator[Address]:
    with running(world, api_key=KEY, rate_limit=0, faults=FaultPlan(seed, rates, slow_seconds)) as address:
        yield address


def met(address: Address) -> dict[str, int]:
    found: dict[str, int] = requests.get(f"{address.root}/sandbox/faults", headers={"apiKey": KEY}, timeout=30).json()
    return found


def test_429_comes_with_and_without_retry_after(world: World) -> None:
    for kind, header in (("http_429", "1"), ("http_429_bare", None)):
        with faulty(world, **{kind: 1.0}) as address:
            answer = get(address, ENDPOINT, dates=DAY, limit=5)
            assert (answer.status_code, answer.headers.get("Retry-After")) == (429, header)
            assert met(address) == {kind: 1}


def test_server_errors_come_several_in_a_row(world: World) -> None:
    with faulty(world, server_errors=1.0) as address:
        answers = [get(address, ENDPOINT, dates=DAY, limit=5).status_code for _ in range(40)]
        assert set(answers) == {200, 500, 502, 503}
        assert met(address) == {"server_errors": sum(status != 200 for status in answers)}
    with faulty(world, server_errors=0.1) as address:
        answers = [get(address, ENDPOINT, dates=DAY, limit=5).status_code for _ in range(100)]
    runs = "".join("x" if status >= 500 else " " for status in answers).split()
    assert runs
    assert all(2 <= len(run) <= MOST_IN_A_ROW for run in runs)


def test_http_200_can_hold_an_error(world: World) -> None:
    with faulty(world, error_envelope=1.0) as address:
        answers = [get(address, ENDPOINT, dates=DAY, limit=limit) for limit in range(1, 15)]
    envelopes = [answer.json() for answer in answers if answer.json()["Status"] != "ok"]
    assert {answer.status_code for answer in answers} == {200}
    assert {envelope["Status"] for envelope in envelopes} == {"fail", "error"}
    assert all(envelope.get("Error") or envelope.get("Message") for envelope in envelopes)


def test_truncated_json_is_announced_as_whole(world: World) -> None:
    with faulty(world, truncated=1.0) as address:
        answer = get(address, ENDPOINT, dates=DAY, limit=50)
        whole = next(
            again for _ in range(4) if (again := get(address, ENDPOINT, dates=DAY, limit=50)).content[-1:] == b"}"
        )
    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) == len(answer.content) < len(whole.content)
    assert whole.content.startswith(answer.content)
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.content)


def test_a_broken_connection_is_a_reset_or_a_close_in_mid_body(world: World) -> None:
    ends: Counter[str] = Counter()
    with faulty(world, reset=1.0) as address:
        for limit in range(50, 80):
            ends[how_it_ended(address, f"{ENDPOINT}?dates={DAY}&limit={limit}")] += 1
    assert ends["reset"] > ends["closed"] > 0
    assert ends["whole"] > 0  # not more than so many in a row over all requests


def how_it_ended(address: Address, target: str) -> str:
    """Read an answer from the bare socket."""
    path = urlsplit(address.base_url).path
    with socket.create_connection(("127.0.0.1", address.port), timeout=10) as connection:
        connection.sendall(f"GET {path}{target} HTTP/1.1\r\nHost: x\r\napiKey: {KEY}\r\n\r\n".encode())
        received = b""
        while True:
            head, _, body = received.partition(b"\r\n\r\n")
            announced = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length")]
            if announced and len(body) == announced[0]:
                return "whole"
            try:
                part = connection.recv(65536)
            except ConnectionResetError:
                return "reset"
            if not part:
                return "closed"
            received += part


def test_a_slow_answer_comes_after_the_clients_time_out(world: World) -> None:
    with faulty(world, slow_seconds=0.6, slow=1.0) as address:
        url = f"{address.base_url}{ENDPOINT}?dates={DAY}&limit=5"
        with pytest.raises(requests.ReadTimeout):
            requests.get(url, headers={"apiKey": KEY}, timeout=0.3)
        patient = requests.get(url, headers={"apiKey": KEY}, timeout=10)
    assert patient.elapsed.total_seconds() >= 0.6
    assert patient.json()["Data"]["count"] == 5


@pytest.mark.parametrize("kind", [kind for kind in TRANSPORT if kind != "slow"])
def test_a_request_that_is_repeated_is_answered_at_the_fourth_time_at_the_latest(world: World, kind: str) -> None:
    with faulty(world, **{kind: 1.0}) as address:
        for limit in (3, 4, 5):
            assert tries(address, limit) - 1 <= MOST_IN_A_ROW


def tries(address: Address, limit: int) -> int:
    for number in range(1, 20):
        try:
            answer = get(address, ENDPOINT, dates=DAY, limit=limit)
            if answer.status_code == 200 and json.loads(answer.content)["Status"] == "ok":
                return number
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, json.JSONDecodeError):
            pass
    raise AssertionError("never answered")


def test_different_requests_do_not_all_fail_for_long(world: World) -> None:
    with faulty(world, http_429_bare=1.0) as address:
        statuses = [get(address, ENDPOINT, dates=DAY, limit=limit).status_code for limit in range(1, 30)]
    longest = max(map(len, "".join("x" if status == 429 else " " for status in statuses).split()))
    assert longest == MOST_TOGETHER


def test_faults_come_after_the_key_and_the_limit(world: World) -> None:
    plan = FaultPlan(1, {"error_envelope": 1.0})
    with running(world, api_key=KEY, rate_limit=0.001, burst=1, faults=plan) as address:
        assert get(address, ENDPOINT, key="wrong", dates=DAY).status_code == 401
        assert [get(address, ENDPOINT, dates=DAY).status_code for _ in range(2)] == [200, 429]
        assert met(address) == {"error_envelope": 1}


def test_a_random_plan_has_every_kind_and_says_so_again_for_its_seed() -> None:
    plan = FaultPlan.random(5)
    assert set(plan.rates) == set(KINDS)
    assert all(least <= plan.rates[kind] <= most for kind, (least, most) in KINDS.items())
    assert plan == FaultPlan.random(5) != FaultPlan.random(6)


def test_an_unknown_kind_or_a_negative_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="no such fault: earthquake; there are http_429"):
        FaultPlan(1, {"earthquake": 0.1})
    with pytest.raises(ValueError, match="the rate of reset must be a number of at least 0"):
        FaultPlan(1, {"reset": -0.1})


def test_the_command_line_serves_a_faulty_world() -> None:
    command = [sys.executable, "-m", "daily_profit_model.cli", "sandbox", "serve", "--accounts", "20", "--days", "3"]
    command += ["--port", "0", "--key", KEY, "--rate-limit", "0", "--end", "2026-06-30", "--faults", "4"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base = process.stdout.readline().strip().partition("=")[2]
        address = Address(base, base.split("/risk-analytics")[0], int(urlsplit(base).port or 0))
        for limit in range(1, 25):
            tries(address, limit)
        found = met(address)
        process.terminate()
    assert found
