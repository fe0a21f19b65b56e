"""A host that fails: one breaker for all questions and clients, pauses that are outlived, and a quick end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from daily_profit_model.risk_api import RequestRefused, RiskApi, ServiceFailing, ServiceUnreachable
from daily_profit_model.risk_api.gate import Gate, Limits
from daily_profit_model_tests.risk_api import scripted_service as scripted
from daily_profit_model_tests.risk_api.conftest import Time
from daily_profit_model_tests.risk_api.scripted_service import Service

Connect = Callable[..., RiskApi]
ENDPOINTS = ("v2/metrics/alltime", "v2/metrics/daily", "v2/metrics/hourly", "v2/trades/closed", "v2/trades/open")
ASKED = {"limit": 10}


@pytest.fixture
def gate(passing_time: Time) -> Gate:
    return Gate("host", Limits(rate=1e6), clock=passing_time.clock, sleep=passing_time.sleep)


def failing_until(passing_time: Time, end: float, fault: scripted.Fault) -> scripted.Fault:
    """A service that fails until `end`, simulated seconds from the start."""
    good = scripted.body(b'{"Status":"ok","Data":{"data":[],"total":0}}')
    return lambda handler: (fault if passing_time.now < 1000 + end else good)(handler)


@pytest.mark.parametrize(
    "fault", [scripted.status(500), scripted.reset_in_mid_body, scripted.TRUNCATED], ids=["500", "reset", "truncated"]
)
@pytest.mark.parametrize("seconds", [5, 20, 27])
def test_an_outage_in_the_middle_is_a_pause_and_not_a_failure(
    service: Service, connect: Connect, passing_time: Time, fault: scripted.Fault, seconds: int
) -> None:
    api = connect()
    api.get(ENDPOINTS[0], ASKED)
    service.faults = [failing_until(passing_time, seconds, fault)] * 99
    api.get(ENDPOINTS[0], ASKED)
    assert seconds <= passing_time.now - 1000 <= seconds + 5


def test_a_dead_service_fails_all_tables_of_a_run_within_half_a_minute_and_few_lines(
    service: Service, connect: Connect, passing_time: Time, gate: Gate
) -> None:
    service.faults = [scripted.status(500)] * 999
    with capture_logs() as logs:
        for endpoint in ENDPOINTS:
            with pytest.raises(ServiceFailing, match="start again later") as failed:
                connect(gate=gate).get(endpoint, ASKED)
            assert "\n" not in str(failed.value)
    assert passing_time.now - 1000 <= 31
    assert [line["event"] for line in logs if line["log_level"] != "info"] == ["risk_api_breaker_open"]
    assert len(service.asked) < 30


def test_the_error_says_that_the_breaker_is_open_since_when_and_after_what(
    service: Service, connect: Connect, passing_time: Time, gate: Gate
) -> None:
    service.faults = [scripted.status(503)] * 999
    message = (
        r"^v2/metrics/alltime at 127\.0\.0\.1:\d+: the circuit breaker is open, \d+ requests in a row failed since "
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \(last: HTTP 503\): start again later$"
    )
    with pytest.raises(ServiceFailing, match=message):
        connect(gate=gate).get(ENDPOINTS[0], ASKED)


def test_clients_of_one_host_share_its_breaker(service: Service, connect: Connect, gate: Gate) -> None:
    service.faults = [scripted.status(500)] * 999
    with pytest.raises(ServiceFailing):
        connect(gate=gate).get(ENDPOINTS[0], ASKED)
    asked = len(service.asked)
    with pytest.raises(ServiceFailing, match="breaker"):
        connect(gate=gate).get(ENDPOINTS[1], ASKED)
    assert len(service.asked) - asked <= 1
    assert gate.state == "open"


def test_a_host_that_is_back_is_asked_as_ever(service: Service, connect: Connect, passing_time: Time) -> None:
    api = connect()
    service.faults = [scripted.status(500)] * 11
    api.get(ENDPOINTS[0], ASKED)
    sleeps = len(passing_time.sleeps)
    for _ in range(5):
        api.get(ENDPOINTS[0], ASKED)
    assert len(passing_time.sleeps) == sleeps


@pytest.mark.parametrize("code", [302, 400, 401, 404, 414])
def test_a_wrong_request_does_not_count_against_the_service(
    service: Service, connect: Connect, gate: Gate, code: int
) -> None:
    service.faults = [scripted.status(code)] * 30
    api = connect(gate=gate)
    for _ in range(30):
        with pytest.raises(RequestRefused):
            api.get(ENDPOINTS[0], ASKED)
    assert gate.state == "closed"
    api.get(ENDPOINTS[0], ASKED)


def test_being_asked_to_slow_down_does_not_open_the_breaker(service: Service, connect: Connect, gate: Gate) -> None:
    service.faults = [scripted.status(429)] * 15
    connect(gate=gate).get(ENDPOINTS[0], ASKED)
    assert gate.state == "closed"


def test_a_storm_of_refusals_counts_once_each_time(service: Service, connect: Connect, passing_time: Time) -> None:
    gate = Gate("host", Limits(1e6, breaker_failures=2), clock=passing_time.clock, sleep=passing_time.sleep)
    service.faults = [scripted.status(429)] * 999
    for state in ("closed", "open"):
        with pytest.raises(ServiceFailing, match="HTTP 429"):
            connect(gate=gate).get(ENDPOINTS[0], ASKED)
        assert gate.state == state


def test_a_probe_that_is_asked_to_slow_down_shows_that_the_host_is_back(
    service: Service, connect: Connect, gate: Gate
) -> None:
    service.faults = [*[scripted.status(500)] * 10, scripted.status(429)]
    connect(gate=gate).get(ENDPOINTS[0], ASKED)
    assert gate.state == "closed"
    assert len(service.asked) == 12


def test_an_unreachable_host_is_told_from_a_failing_one(connect: Connect, passing_time: Time) -> None:
    with pytest.raises(ServiceUnreachable, match="Connection refused.*RISK_API_BASE_URL"):
        connect(base_url="http://127.0.0.1:9/api", attempts=3).get(ENDPOINTS[0], ASKED)
