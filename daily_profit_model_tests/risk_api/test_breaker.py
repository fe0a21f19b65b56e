"""The circuit breaker: when it opens, who may probe, how long it is waited for, and what it says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from daily_profit_model.risk_api.breaker import Breaker, BreakerOpen
from daily_profit_model_tests.risk_api.conftest import Time

MakeBreaker = Callable[..., Breaker]


@pytest.fixture
def make(passing_time: Time) -> MakeBreaker:
    def breaker(failures: int = 3, pause: float = 5.0, patience: float = 35.0) -> Breaker:
        return Breaker(
            "host",
            failures=failures,
            pause=pause,
            patience=patience,
            clock=passing_time.clock,
            sleep=passing_time.sleep,
            now=lambda: datetime(2026, 6, 1, 5, 0, tzinfo=UTC) + timedelta(seconds=passing_time.now - 1000),
        )

    return breaker


def fail(breaker: Breaker, times: int = 1) -> list[bool]:
    return [breaker.failed(breaker.enter(), "HTTP 500") for _ in range(times)]


def test_it_opens_at_the_last_of_the_failures_in_a_row(make: MakeBreaker) -> None:
    breaker = make(failures=3)
    assert fail(breaker, 3) == [False, False, True]
    assert breaker.state == "open"


def test_a_success_in_between_begins_the_count_anew(make: MakeBreaker) -> None:
    breaker = make(failures=3)
    fail(breaker, 2)
    breaker.succeeded(breaker.enter())
    assert fail(breaker, 2) == [False, False]
    assert breaker.state == "closed"


def test_what_says_nothing_of_the_host_neither_counts_nor_begins_anew(make: MakeBreaker) -> None:
    breaker = make(failures=3)
    fail(breaker, 2)
    breaker.unused(breaker.enter())
    assert fail(breaker) == [True]


def test_while_it_is_open_the_next_request_waits_for_the_pause_and_is_the_probe(
    make: MakeBreaker, passing_time: Time
) -> None:
    breaker = make(failures=3, pause=5)
    fail(breaker, 3)
    granted = breaker.enter()
    assert passing_time.now == pytest.approx(1005)
    assert granted.is_probe
    assert breaker.state == "half-open"


def test_a_probe_that_succeeds_closes_it(make: MakeBreaker) -> None:
    breaker = make(failures=3)
    fail(breaker, 3)
    breaker.succeeded(breaker.enter())
    assert breaker.state == "closed"
    assert not breaker.enter().is_probe


def test_a_probe_that_fails_begins_the_pause_anew_and_is_no_new_opening(make: MakeBreaker, passing_time: Time) -> None:
    breaker = make(failures=3, pause=5)
    fail(breaker, 3)
    assert fail(breaker) == [False]
    assert breaker.state == "open"
    assert breaker.enter().is_probe
    assert passing_time.now == pytest.approx(1010)


def test_only_one_request_is_the_probe_and_the_others_wait_for_it(make: MakeBreaker, passing_time: Time) -> None:
    breaker = make(failures=1, patience=1e9)
    fail(breaker)
    probe = breaker.enter()
    entered: list[bool] = []
    others = [threading.Thread(target=lambda: entered.append(breaker.enter().is_probe)) for _ in range(4)]
    for other in others:
        other.start()
    while len(passing_time.sleeps) < 20:
        pass
    assert entered == []
    breaker.succeeded(probe)
    for other in others:
        other.join(10)
    assert entered == [False] * 4


def test_a_probe_that_is_given_up_makes_way_for_another(make: MakeBreaker) -> None:
    breaker = make(failures=1)
    fail(breaker)
    breaker.unused(breaker.enter())
    assert breaker.enter().is_probe


def test_a_request_that_was_under_way_when_it_opened_does_not_lengthen_the_outage(
    make: MakeBreaker, passing_time: Time
) -> None:
    breaker = make(failures=2, pause=5)
    late = breaker.enter()
    fail(breaker, 2)
    passing_time.now += 4
    assert breaker.is_shut_to(late)
    assert not breaker.failed(late, "HTTP 500")
    breaker.enter()
    assert passing_time.now == pytest.approx(1005)


def test_a_late_answer_from_before_shows_that_the_host_works(make: MakeBreaker) -> None:
    breaker = make(failures=2)
    late = breaker.enter()
    fail(breaker, 2)
    breaker.succeeded(late)
    assert breaker.state == "closed"


@pytest.mark.parametrize("seconds_between_failures", [0.0, 0.5, 2.6])
def test_an_outage_shorter_by_a_pause_is_outlived_and_a_longer_one_fails_within_the_patience(
    make: MakeBreaker, passing_time: Time, seconds_between_failures: float
) -> None:
    breaker = make(failures=10, pause=3, patience=30)
    with pytest.raises(BreakerOpen):
        while True:
            last_asked_at = passing_time.now
            granted = breaker.enter()
            last_asked_at = passing_time.now
            breaker.failed(granted, "HTTP 500")
            if breaker.state == "closed":
                passing_time.now += seconds_between_failures
    assert last_asked_at >= 1000 + 27
    assert passing_time.now <= 1000 + 30


def test_what_comes_after_the_patience_fails_at_once_but_for_one_probe_a_pause(
    make: MakeBreaker, passing_time: Time
) -> None:
    breaker = make(failures=1, pause=5, patience=12)
    fail(breaker)
    passing_time.now += 100
    probe = breaker.enter()
    assert probe.is_probe
    breaker.failed(probe, "HTTP 500")
    before = len(passing_time.sleeps)
    for _ in range(3):
        with pytest.raises(BreakerOpen):
            breaker.enter()
    assert len(passing_time.sleeps) == before


def test_failures_of_long_ago_are_no_part_of_an_outage_of_now(make: MakeBreaker, passing_time: Time) -> None:
    breaker = make(failures=3, patience=35)
    fail(breaker, 2)
    passing_time.now += 601
    assert fail(breaker) == [False]
    assert fail(breaker, 2) == [False, True]
    assert breaker.enter().is_probe


def test_long_after_an_outage_requests_beside_the_probe_wait_for_what_it_says(
    make: MakeBreaker, passing_time: Time
) -> None:
    breaker = make(failures=1, patience=35)
    fail(breaker)
    passing_time.now += 3600
    probe = breaker.enter()
    threading.Timer(0.05, breaker.succeeded, [probe]).start()
    assert not breaker.enter().is_probe


def test_it_says_since_when_after_how_many_failures_and_what_the_last_was(
    make: MakeBreaker, passing_time: Time
) -> None:
    breaker = make(failures=3, pause=5, patience=6)
    fail(breaker, 3)
    passing_time.now += 5
    breaker.failed(breaker.enter(), "HTTP 503")
    with pytest.raises(BreakerOpen) as still:
        breaker.enter()
    assert str(still.value) == (
        "the circuit breaker is open, 4 requests in a row failed since 2026-06-01 05:00:00 UTC (last: HTTP 503)"
    )


def test_opening_and_closing_are_one_line_each(make: MakeBreaker, passing_time: Time) -> None:
    breaker = make(failures=3)
    with capture_logs() as logs:
        fail(breaker, 6)
        passing_time.now += 5
        breaker.succeeded(breaker.enter())
    assert [line["event"] for line in logs] == ["risk_api_breaker_open", "risk_api_breaker_closed"]
