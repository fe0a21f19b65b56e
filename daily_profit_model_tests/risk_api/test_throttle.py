"""The token bucket: the rate holds in every window, for any threads."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daily_profit_model.risk_api.throttle import TokenBucket
from daily_profit_model_tests.risk_api.conftest import Time


@given(
    pauses=st.lists(st.floats(0, 3), min_size=1, max_size=80),
    rate=st.floats(0.5, 50),
    burst=st.integers(1, 20),
)
def test_no_window_ever_sees_more_than_the_burst_and_the_rate(pauses: list[float], rate: float, burst: int) -> None:
    passing = Time()
    bucket = TokenBucket(rate, burst, clock=passing.clock, sleep=passing.sleep)
    left = []
    for pause in pauses:
        passing.now += pause
        bucket.take()
        left.append(passing.now)
    for first in range(len(left)):
        for last in range(first, len(left)):
            assert last - first + 1 <= burst + rate * (left[last] - left[first]) + 1e-6


def test_threads_share_one_limit() -> None:
    bucket = TokenBucket(100, 5, clock=time.monotonic, sleep=time.sleep)
    left: list[float] = []

    def work() -> None:
        for _ in range(10):
            bucket.take()
            left.append(time.monotonic())

    threads = [threading.Thread(target=work) for _ in range(4)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started >= (40 - 5) / 100 - 0.01
    # reserved in order: nobody is pushed back for ever
    assert max(later - earlier for earlier, later in pairwise(sorted(left))) < 0.2


def test_a_hold_stops_everyone_and_gives_no_burst_afterwards() -> None:
    passing = Time()
    bucket = TokenBucket(10, 20, clock=passing.clock, sleep=passing.sleep)
    bucket.hold(5)
    bucket.take()
    assert passing.now == pytest.approx(1005)
    bucket.take()
    assert passing.now == pytest.approx(1005.1)


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_bucket_that_lets_nothing_pass_is_refused(rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match="rate above 0"):
        TokenBucket(rate, burst, clock=time.monotonic, sleep=time.sleep)
