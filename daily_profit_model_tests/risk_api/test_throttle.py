"""Waiting for the rate limit: threads share it, nobody is overtaken, and it is known what was waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from daily_profit_model.risk_api.throttle import Throttle
from daily_profit_model_tests.risk_api.conftest import Time


def together(work: Callable[[int], None], threads: int) -> None:
    running = [threading.Thread(target=work, args=(thread,)) for thread in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(10)
    assert not any(thread.is_alive() for thread in running)


def test_threads_share_one_limit(passing_time: Time) -> None:
    throttle = Throttle(100, 6, clock=passing_time.clock, sleep=passing_time.sleep)
    left: list[float] = []

    def work(_: int) -> None:
        for _ in range(10):
            permit = throttle.take()
            left.append(permit.sent_at)
            throttle.answered(permit)

    together(work, 4)
    assert len(left) == 40
    assert max(left) - 1000 >= (40 - 6) / 100


def test_who_came_first_goes_first_and_nobody_is_left_behind(passing_time: Time) -> None:
    released = threading.Event()

    def sleep(seconds: float) -> None:
        released.wait(10)
        passing_time.sleep(seconds)

    throttle = Throttle(10, 2, clock=passing_time.clock, sleep=sleep)
    throttle.hold(1)
    order: list[int] = []

    def work(thread: int) -> None:
        permit = throttle.take()
        order.append(thread)
        throttle.answered(permit)

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(6)]
    for number, thread in enumerate(threads, start=1):
        thread.start()
        while len(throttle._queue) < number:
            time.sleep(0.001)
    released.set()
    for thread in threads:
        thread.join(10)
    assert order == [0, 1, 2, 3, 4, 5]


def test_an_answer_lets_the_next_one_go_where_only_that_can() -> None:
    throttle = Throttle(1000, 2, clock=time.monotonic, sleep=time.sleep)
    first = throttle.take()
    taken = threading.Event()
    waiting = threading.Thread(target=lambda: (throttle.answered(throttle.take()), taken.set()))
    waiting.start()
    assert not taken.wait(0.05)
    throttle.answered(first)
    waiting.join(5)
    assert taken.is_set()


def test_a_permit_that_is_not_used_is_as_if_it_had_not_been_given(passing_time: Time) -> None:
    throttle = Throttle(1, 3, clock=passing_time.clock, sleep=passing_time.sleep)
    for _ in range(10):
        throttle.unused(throttle.take())
    assert passing_time.sleeps == []


def test_a_permit_says_what_was_waited_for(passing_time: Time) -> None:
    throttle = Throttle(10, 2, clock=passing_time.clock, sleep=passing_time.sleep)
    first = throttle.take()
    assert (first.limited_s, first.held_s) == (0, 0)
    throttle.answered(first)
    second = throttle.take()
    assert (second.limited_s, second.held_s) == (pytest.approx(0.1, rel=0.01), 0)
    throttle.answered(second)
    throttle.hold(7)
    third = throttle.take()
    assert third.held_s == pytest.approx(7)
    assert third.limited_s < 0.2


def test_a_hold_that_comes_while_one_waits_is_waited_for_too(passing_time: Time) -> None:
    throttle = Throttle(10, 2, clock=passing_time.clock, sleep=passing_time.sleep)
    throttle.answered(throttle.take())
    sleep = passing_time.sleep

    def sleep_and_be_held(seconds: float) -> None:
        sleep(seconds)
        if len(passing_time.sleeps) == 1:
            throttle.hold(5)

    throttle._sleep = sleep_and_be_held
    assert throttle.take().sent_at >= 1005


def test_a_wait_that_is_interrupted_holds_up_nobody(passing_time: Time) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    throttle = Throttle(1, 2, clock=passing_time.clock, sleep=interrupted)
    throttle.answered(throttle.take())
    with pytest.raises(KeyboardInterrupt):
        throttle.take()
    passing_time.now += 5
    throttle.take()
