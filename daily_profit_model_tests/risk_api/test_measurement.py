"""Every request is measured: what became of it, how long it took, what it waited for, whose state it changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from daily_profit_model.risk_api import RequestRefused, RiskApi, ServiceFailing, ServiceUnreachable
from daily_profit_model.risk_api.envelope import cut
from daily_profit_model.risk_api.gate import Gate, Limits
from daily_profit_model.risk_api.measurement import Measurement
from daily_profit_model.risk_api.tries import STORM
from daily_profit_model_tests.risk_api import scripted_service as scripted
from daily_profit_model_tests.risk_api.conftest import Time
from daily_profit_model_tests.risk_api.scripted_service import Service

Connect = Callable[..., RiskApi]
ENDPOINT = "v2/trades/open"
ASKED = {"limit": 10}
FIVE = datetime(2026, 6, 1, 5, tzinfo=UTC)

OUTCOMES = {
    "http_429": (scripted.status(429), 429),
    "http_5xx": (scripted.status(502), 502),
    "reset": (scripted.reset_in_mid_body, None),
    "reset by a clean end": (scripted.closed_in_mid_body, None),
    "broken_json": (scripted.TRUNCATED, 200),
    "broken_json without an envelope": (scripted.body(b"[1]"), 200),
    "error_envelope": (scripted.ERROR_ENVELOPE, 200),
    "error_envelope of an unknown status": (scripted.body(b'{"Status":"partial","Data":{"data":[]}}'), 200),
    "timeout": (scripted.silence(0.6), None),
    "timeout of a body that drips": (scripted.drip(5.0), None),
    "timeout of a body of no known length": (scripted.drip(5.0, length=None), None),
}


@pytest.fixture
def measured() -> list[Measurement]:
    return []


@pytest.fixture
def measuring(connect: Connect, measured: list[Measurement], passing_time: Time) -> Connect:
    def make(**options: object) -> RiskApi:
        at = {"now": lambda: FIVE + timedelta(seconds=passing_time.now - 1000)}
        return connect(recorder=measured.append, **{**at, **options})

    return make


@pytest.mark.parametrize("name", OUTCOMES)
def test_each_class_of_outcome_is_told_apart(
    service: Service, measuring: Connect, measured: list[Measurement], name: str
) -> None:
    fault, status = OUTCOMES[name]
    service.faults = [fault]
    measuring(timeout=0.3).get(ENDPOINT, ASKED)
    assert [each.outcome for each in measured] == [name.split()[0], "ok"]
    assert (measured[0].status, measured[1].status) == (status, 200)
    assert [each.attempt for each in measured] == [1, 2]
    assert measured[0].rows is None


@pytest.mark.parametrize("code", [302, 400, 401, 404])
def test_a_refused_request_is_measured_too(
    service: Service, measuring: Connect, measured: list[Measurement], code: int
) -> None:
    service.faults = [scripted.status(code)]
    with pytest.raises(RequestRefused):
        measuring().get(ENDPOINT, ASKED)
    assert [(each.outcome, each.status) for each in measured] == [("refused_4xx", code)]


def test_a_connection_that_cannot_be_made_is_measured_too(measuring: Connect, measured: list[Measurement]) -> None:
    with pytest.raises(ServiceUnreachable):
        measuring(base_url="http://127.0.0.1:9/api").get(ENDPOINT, ASKED, attempts=2)
    assert [(each.outcome, each.status, each.bytes) for each in measured] == [("connection", None, 0)] * 2


def test_latency_runs_from_sending_to_the_last_byte_failures_included(
    service: Service, measuring: Connect, measured: list[Measurement], passing_time: Time
) -> None:
    def slowly(handler: object) -> None:
        passing_time.now += 3
        scripted.status(500)(handler)  # type: ignore[arg-type]  # a handler

    service.faults = [slowly]
    service.before_page = lambda number, _: setattr(passing_time, "now", passing_time.now + (number == 2))
    measuring().get(ENDPOINT, ASKED)
    assert [each.latency_s for each in measured] == [pytest.approx(3), pytest.approx(1)]


def test_rows_and_bytes_of_a_page_are_known(service: Service, measuring: Connect, measured: list[Measurement]) -> None:
    service.rows[ENDPOINT] = [{"a": 1}] * 7
    api = measuring()
    envelope, _ = api.read(ENDPOINT, ASKED, cut)
    assert (measured[0].rows, envelope.count) == (7, 7)
    assert measured[0].bytes == len(api.get(ENDPOINT, ASKED))
    assert measured[1].rows is None  # nobody says how many
    api.read(ENDPOINT, ASKED, len, rows_of=lambda length: length * 2)
    assert measured[2].rows == 2 * measured[0].bytes


def test_when_it_was_sent_is_an_instant_in_utc(
    service: Service, measuring: Connect, measured: list[Measurement]
) -> None:
    service.faults = [scripted.status(503, Retry_After="90")]
    measuring().get(ENDPOINT, ASKED)
    assert [each.started_at for each in measured] == [FIVE, FIVE + timedelta(seconds=90)]


def test_waits_for_the_rate_and_for_the_service_are_told_apart(
    service: Service, measuring: Connect, measured: list[Measurement]
) -> None:
    api = measuring(rate=2, burst=2)
    api.get(ENDPOINT, ASKED)
    api.get(ENDPOINT, ASKED)
    service.faults = [scripted.status(503, Retry_After="9")]
    api.get(ENDPOINT, ASKED)
    assert [round(each.limited_s, 1) for each in measured] == [0.0, 0.5, 0.5, 0.5]
    assert [round(each.held_s, 1) for each in measured] == [0.0, 0.0, 0.0, 9.0]


def test_back_off_and_the_wait_for_a_probe_are_waits_because_of_a_failure(
    service: Service, measuring: Connect, measured: list[Measurement], passing_time: Time
) -> None:
    service.faults = [scripted.status(500)] * 11
    measuring().get(ENDPOINT, ASKED)
    assert sum(each.held_s for each in measured) == pytest.approx(passing_time.now - 1000)
    assert sum(each.limited_s for each in measured) == pytest.approx(0, abs=1e-3)


def test_the_breakers_state_and_opening_are_measured(
    service: Service, measuring: Connect, measured: list[Measurement]
) -> None:
    service.faults = [scripted.status(500)] * 11
    measuring().get(ENDPOINT, ASKED)
    assert [each.opened_breaker for each in measured] == [*[False] * 9, True, False, False]
    assert [each.breaker_state for each in measured] == [*["closed"] * 9, "open", "open", "closed"]


def test_requests_of_many_threads_are_all_measured(
    service: Service, measuring: Connect, measured: list[Measurement]
) -> None:
    api = measuring()
    threads = [threading.Thread(target=api.get, args=(ENDPOINT, ASKED)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [each.outcome for each in measured] == ["ok"] * 20


def test_a_storm_is_measured_request_by_request(
    service: Service, measuring: Connect, measured: list[Measurement]
) -> None:
    service.faults = [scripted.status(429)] * 99
    with pytest.raises(ServiceFailing):
        measuring().get(ENDPOINT, ASKED)
    assert {each.outcome for each in measured} == {"http_429"}
    assert [each.attempt for each in measured] == list(range(1, len(service.asked) + 1))


def test_a_storm_that_opens_the_breaker_is_measured_as_that(
    service: Service, connect: Connect, measured: list[Measurement], passing_time: Time
) -> None:
    gate = Gate("host", Limits(1e6, breaker_failures=1), clock=passing_time.clock, sleep=passing_time.sleep)
    service.faults = [scripted.status(429)] * 99
    with pytest.raises(ServiceFailing):
        connect(gate=gate, recorder=measured.append).get(ENDPOINT, ASKED)
    assert [each.opened_breaker for each in measured] == [*[False] * STORM, True]
