"""Each raw table from its endpoint, over HTTP: the question asked, the day's rows, many days at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from daily_profit_model.risk_api import (
    IncompleteFetch,
    RiskApi,
    Spools,
    fetch,
    fetch_accounts,
    fetch_days,
    questions,
    stamp,
)
from daily_profit_model.risk_api.raw_tables import logins_of_tests
from daily_profit_model.tables.raw import RAW_ACCOUNTS, RAW_TEST_LOGINS
from daily_profit_model_tests.risk_api.records import DAY, metric, trade
from daily_profit_model_tests.risk_api.scripted_service import Service

Connect = Callable[..., RiskApi]
NEXT_DAY = DAY + timedelta(days=1)
DATED = {
    "raw/metrics_daily": ("v2/metrics/daily", {"dates": "20260601"}),
    "raw/metrics_hourly": ("v2/metrics/hourly", {"dates": "20260601"}),
    "raw/trades_closed": ("v2/trades/closed", {"trade-date": "20260601"}),
    "raw/trades_open": ("v2/trades/open", {"trade-date": "20260601"}),
}


def records(table: str, count: int, day: date = DAY, **changes: Any) -> list[dict[str, Any]]:
    if table.startswith("raw/trades"):
        return [trade(nth, tradeDate=f"{day:%Y%m%d}", closeTime=f"{day} 23:00:00", **changes) for nth in range(count)]
    return [metric(nth, date=f"{day:%Y%m%d}", hour=nth % 24, **changes) for nth in range(count)]


@pytest.mark.parametrize("table", DATED)
def test_a_day_of_a_table_is_asked_of_its_endpoint_and_complete(service: Service, connect: Connect, table: str) -> None:
    endpoint, question = DATED[table]
    service.rows[endpoint] = records(table, 1203)
    decoded = fetch(connect(), table, DAY)
    assert (decoded.rows.num_rows, decoded.quarantined.num_rows) == (1203, 0)
    for path, params, _ in service.asked:
        assert path.endswith(f"/external/{endpoint}")
        assert question.items() <= params.items()
        assert int(params["limit"]) <= 1000


@pytest.mark.parametrize("table", DATED)
def test_a_partial_day_is_never_returned(service: Service, connect: Connect, table: str) -> None:
    endpoint, _ = DATED[table]
    service.rows[endpoint] = [*records(table, 30), *records(table, 2)]
    with pytest.raises(IncompleteFetch):
        fetch(connect(), table, DAY)


@pytest.mark.parametrize("changes", [{}, {"lots": 0, "netProfit": 1e16}, {"venue": "x"}])
@pytest.mark.parametrize("table", DATED)
def test_several_days_at_once_are_what_each_day_alone_is(
    service: Service, connect: Connect, table: str, changes: dict[str, Any]
) -> None:
    endpoint, _ = DATED[table]
    days = [DAY + timedelta(days=n) for n in (0, 1, 2, 5)]
    by_day = {day: records(table, 3 + nth, day, **changes) for nth, day in enumerate(days)}
    alone = []
    for day in days:
        service.rows[endpoint] = by_day[day]
        alone.append((day, replace(fetch(connect(), table, day), requests=0)))
    together = []
    run, rest = days[:3], days[3:]
    service.asked.clear()

    def serve(number: int, at: Service) -> None:
        is_rest = f"{rest[0]:%Y%m%d}" in at.asked[-1][1].values()
        at.rows[endpoint] = [row for day in (rest if is_rest else run) for row in by_day[day]]

    service.before_page = serve
    for day, decoded in fetch_days(connect(), table, days):
        together.append((day, replace(decoded, rows=decoded.rows.to_table(), requests=0)))
    assert together == alone
    assert len(service.asked) == 2


def test_a_row_of_no_day_makes_each_day_be_asked_alone_and_is_quarantined(service: Service, connect: Connect) -> None:
    service.rows["v2/trades/closed"] = [trade(), trade(1, tradeDate="?")]
    found = dict(fetch_days(connect(), "raw/trades_closed", [DAY, NEXT_DAY]))
    assert [params.get("trade-date") for _, params, _ in service.asked] == [None, "20260601", "20260602"]
    assert found[DAY].rows.num_rows == 1
    assert found[DAY].quarantined["reason"].to_pylist() == ["unreadable_date"]


def test_long_ranges_are_asked_in_runs(service: Service, connect: Connect) -> None:
    days = [DAY + timedelta(days=n) for n in range(25)]
    assert [day for day, _ in fetch_days(connect(), "raw/trades_open", days)] == days
    spans = [(params["trade-date-from"], params["trade-date-to"]) for _, params, _ in service.asked]
    assert sorted(spans) == [("20260601", "20260610"), ("20260611", "20260620"), ("20260621", "20260625")]


def test_accounts_of_the_newest_day_have_their_state_and_of_a_past_day_their_identity_alone(
    service: Service, connect: Connect
) -> None:
    service.rows["v2/metrics/alltime"] = [metric(date=..., totalRet=3.5)]
    (now,) = stamp(fetch_accounts(connect(), DAY), DAY, is_live=True).rows.to_pylist()
    assert (now["date"], now["is_live"], now["status"], now["total_ret"]) == (DAY, True, 1, 3.5)
    (past,) = stamp(fetch_accounts(connect(), DAY), DAY, is_live=False).rows.to_pylist()
    assert {name: value for name, value in past.items() if value is not None} == {
        "date": DAY,
        "account_id": "953785",
        "login": "70001",
        "platform": 8,
        "broker": 5,
        "is_live": False,
    }


def test_one_fetch_of_accounts_serves_many_days(service: Service, connect: Connect) -> None:
    service.rows["v2/metrics/alltime"] = [
        *(metric(nth, date=...) for nth in range(3)),
        metric(9, date=..., netProfit=1e16),
        metric(accountId=None),
    ]
    now = stamp(fetch_accounts(connect(), NEXT_DAY), NEXT_DAY, is_live=True)
    past = stamp(now, DAY, is_live=False)
    assert len(service.asked) == 1
    for decoded, day in ((now, NEXT_DAY), (past, DAY)):
        assert decoded.rows.schema == RAW_ACCOUNTS.schema()
        assert decoded.rows["date"].to_pylist() == [day] * 3
        assert decoded.quarantined["date"].to_pylist() == [day]
        assert (decoded.received, decoded.test_accounts) == (5, 1)


def test_the_logins_of_test_accounts_are_told_so_that_their_trades_can_be_known(
    service: Service, connect: Connect
) -> None:
    service.rows["v2/metrics/alltime"] = [
        metric(date=...),
        metric(date=..., accountId=None, login="9"),
        metric(date=..., accountId=None, login=8),
        metric(date=..., accountId=None, login=None),
        metric(date=..., accountId="", login="9", netProfit=7),
    ]
    decoded = fetch_accounts(connect(), DAY)
    assert (decoded.test_accounts, decoded.repeated) == (3, 1)  # a null counts as a value of the key
    assert [row["login"] for row in logins_of_tests(decoded, DAY).to_pylist()] == ["8", "9"]
    assert logins_of_tests(decoded, DAY).schema == RAW_TEST_LOGINS.schema()


def test_the_requests_of_a_question_are_told_once(service: Service, connect: Connect) -> None:
    service.rows["v2/trades/closed"] = [
        *records("raw/trades_closed", 1200),
        *records("raw/trades_closed", 300, NEXT_DAY),
    ]
    told = [decoded.requests for _, decoded in fetch_days(connect(), "raw/trades_closed", [DAY, NEXT_DAY]) if decoded]
    assert told == [2, 0]


def test_bad_rows_that_differ_under_one_key_are_all_quarantined(service: Service, connect: Connect) -> None:
    service.rows["v2/trades/closed"] = [trade(), *(trade(1, lots=0, profit=profit) for profit in (1, 2))]
    decoded = fetch(connect(), "raw/trades_closed", DAY)
    assert (decoded.rows.num_rows, decoded.quarantined.num_rows) == (1, 2)


def test_two_fetches_of_overlapping_ranges_both_end(service: Service, connect: Connect, tmp_path: Path) -> None:
    first, second = ([DAY + timedelta(days=n) for n in days] for days in (range(40), range(25, 55)))
    found: dict[int, list[date]] = {}

    def fetch_range(nth: int, days: list[date]) -> None:
        found[nth] = [day for day, _ in fetch_days(connect(), "raw/trades_open", days, Spools(tmp_path))]

    threads = [
        threading.Thread(target=fetch_range, args=(nth, days), daemon=True) for nth, days in enumerate((first, second))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == {0: first, 1: second}


def test_questions_after_left_spools_that_overlap_are_disjoint(tmp_path: Path) -> None:
    spools = Spools(tmp_path)
    days = [DAY + timedelta(days=n) for n in range(14)]
    for run in (days[:10], days[4:14]):
        spools.open("raw/trades_open", run, "question").close()
    asked = [day for question in questions("raw/trades_open", days, spools) for day in question.days]
    assert asked == days
