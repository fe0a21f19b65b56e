"""The rate: never beyond the limit whatever the network does, close to any limit that the service really has."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daily_profit_model.risk_api.rate_control import RateControl
from daily_profit_model_tests.risk_api.limited_service import StrictBucket, simulate

RETRY_AFTER = pytest.mark.parametrize("retry_after", [0.0, 1.0], ids=["without Retry-After", "with Retry-After"])


@settings(max_examples=60, deadline=None)
@given(
    slowest=st.floats(0.0, 3.0),
    workers=st.integers(1, 40),
    rate=st.floats(0.5, 50),
    burst=st.integers(2, 30),
    pauses=st.lists(st.sampled_from([0.0, 0.0, 0.01, 1.0, 5.0]), min_size=1, max_size=20),
    seed=st.integers(0, 1000),
)
def test_a_strict_service_refuses_nothing_whatever_the_network_does_to_the_gaps(
    slowest: float, workers: int, rate: float, burst: int, pauses: list[float], seed: int
) -> None:
    arrivals = simulate(
        StrictBucket(lambda _: rate, burst),
        seconds=30,
        rate=rate,
        burst=burst,
        workers=workers,
        latency=(0.0, slowest),
        pauses=lambda answer: pauses[answer % len(pauses)],
        seed=seed,
    )
    assert arrivals.seen
    assert arrivals.refused() == 0


@pytest.mark.parametrize("latency", [(0.001, 0.002), (0.005, 0.05), (0.1, 0.6), (0.5, 0.9)])
def test_the_default_limit_is_used_to_more_than_95_percent_and_never_exceeded(latency: tuple[float, float]) -> None:
    arrivals = simulate(StrictBucket(lambda _: 15.0, 20), seconds=120, latency=latency, workers=16)
    assert arrivals.refused() == 0
    assert arrivals.rate(30, 120) >= 0.99 * 15


def test_counting_from_the_sending_would_exceed_the_limit() -> None:
    """The fault that the accounting by answers is there for: slow requests first, then quick ones."""

    class FromTheSending(RateControl):
        def sent(self, now: float) -> None:
            super().sent(now)
            super().answered(now)

        def answered(self, now: float) -> None:
            self._learnt.accepted()

    bucket = StrictBucket(lambda _: 15.0, 20)
    control, refused, late = FromTheSending(15.0, 20, 0.0), 0, []
    now = 0.0
    while now < 30:
        due_in = control.wait(now)
        now += due_in
        control.sent(now)
        late.append(now + (0.9 if int(now) % 5 < 4 else 0.01))
    for at in sorted(late):
        refused += not bucket.accepts(at)
    assert refused


@RETRY_AFTER
@pytest.mark.parametrize("burst", [5, 20])
@pytest.mark.parametrize("limit", [2.0, 5.0, 10.0])
def test_a_lower_limit_of_the_service_is_found_and_kept_to(limit: float, burst: int, retry_after: float) -> None:
    arrivals = simulate(StrictBucket(lambda _: limit, burst), seconds=600, retry_after=retry_after)
    assert arrivals.rate(60, 180) >= 0.9 * limit
    assert arrivals.rate(180, 600) == pytest.approx(limit, rel=0.1)
    assert arrivals.refused_share(60, 600) < 0.03
    assert arrivals.refused_share(180, 600) < 0.015


@RETRY_AFTER
@pytest.mark.parametrize("latency", [(0.001, 0.002), (0.1, 0.6)])
def test_five_a_second_are_settled_for_on_quick_and_slow_networks(
    latency: tuple[float, float], retry_after: float
) -> None:
    arrivals = simulate(StrictBucket(lambda _: 5.0, 20), seconds=300, retry_after=retry_after, latency=latency)
    assert arrivals.rate(60, 300) == pytest.approx(5.0, rel=0.05)
    assert arrivals.refused_share(60, 300) < 0.01


@RETRY_AFTER
def test_the_configured_limit_of_the_service_with_a_smaller_burst_costs_a_few_refusals(retry_after: float) -> None:
    arrivals = simulate(StrictBucket(lambda _: 15.0, 5), seconds=600, retry_after=retry_after)
    assert arrivals.rate(180, 600) >= 0.95 * 15
    assert arrivals.refused_share(60, 600) < 0.01


@RETRY_AFTER
def test_a_limit_that_is_lifted_after_ten_minutes_is_used_again_within_four(retry_after: float) -> None:
    bucket = StrictBucket(lambda now: 5.0 if now < 600 else 15.0, 20)
    arrivals = simulate(bucket, seconds=900, retry_after=retry_after)
    assert arrivals.rate(300, 600) == pytest.approx(5.0, rel=0.05)
    assert arrivals.rate(840, 900) >= 0.95 * 15
    assert all(ok for at, ok in arrivals.seen if at > 660)


@RETRY_AFTER
def test_a_limit_that_is_lowered_meanwhile_is_found_within_a_minute(retry_after: float) -> None:
    bucket = StrictBucket(lambda now: 15.0 if now < 60 else 5.0, 20)
    arrivals = simulate(bucket, seconds=300, retry_after=retry_after)
    assert arrivals.refused_share(120, 300) < 0.015
    assert arrivals.rate(120, 300) == pytest.approx(5.0, rel=0.1)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("share", [0.01, 0.02, 0.04])
def test_refusals_that_come_whatever_the_rate_leave_most_of_it(share: float, seed: int) -> None:
    bucket = StrictBucket(lambda _: 15.0, 20, stray_share=share, chance=random.Random(seed))
    assert simulate(bucket, seconds=600).rate(60, 600) >= 9


@pytest.mark.parametrize("share", [0.01, 0.04])
def test_where_strays_come_as_well_a_lower_limit_is_not_run_against(share: float) -> None:
    arrivals = simulate(StrictBucket(lambda _: 5.0, 20, stray_share=share), seconds=600)
    assert 2.0 <= arrivals.rate(60, 600) <= 5.0
    assert arrivals.refused_share(60, 600) < 0.12


def test_what_was_learnt_of_strays_does_not_hide_a_limit_that_comes_later() -> None:
    bucket = StrictBucket(lambda now: 15.0 if now < 300 else 5.0, 20, stray_share=0.03)
    arrivals = simulate(bucket, seconds=900)
    assert arrivals.rate(60, 300) >= 9
    assert arrivals.refused_share(420, 900) < 0.12


def test_refusals_that_were_in_flight_together_lower_the_rate_once() -> None:
    control = RateControl(15.0, 20, 0.0)
    for _ in range(4):
        control.sent(0.0)
    lowered = [control.refused(0.0, 0.1) for _ in range(4)]
    assert lowered == [True, False, False, False]
    assert control.rate(0.1) == pytest.approx(0.7 * 15 * 0.995)
    control.sent(0.2)
    assert control.refused(0.2, 0.3)


def test_refusals_push_the_rate_down_to_a_fifteenth_and_no_further() -> None:
    control, now = RateControl(15.0, 20, 0.0), 0.0
    for _ in range(100):
        now += max(control.wait(now), 0.001)
        control.sent(now)
        control.refused(now, now)
    assert control.rate(now) == pytest.approx(15 * 0.995 / 15)


def test_a_hold_lets_nothing_pass_and_no_burst_follows_it() -> None:
    control = RateControl(10.0, 20, 0.0)
    control.hold(5.0, 0.0)
    assert control.wait(1.0) == pytest.approx(4.0)
    assert control.wait(5.0) == 0
    control.sent(5.0)
    assert control.wait(5.0) == pytest.approx(0.1, rel=0.01)
    control.answered(5.05)
    assert control.wait(5.05) == pytest.approx(0.05, rel=0.02)


def test_a_hold_counts_what_is_in_flight_from_its_end_on() -> None:
    control = RateControl(10.0, 20, 0.0)
    control.sent(0.0)
    control.hold(5.0, 0.0)
    assert control.wait(0.0) == pytest.approx(5.1, rel=0.01)


def test_what_is_in_flight_is_not_earned_back_before_its_answer() -> None:
    control = RateControl(10.0, 4, 0.0)
    for _ in range(3):
        assert control.wait(0.0) == 0
        control.sent(0.0)
    assert control.wait(100.0) == math.inf
    control.answered(100.0)
    assert control.wait(100.0) == pytest.approx(0.1, rel=0.01)
    control.withdrawn()
    assert control.wait(100.0) == 0


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_limit_that_lets_nothing_pass_is_refused(rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match="rate above 0"):
        RateControl(rate, burst, 0.0)
