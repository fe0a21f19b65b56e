"""A fetch that was stopped goes on from the pages in its spool, as far as the total still holds."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from daily_profit_model.risk_api import RequestRefused
from daily_profit_model.risk_api.spool import DamagedSpool, Spool
from daily_profit_model_tests.risk_api import scripted_service as scripted
from daily_profit_model_tests.risk_api.paged import ENDPOINT, Connect, fetched, rows, tickets
from daily_profit_model_tests.risk_api.scripted_service import Service


def stopped(service: Service, connect: Connect, after: int) -> Spool:
    """The pages of a fetch of 95 rows that was refused after so many of its ten pages; the service is well again."""
    service.rows[ENDPOINT], spool = rows(95), Spool(None, "question")
    service.faults = [*[None] * after, *[scripted.status(404)] * 20]
    with pytest.raises(RequestRefused):
        fetched(connect(connections=1), spool=spool)
    service.faults = []
    service.asked.clear()
    return spool


@pytest.mark.parametrize("stopped_after", range(1, 10))
def test_a_fetch_that_was_stopped_goes_on_and_asks_for_no_page_twice(
    service: Service, connect: Connect, stopped_after: int
) -> None:
    spool = stopped(service, connect, stopped_after)
    stored = {extent.skip for extent in spool.extents()}
    assert len(stored) == stopped_after
    assert tickets(fetched(connect(), spool=spool)) == set(range(95))
    assert sorted(int(params["skip"]) for _, params, _ in service.asked) == sorted(set(range(0, 95, 10)) - stored)


def test_a_stopped_fetch_starts_again_when_the_total_does_not_hold(service: Service, connect: Connect) -> None:
    spool = stopped(service, connect, after=5)
    service.rows[ENDPOINT] = [*rows(1, first=1000), *rows(95)]
    pages = fetched(connect(), spool=spool)
    assert tickets(pages) == {*range(95), 1000}
    assert [params["skip"] for _, params, _ in service.asked][:2] == ["50", "0"]
    assert pages.requests == 11


def test_a_fetch_that_was_stopped_when_all_pages_were_there_asks_whether_the_total_holds(
    service: Service, connect: Connect
) -> None:
    service.rows[ENDPOINT], spool = rows(25), Spool(None, "question")
    fetched(connect(), spool=spool)
    service.asked.clear()
    assert tickets(fetched(connect(), spool=spool)) == set(range(25))
    assert [params["limit"] for _, params, _ in service.asked] == ["1"]
    service.rows[ENDPOINT] = rows(30)
    assert tickets(fetched(connect(), spool=spool)) == set(range(30))


def test_a_stopped_fetch_whose_stored_pages_are_damaged_asks_for_all_of_them_again(
    service: Service, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = stopped(service, connect, after=5)
    last = spool.extents()[-1].number
    read, damaged = spool.body, [last]

    def body(number: int) -> bytes:
        if number in damaged:
            damaged.clear()
            raise DamagedSpool("the disk image is malformed")
        return read(number)

    monkeypatch.setattr(spool, "body", body)
    pages = fetched(connect(), spool=spool)
    assert tickets(pages) == set(range(95))
    assert len({params["skip"] for _, params, _ in service.asked}) == 10


def test_a_page_that_was_spoiled_on_disk_is_a_damaged_spool(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.sqlite", "question")
    number = spool.add(0, 1, 1, b'{"a":1}\n')
    spool.close()
    with sqlite3.connect(tmp_path / "spool.sqlite") as base:
        base.execute("update pages set body = x'0011'")
    spool = Spool(tmp_path / "spool.sqlite", "question")
    with pytest.raises(DamagedSpool):
        spool.body(number)
    spool.begin_anew()
    assert spool.extents() == []
