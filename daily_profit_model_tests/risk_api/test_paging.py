"""A fetch is complete or it fails: whatever the service does between two pages."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daily_profit_model.risk_api import (
    IncompleteFetch,
    RequestRefused,
    ServiceFailing,
    ServiceUnreachable,
)
from daily_profit_model_tests.risk_api import scripted_service as scripted
from daily_profit_model_tests.risk_api.paged import ENDPOINT, Connect, fetched, rows, tickets
from daily_profit_model_tests.risk_api.scripted_service import Service


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 95])
def test_every_row_comes_in_as_few_requests_as_there_are_pages(service: Service, connect: Connect, count: int) -> None:
    service.rows[ENDPOINT] = rows(count)
    pages = fetched(connect())
    assert tickets(pages) == set(range(count))
    assert (pages.total, pages.retries) == (count, 0)
    assert pages.requests == len(service.asked) == max(1, -(-count // 10))
    assert all(params["trade-date"] == "20260601" for _, params, _ in service.asked)


def test_the_first_and_the_last_page_ask_for_the_total_and_the_last_comes_last(
    service: Service, connect: Connect
) -> None:
    service.rows[ENDPOINT] = rows(95)
    fetched(connect())
    skips_with_total = [params["skip"] for _, params, _ in service.asked if "include-total" in params]
    assert skips_with_total == ["0", "90"]
    assert service.asked[-1][1]["skip"] == "90"


def test_pages_are_in_flight_together_and_never_more_than_the_connections(service: Service, connect: Connect) -> None:
    service.rows[ENDPOINT], service.delay = rows(120), 0.02
    fetched(connect(connections=3))
    assert service.most_at_once == 3
    assert len(service.connections) == 3


@pytest.mark.parametrize(
    "fault", [scripted.status(500), scripted.TRUNCATED, scripted.ERROR_ENVELOPE, scripted.reset_in_mid_body]
)
@pytest.mark.parametrize("at", [0, 3, 9])
def test_a_page_error_never_becomes_a_complete_fetch(
    service: Service, connect: Connect, fault: scripted.Fault, at: int
) -> None:
    service.rows[ENDPOINT] = rows(95)
    service.faults = [*[None] * at, *[fault] * 60]
    with pytest.raises((ServiceFailing, ServiceUnreachable)):
        fetched(connect(attempts=3))


def test_a_page_that_fails_once_is_asked_again_and_counted(service: Service, connect: Connect) -> None:
    service.rows[ENDPOINT] = rows(95)
    service.faults = [None, scripted.status(500), scripted.TRUNCATED]
    pages = fetched(connect())
    assert tickets(pages) == set(range(95))
    assert (pages.retries, pages.requests) == (2, 12)


def test_rows_inserted_while_paging_are_fetched_again_until_the_total_holds(service: Service, connect: Connect) -> None:
    service.rows[ENDPOINT] = rows(50)

    def insert(number: int, at: Service) -> None:
        if number == 3:
            at.rows[ENDPOINT] = [*rows(4, first=1000), *at.rows[ENDPOINT]]

    service.before_page = insert
    pages = fetched(connect(connections=1))
    assert tickets(pages) == set(range(50)) | set(range(1000, 1004))
    assert pages.total == 54


def test_a_row_removed_while_paging_is_noticed(service: Service, connect: Connect) -> None:
    service.rows[ENDPOINT] = rows(50)

    def remove(number: int, at: Service) -> None:
        if number == 3:
            # all offsets after it now skip a row
            del at.rows[ENDPOINT][0]

    service.before_page = remove
    assert tickets(fetched(connect(connections=1))) == set(range(1, 50))


def test_rows_that_keep_coming_end_in_an_incomplete_fetch_with_the_counts(service: Service, connect: Connect) -> None:
    service.rows[ENDPOINT] = rows(50)

    def insert(number: int, at: Service) -> None:
        at.rows[ENDPOINT] = [*rows(1, first=1000 + number), *at.rows[ENDPOINT]]

    service.before_page = insert
    with pytest.raises(IncompleteFetch, match="distinct rows, total .* at first and .* at last, after 4 rounds"):
        fetched(connect())


def test_a_service_whose_rows_repeat_and_never_reach_the_total_is_incomplete(
    service: Service, connect: Connect
) -> None:
    service.rows[ENDPOINT] = [*rows(30), *rows(5)]
    with pytest.raises(IncompleteFetch, match="30 distinct rows, total 35 at first and 35 at last"):
        fetched(connect())


def test_an_answer_without_a_total_is_incomplete(service: Service, connect: Connect) -> None:
    service.faults = [scripted.body(b'{"Status":"ok","Data":{"data":[]}}')] * 9
    with pytest.raises(IncompleteFetch, match="total missing"):
        fetched(connect())


@pytest.mark.parametrize("page_size", [1, 3, 7, 10])
def test_pages_shorter_than_asked_for_are_gone_on_from(service: Service, connect: Connect, page_size: int) -> None:
    service.rows[ENDPOINT], service.page_size = rows(43), page_size
    assert tickets(fetched(connect())) == set(range(43))


def test_a_single_short_page_in_the_middle_is_gone_on_from(service: Service, connect: Connect) -> None:
    service.rows[ENDPOINT] = rows(95)

    def shrink(number: int, at: Service) -> None:
        at.page_size = 4 if number == 3 else 1000

    service.before_page = shrink
    pages = fetched(connect(connections=1))
    assert tickets(pages) == set(range(95))
    assert pages.requests == 11


def test_a_new_order_between_two_pages_is_noticed(service: Service, connect: Connect) -> None:
    service.rows[ENDPOINT] = rows(60)
    service.order = lambda number, found: found if number > 4 else found[::-1] if number == 4 else found
    assert tickets(fetched(connect(connections=1))) == set(range(60))


def test_rows_that_differ_under_one_key_are_complete_when_two_rounds_bring_the_same(
    service: Service, connect: Connect
) -> None:
    service.rows[ENDPOINT] = [*rows(30), {"login": "0", "ticket": 0, "profit": 99.0}]
    pages = fetched(connect())
    assert (pages.total, len(pages.rows)) == (31, 31)
    assert pages.requests == 8


def test_rows_that_differ_under_one_key_and_change_from_round_to_round_are_incomplete(
    service: Service, connect: Connect
) -> None:
    service.rows[ENDPOINT] = [*rows(30), {"login": "0", "ticket": 0, "profit": 99.0}]

    def change(number: int, at: Service) -> None:
        at.rows[ENDPOINT][-1] = {"login": "0", "ticket": 0, "profit": 99.0 + number}

    service.before_page = change
    with pytest.raises(IncompleteFetch, match="30 distinct rows, total 31"):
        fetched(connect())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    count=st.integers(0, 60),
    limit=st.integers(1, 25),
    inserts=st.dictionaries(st.integers(1, 12), st.integers(1, 5), max_size=3),
    faults=st.lists(st.sampled_from([None, scripted.status(500), scripted.TRUNCATED]), max_size=6),
    seed=st.integers(0, 99),
)
def test_a_fetch_that_ends_well_has_exactly_the_rows_that_are_there(
    service: Service,
    connect: Connect,
    count: int,
    limit: int,
    inserts: dict[int, int],
    faults: list[scripted.Fault | None],
    seed: int,
) -> None:
    chance = random.Random(seed)
    service.asked.clear()
    service.rows[ENDPOINT], service.faults = rows(count), list(faults)

    def insert(number: int, at: Service) -> None:
        for new in rows(inserts.get(number, 0), first=1000 * number):
            at.rows[ENDPOINT].insert(chance.randint(0, len(at.rows[ENDPOINT])), new)

    service.before_page = insert
    try:
        pages = fetched(connect(attempts=10), limit)
    except IncompleteFetch:
        return
    there = {row["ticket"] for row in service.rows[ENDPOINT]}
    assert tickets(pages) == there
    assert pages.total == len(there)


def test_after_a_failure_no_more_pages_are_begun(service: Service, connect: Connect) -> None:
    service.rows[ENDPOINT] = rows(1000)
    service.faults = [None, *[scripted.status(400)] * 99]
    with pytest.raises(RequestRefused):
        fetched(connect(connections=2))
    assert len(service.asked) < 10


def test_a_first_page_that_is_short_does_not_make_all_others_short(service: Service, connect: Connect) -> None:
    service.rows[ENDPOINT], service.page_size = rows(95), 1
    service.before_page = lambda number, at: setattr(at, "page_size", 1 if number == 1 else 1000)
    assert fetched(connect()).requests == 11
