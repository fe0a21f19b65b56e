"""Pages that do not fit together, over HTTP, and that they do in the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest

from daily_profit_model.sandbox.faults.paging import UNSTEADY_ROUNDS
from daily_profit_model.sandbox.faults.plan import PAGING, FaultPlan
from daily_profit_model.sandbox.server import Address, running
from daily_profit_model.sandbox.world import World
from daily_profit_model_tests.sandbox.client import DAY, KEY, get

ENDPOINT = "v2/trades/closed"


@contextmanager
def unsteady(world: World, seed: int = 1, **rates: float) -> Iterator[Address]:
    with running(world, api_key=KEY, rate_limit=0, faults=FaultPlan(seed, rates)) as address:
        yield address


def page(address: Address, skip: int, limit: int, endpoint: str = ENDPOINT, day: str = DAY) -> dict[str, Any]:
    dated = {"dates": day} if "metrics" in endpoint else {"trade_date": day}
    found: dict[str, Any] = get(address, endpoint, limit=limit, skip=skip, include_total=1, **dated).json()["Data"]
    assert found["count"] == len(found["data"]) <= limit
    assert (found["skip"], found["limit"]) == (skip, limit)
    return found


def one_round(address: Address, limit: int = 400, **asked: str) -> tuple[list[bytes], list[int], list[int]]:
    """All rows as they came, the totals that the pages told, and the rows of each page."""
    rows: list[bytes] = []
    totals, counts = [], []
    while not totals or len(rows) < totals[-1]:
        found = page(address, len(rows), limit, **asked)
        assert found["data"]
        rows += map(orjson.dumps, found["data"])
        totals.append(found["total"])
        counts.append(found["count"])
    return rows, totals, counts


@pytest.fixture
def steady(address: Address) -> list[bytes]:
    """The rows of the day as a service without faults gives them."""
    return one_round(address)[0]


def test_rows_appear_while_a_question_is_paged_and_then_stay(world: World, steady: list[bytes]) -> None:
    grew = 0
    with unsteady(world, inserted=1.0) as address:
        for _ in range(UNSTEADY_ROUNDS):
            _, totals, _ = one_round(address)
            assert totals == sorted(totals)
            grew += totals[0] < totals[-1]
        assert grew > 0
        for _ in range(2):
            rows, totals, _ = one_round(address)
            assert set(totals) == {len(steady)}
            assert sorted(rows) == sorted(steady)


def test_a_question_of_one_page_and_a_count_lack_nothing(world: World, steady: list[bytes]) -> None:
    with unsteady(world, inserted=1.0) as address:
        assert page(address, 0, 1)["total"] == len(steady)
        assert page(address, 0, 1000, "v2/metrics/daily")["total"] == page(address, 0, 1, "v2/metrics/daily")["total"]


def test_the_order_of_rows_changes_between_requests_at_first(world: World, steady: list[bytes]) -> None:
    with unsteady(world, reordered=1.0) as address:
        first, second = page(address, 0, 400)["data"], page(address, 400, 400)["data"]
        shared = set(map(orjson.dumps, first)) & set(map(orjson.dumps, second))
        assert shared
        assert one_round(address)[0] == one_round(address)[0]
        assert sorted(one_round(address)[0]) == sorted(steady)


def test_rows_are_repeated_within_and_among_pages_at_first(world: World, steady: list[bytes]) -> None:
    with unsteady(world, repeated=1.0) as address:
        rows, totals, _ = one_round(address)
        assert len(set(rows)) < totals[-1] <= len(rows)
        rows, _, _ = one_round(address)
        assert len(set(rows)) == totals[-1]


def test_rows_repeated_beyond_the_last_one_take_no_place(world: World) -> None:
    with unsteady(world, repeated=1.0) as address:
        page(address, 0, 1000, "v2/metrics/daily")
        found = page(address, 0, 1000, "v2/metrics/daily")
    assert found["count"] > found["total"]
    assert len(set(map(orjson.dumps, found["data"]))) == found["total"]


def test_pages_are_shorter_than_the_limit_and_say_so(world: World, steady: list[bytes]) -> None:
    with unsteady(world, short=1.0) as address:
        rows, totals, counts = one_round(address)
    assert min(counts[:-1]) < 400 <= max(counts)
    assert set(totals) == {len(rows)}
    assert sorted(rows) == sorted(steady)


@pytest.mark.parametrize("seed", range(8))
def test_the_third_round_through_the_pages_has_every_row_whatever_the_plan(
    world: World, steady: list[bytes], seed: int
) -> None:
    with unsteady(world, seed, **dict.fromkeys(PAGING, 1.0)) as address:
        for _ in range(UNSTEADY_ROUNDS):
            one_round(address)
        rows, totals, _ = one_round(address)
    assert totals[0] == totals[-1] == len(steady)
    assert set(rows) == set(steady)


@pytest.mark.parametrize("seed", range(8))
def test_a_round_with_one_total_that_lacks_rows_repeats_others(world: World, steady: list[bytes], seed: int) -> None:
    """Whoever counts different rows against the total is never deceived."""
    with unsteady(world, seed, **dict.fromkeys(PAGING, 1.0)) as address:
        for _ in range(UNSTEADY_ROUNDS + 1):
            rows, totals, _ = one_round(address)
            is_complete = len(set(rows)) == totals[0] == totals[-1]
            assert not is_complete or set(rows) == set(steady)
