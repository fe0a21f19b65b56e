"""One request: the key, refusals, faults that pass, waiting, time-outs. Outages and measurements have own modules."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from daily_profit_model.risk_api import RequestRefused, RiskApi, RiskApiError, ServiceFailing, ServiceUnreachable, ping
from daily_profit_model.risk_api.tries import FIRST_WAIT_S, LONGEST_WAIT_S, STORM
from daily_profit_model_tests.risk_api import scripted_service as scripted
from daily_profit_model_tests.risk_api.conftest import Time
from daily_profit_model_tests.risk_api.scripted_service import KEY, Service

Connect = Callable[..., RiskApi]
ENDPOINT = "v2/trades/open"
ASKED = {"limit": 10}

PASSING = {
    "429": scripted.status(429),
    "429 with Retry-After": scripted.status(429, Retry_After="3"),
    "500": scripted.status(500),
    "503": scripted.status(503),
    "reset": scripted.reset_in_mid_body,
    "closed early": scripted.closed_in_mid_body,
    "truncated": scripted.TRUNCATED,
    "error envelope": scripted.ERROR_ENVELOPE,
    "unknown status": scripted.body(b'{"Status":"partial","Data":{"data":[]}}'),
    "no envelope": scripted.body(b"[1]"),
    "not JSON": scripted.body(b"<html>busy</html>"),
    "not UTF-8": scripted.body(b'{"Status":"ok","Data":{"data":["\xff"]}}'),
}
FAILURES = {name: fault for name, fault in PASSING.items() if not name.startswith("429")}


def test_the_key_goes_in_the_header_and_nowhere_else(
    service: Service, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service.faults = [scripted.status(500)]
    with capture_logs() as logs:
        api = connect()
        api.get(ENDPOINT, ASKED)
    for path, params, headers in service.asked:
        assert headers["apiKey"] == KEY
        assert KEY not in path + str(params)
    assert logs
    assert KEY not in repr(api) + str(logs) + caplog.text


def test_a_wrong_key_fails_at_once_and_names_the_variable_and_not_the_key(service: Service, connect: Connect) -> None:
    with pytest.raises(RequestRefused, match="RISK_API_KEY") as refused:
        ping(connect(api_key="a-wrong-key"))
    assert "401" in str(refused.value)
    assert "a-wrong-key" not in str(refused.value)
    assert len(service.asked) == 1


@pytest.mark.parametrize("code", [200, 401])
@pytest.mark.parametrize("padding", [0, 170, 190])
@pytest.mark.parametrize("key", ['odd"/key\\+&', KEY])
def test_the_words_of_a_service_that_repeats_the_key_are_not_repeated(
    service: Service, connect: Connect, key: str, padding: int, code: int
) -> None:
    """However it is escaped, and where it would be cut off with the message."""
    said = json.dumps({"Status": "fail", "Error": f"{'x' * padding} wrong key {key}"})
    for text in (said, said.replace("/", "\\/")):
        service.faults = [scripted.status(code, text.encode())] * 2
        with pytest.raises(RiskApiError) as failed:
            connect(api_key=key, attempts=2).get(ENDPOINT, ASKED)
        assert "…" in str(failed.value)
        assert key[:5] not in str(failed.value)


@pytest.mark.parametrize("key", ["", "two\nlines", "schlüssel"])
def test_a_key_that_no_header_can_carry_is_refused_before_any_request(connect: Connect, key: str) -> None:
    with pytest.raises(RequestRefused, match="RISK_API_KEY"):
        connect(api_key=key)


@pytest.mark.parametrize("url", ["", "risk.example/api", "ftp://127.0.0.1/"])
def test_a_base_url_that_is_no_address_is_refused(connect: Connect, url: str) -> None:
    with pytest.raises(RequestRefused, match="RISK_API_BASE_URL"):
        RiskApi(url, KEY)


def test_a_missing_trailing_slash_is_added(service: Service, connect: Connect) -> None:
    connect(base_url=service.base_url.rstrip("/")).get(ENDPOINT, ASKED)
    assert service.asked[0][0] == scripted.PREFIX + ENDPOINT


@pytest.mark.parametrize("code", [400, 403, 404, 414])
def test_a_refused_request_fails_at_once_and_blocks_nothing_after_it(
    service: Service, connect: Connect, code: int
) -> None:
    service.faults = [scripted.status(code, b'{"Status":"fail","Error":"bad\\ndate"}')]
    api = connect()
    with pytest.raises(RequestRefused, match=rf"HTTP {code} \(bad date\)") as refused:
        api.get(ENDPOINT, ASKED)
    assert "\n" not in str(refused.value)
    api.get(ENDPOINT, ASKED)
    assert len(service.asked) == 2


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_a_fault_that_passes_is_asked_again(service: Service, connect: Connect, fault: scripted.Fault) -> None:
    service.faults = [fault, fault]
    service.rows[ENDPOINT] = [{"a": 1}]
    assert b'{"a":1}' in connect().get(ENDPOINT, ASKED)
    assert len(service.asked) == 3


@pytest.mark.parametrize("fault", FAILURES.values(), ids=FAILURES.keys())
def test_a_failure_that_stays_is_one_clear_line(service: Service, connect: Connect, fault: scripted.Fault) -> None:
    service.faults = [fault] * 9
    with pytest.raises((ServiceFailing, ServiceUnreachable), match="asked 3 times") as failed:
        connect(attempts=3).get(ENDPOINT, ASKED)
    assert "\n" not in str(failed.value)
    assert ENDPOINT in str(failed.value)
    assert len(service.asked) == 3


def test_retry_after_is_waited_for(service: Service, connect: Connect, passing_time: Time) -> None:
    service.faults = [scripted.status(429, Retry_After="7")]
    connect().get(ENDPOINT, ASKED)
    assert passing_time.now - 1000 >= 7


def test_what_one_request_was_told_to_wait_the_others_wait_too(
    service: Service, connect: Connect, passing_time: Time
) -> None:
    service.faults = [scripted.status(503, Retry_After="7")]
    api = connect()
    with pytest.raises(ServiceFailing):
        api.get(ENDPOINT, ASKED, attempts=1)
    assert passing_time.now == 1000
    api.get(ENDPOINT, ASKED)
    assert passing_time.now >= 1007


def test_being_asked_to_slow_down_uses_up_no_attempt(service: Service, connect: Connect) -> None:
    service.faults = [scripted.status(500), *[scripted.status(429)] * 15, scripted.status(500)]
    _, requests = connect(attempts=3).read(ENDPOINT, ASKED, bytes)
    assert requests == 18


def test_a_storm_of_refusals_is_a_failure_of_the_service(service: Service, connect: Connect) -> None:
    service.faults = [scripted.status(429)] * 99
    with pytest.raises(ServiceFailing, match=f"asked {STORM + 1} times .last: HTTP 429") as failed:
        connect().get(ENDPOINT, ASKED)
    assert "\n" not in str(failed.value)


def test_a_storm_without_retry_after_is_waited_for_about_half_a_minute(
    service: Service, connect: Connect, passing_time: Time
) -> None:
    service.faults = [scripted.status(429)] * 99
    with pytest.raises(ServiceFailing):
        connect(rate=15, burst=20).get(ENDPOINT, ASKED)
    assert 10 <= passing_time.now - 1000 <= 40


def test_back_off_doubles_with_full_jitter_and_stays_bounded(
    service: Service, connect: Connect, passing_time: Time
) -> None:
    service.faults = [scripted.status(500)] * 9
    with pytest.raises(ServiceFailing):
        connect(attempts=9).get(ENDPOINT, ASKED)
    assert len(passing_time.sleeps) == 8
    for nth, wait in enumerate(passing_time.sleeps):
        assert 0 <= wait <= min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**nth)
    assert len(set(passing_time.sleeps)) > 1


def test_a_service_that_asks_for_an_hour_is_not_waited_for(
    service: Service, connect: Connect, passing_time: Time
) -> None:
    service.faults = [scripted.status(503, Retry_After="3600")]
    with pytest.raises(ServiceFailing, match="3,600 s"):
        connect().get(ENDPOINT, ASKED)
    assert passing_time.sleeps == []


def test_silence_is_a_time_out_and_asked_again(service: Service, connect: Connect) -> None:
    service.faults = [scripted.silence(0.4)]
    connect(timeout=0.1).get(ENDPOINT, ASKED)
    assert len(service.asked) == 2


def test_an_unreachable_host_is_named_with_its_variable(connect: Connect) -> None:
    with pytest.raises(ServiceUnreachable, match=r"127\.0\.0\.1:9.*RISK_API_BASE_URL") as failed:
        ping(connect(base_url="http://127.0.0.1:9/api"))
    assert "Connection refused" in str(failed.value)


def test_a_redirect_is_not_followed_because_it_would_carry_the_key_along(service: Service, connect: Connect) -> None:
    service.faults = [scripted.status(302, Location=f"{service.base_url}elsewhere")]
    with pytest.raises(RequestRefused, match="redirect"):
        connect().get(ENDPOINT, ASKED)
    assert len(service.asked) == 1


def test_many_requests_share_one_connection(service: Service, connect: Connect) -> None:
    api = connect()
    for _ in range(10):
        api.get(ENDPOINT, ASKED)
    assert len(service.connections) == 1
