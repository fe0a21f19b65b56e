"""The rate limit counts as the API's description says, and the server remembers what it was asked."""

from __future__ import annotations

import time

import pytest
import requests

from daily_profit_model.sandbox.answers import Request
from daily_profit_model.sandbox.ratelimit import Bucket
from daily_profit_model.sandbox.server import running
from daily_profit_model.sandbox.service import PREFIX, Service
from daily_profit_model.sandbox.world import World
from daily_profit_model_tests.sandbox.client import DAY, KEY, get


class At:
    """A clock that stands where it is set."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def asked(service: Service, target: str = "accounts?limit=1") -> tuple[int, str | None]:
    answer = service.respond(Request("GET", PREFIX + target, KEY))
    return answer.status, answer.headers.get("Retry-After")


def test_after_a_rest_twenty_requests_pass_at_once_and_not_one_more(world: World) -> None:
    service = Service(world, api_key=KEY, timer=At())
    assert [asked(service)[0] for _ in range(21)] == [200] * 20 + [429]


def test_in_the_long_run_fifteen_a_second_pass_and_not_one_more(world: World) -> None:
    clock = At()
    service = Service(world, api_key=KEY, timer=clock)
    passed = 0
    for millisecond in range(60_000):
        clock.now = 1000.0 + millisecond / 1000
        if millisecond % 10 == 0:
            passed += asked(service)[0] == 200
    assert passed == 20 + 899


def test_requests_fifteen_times_a_second_all_pass_even_when_the_burst_is_spent() -> None:
    bucket = Bucket(15.0, 20)
    assert [bucket.take(5.0) for _ in range(20)] == [0.0] * 20
    assert bucket.take(5.0) > 0
    assert all(bucket.take(5.0 + number / 15) == 0.0 for number in range(1, 2000))


def test_a_refused_request_costs_nothing_and_is_told_how_long_to_wait(world: World) -> None:
    clock = At()
    service = Service(world, api_key=KEY, rate_limit=0.4, burst=1, timer=clock)
    assert asked(service) == (200, None)
    assert [asked(service) for _ in range(3)] == [(429, "3")] * 3
    clock.now += 1.6
    assert asked(service) == (429, "1")
    clock.now += 0.9
    assert asked(service) == (200, None)


def test_retry_after_can_be_left_out(world: World) -> None:
    service = Service(world, api_key=KEY, rate_limit=0.4, burst=1, retry_after=False, timer=At())
    assert [asked(service) for _ in range(2)] == [(200, None), (429, None)]


def test_a_wrong_key_does_not_count_against_the_limit(world: World) -> None:
    service = Service(world, api_key=KEY, rate_limit=0.4, burst=1, timer=At())
    assert service.respond(Request("GET", PREFIX + "accounts", "wrong")).status == 401
    assert asked(service) == (200, None)


def test_the_server_tells_what_it_was_asked_and_when(world: World) -> None:
    before = time.monotonic()
    with running(world, api_key=KEY, rate_limit=1.0, burst=1) as address:
        for _ in range(2):
            get(address, "v2/trades/closed", trade_date=DAY, limit=2)
        answer = requests.get(f"{address.root}/sandbox/requests", headers={"apiKey": KEY}, timeout=30)
        nobody = requests.get(f"{address.root}/sandbox/requests", timeout=30)
    log = answer.json()
    assert [entry[1:] for entry in log] == [
        [f"{PREFIX}v2/trades/closed?trade-date={DAY}&limit=2", status] for status in (200, 429)
    ]
    assert before < log[0][0] < log[1][0] < time.monotonic()
    assert nobody.status_code == 401
    assert KEY not in answer.text


@pytest.mark.parametrize("path", ["/sandbox/requests", "/sandbox/faults"])
def test_what_the_server_tells_of_itself_is_only_read(world: World, path: str) -> None:
    service = Service(world, api_key=KEY)
    assert service.respond(Request("POST", path, KEY)).status == 405
    assert service.respond(Request("GET", path, KEY)).status == 200
