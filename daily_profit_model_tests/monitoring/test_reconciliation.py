"""Reconciliation by hand: days in which everything adds up say so, and each disagreement is found as what it is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from upath import UPath

from daily_profit_model.lake import Lake, write_revision
from daily_profit_model.monitoring.reconciliation import final_until, reconcile, wanted_counts
from daily_profit_model.tables.raw import RAW_TEST_LOGINS
from daily_profit_model_tests.monitoring.raw_days import (
    FIRST,
    Day,
    Record,
    counted,
    day,
    findings,
    good_day,
    identity,
    login,
    rows_of,
    store,
)


def told(row: Record) -> tuple[Any, ...]:
    names = ("finding", "severity", "table_name", "compared_with", "login", "expected", "found")
    return tuple(row[name] for name in names)


def test_a_day_in_which_everything_adds_up_has_one_summary_a_table(lake: Lake) -> None:
    rows = rows_of(lake, {0: good_day(0), 1: good_day(1, live=True)}, 1)
    assert {row["finding"] for row in rows} == {"summary"}
    assert {row["severity"] for row in rows} == {"ok"}
    summaries = {row["table_name"]: (row["expected"], row["found"], row["findings"]) for row in rows}
    assert summaries == {
        "raw/accounts": (None, 3, 0), "raw/market_regimes": (None, 0, 0), "raw/metrics_daily": (3, 3, 0),
        "raw/metrics_hourly": (4, 4, 0), "raw/plans": (None, 0, 0), "raw/trades_closed": (6, 6, 0),
        "raw/trades_open": (0, 0, 0),
    }  # fmt: skip


def test_a_table_that_is_not_there_is_a_missing_day_and_nothing_else(lake: Lake) -> None:
    made = good_day(0)
    made.missing = ("raw/metrics_hourly",)
    found = findings(lake, {0: made}, 0)
    assert [told(row) for row in found] == [("missing_day", "error", "raw/metrics_hourly", "service", None, 4, None)]


def test_a_day_without_any_table_is_missing_in_each(lake: Lake) -> None:
    ((_, rows),) = reconcile(lake, {}, [day(0)], final_until=FIRST)
    assert rows["finding"].to_pylist().count("missing_day") == 7


def test_rows_that_the_service_has_and_we_have_not_are_an_error_with_where_ours_went(lake: Lake) -> None:
    made = {0: good_day(0)}
    more = {**counted(made), ("raw/trades_closed", FIRST): 9}
    (row,) = findings(lake, made, 0, counts=more)
    assert told(row) == ("row_count_mismatch", "error", "raw/trades_closed", "service", None, 9, 6)
    assert (row["difference"], row["detail"]) == (-3, "stored 6, quarantined 0, test accounts 0")


def test_rows_in_quarantine_and_of_test_accounts_count_as_ours(lake: Lake) -> None:
    made = good_day(0)
    made.facts["raw/trades_closed"] = {"received": 12, "quarantined": 2, "test_accounts": 1, "repeated": 3}
    more = {**counted({0: made}), ("raw/trades_closed", FIRST): 9}
    assert findings(lake, {0: made}, 0, counts=more) == []


@pytest.mark.parametrize(("said", "severity"), [(2, "warn"), (4, "warn"), (5, "error"), (None, None)])
def test_a_daily_row_that_counts_other_trades_than_closed(lake: Lake, said: int | None, severity: str | None) -> None:
    made = good_day(0)
    made.rows["raw/metrics_daily"][0]["num_trades"] = said
    found = [told(row) for row in findings(lake, {0: made}, 0)]
    assert found == ([] if said is None else [
        ("trade_count_mismatch", severity, table, "raw/metrics_daily", "login-a", said, 3)
        for table in ("raw/metrics_hourly", "raw/trades_closed")
    ])  # fmt: skip


def test_a_tenth_of_many_trades_is_a_warning_and_more_an_error(lake: Lake) -> None:
    made = {0: good_day(0, accounts=("a", "b"), trades=20)}
    for row, said in zip(made[0].rows["raw/metrics_daily"], (22, 23), strict=False):
        row["num_trades"] = said
    severities = {(row["login"], row["severity"]) for row in findings(lake, made, 0)}
    assert severities == {("login-a", "warn"), ("login-b", "error")}


def test_trades_of_an_account_without_a_daily_row(lake: Lake) -> None:
    made = good_day(0)
    del made.rows["raw/metrics_daily"][0]
    found = findings(lake, {0: made}, 0)
    assert [told(row) for row in found] == [
        ("trade_count_mismatch", "error", table, "raw/metrics_daily", "login-a", 0, 3)
        for table in ("raw/metrics_hourly", "raw/trades_closed")
    ]
    assert {row["account_id"] for row in found} == {"a"}


def test_an_account_whose_closed_trades_are_missing(lake: Lake) -> None:
    made = good_day(0)
    made.rows["raw/trades_closed"] = made.rows["raw/trades_closed"][3:]
    (row,) = findings(lake, {0: made}, 0)
    assert told(row) == ("trade_count_mismatch", "error", "raw/trades_closed", "raw/metrics_daily", "login-a", 3, 0)


def test_the_same_login_at_another_broker_is_told_apart(lake: Lake) -> None:
    made = good_day(0)
    elsewhere = {**identity("c"), "login": "login-a", "broker": 2}
    made.rows["raw/metrics_daily"].append({**elsewhere, "num_trades": 3, "net_profit": 30.15})
    found = findings(lake, {0: made}, 0)
    assert {(row["login"], row["broker"], row["account_id"]) for row in found} == {("login-a", 2, "c")}


def test_an_hour_with_trades_and_no_row_is_missing_and_named(lake: Lake) -> None:
    made = good_day(0, trades=5)
    del made.rows["raw/metrics_hourly"][1]
    (row,) = findings(lake, {0: made}, 0)
    assert told(row) == ("missing_hours", "warn", "raw/metrics_hourly", "raw/trades_closed", "login-a", 3, 2)
    assert row["detail"] == "hours 10"


def test_a_trading_account_without_any_hour_is_found_without_its_trades(lake: Lake) -> None:
    made = good_day(0)
    made.rows["raw/metrics_hourly"] = made.rows["raw/metrics_hourly"][2:]
    made.missing = ("raw/trades_closed",)
    few = [row for row in findings(lake, {0: made}, 0) if row["finding"] != "missing_day"]
    assert [told(row) for row in few] == [
        ("suspiciously_few_hours", "warn", "raw/metrics_hourly", "history", "login-a", 1, 0)
    ]


def test_fewer_hours_than_any_account_with_as_many_trades_in_four_weeks_are_suspicious(lake: Lake) -> None:
    """Twenty accounts on six days trade in two hours each, more than a hundred account-days to learn from."""
    many = [f"m{number}" for number in range(20)]
    made = {offset: good_day(offset, accounts=many) for offset in range(7)}
    made[6].rows["raw/metrics_hourly"][0] |= {"num_trades": 3, "net_profit": 30.15}
    del made[6].rows["raw/metrics_hourly"][1]
    made[6].missing = ("raw/trades_closed",)
    few = [row for row in findings(lake, made, 6) if row["finding"] != "missing_day"]
    assert [told(row) for row in few] == [
        ("suspiciously_few_hours", "warn", "raw/metrics_hourly", "history", "login-m0", 2, 1)
    ]
    assert [row for row in findings(lake, made, 3) if row["finding"] == "suspiciously_few_hours"] == []


def test_a_busy_hour_is_no_gap_where_the_closed_trades_lie_in_it(lake: Lake) -> None:
    many = [f"m{number}" for number in range(20)]
    made = {offset: good_day(offset, accounts=many) for offset in range(7)}
    hours = made[6].rows["raw/metrics_hourly"]
    hours[0] |= {"num_trades": 3, "net_profit": 30.15}
    del hours[1]
    for trade in made[6].rows["raw/trades_closed"][:3]:
        trade["close_time"] = trade["close_time"].replace(hour=hours[0]["hour"])
    assert [row for row in findings(lake, made, 6) if row["finding"] == "suspiciously_few_hours"] == []


def test_a_login_in_no_account_is_unresolved_with_its_trades(lake: Lake) -> None:
    made = good_day(0)
    for trade in made.rows["raw/trades_closed"][:2]:
        trade["login"] = "login-stranger"
    unresolved = [row for row in findings(lake, {0: made}, 0) if row["finding"] == "unresolved_login"]
    assert [told(row) for row in unresolved] == [
        ("unresolved_login", "warn", "raw/trades_closed", "accounts", "login-stranger", 0, 2)
    ]


def test_a_login_that_is_known_by_now_is_not_unresolved(lake: Lake) -> None:
    made = {0: good_day(0), 1: good_day(1)}
    made[0].rows["raw/trades_closed"].append({**made[0].rows["raw/trades_closed"][0], **login("late"), "position": "9"})
    made[1].rows["raw/accounts"].append({**identity("late"), "is_live": True})
    found = {row["finding"]: (row["account_id"], row["expected"], row["found"]) for row in findings(lake, made, 0)}
    assert found == {"trade_count_mismatch": ("late", 0, 1), "missing_hours": ("late", 1, 0)}


def test_trades_of_a_known_test_login_are_counted_and_no_finding(lake: Lake) -> None:
    made = good_day(0)
    made.rows["raw/trades_closed"].append({**made.rows["raw/trades_closed"][0], **login("test"), "position": "9"})
    made.facts["raw/trades_closed"] = {"test_accounts": 0}
    rows = pa.Table.from_pylist([{"date": FIRST, **login("test")}], schema=RAW_TEST_LOGINS.schema())
    at = datetime(2026, 3, 3, tzinfo=UTC)
    write_revision(lake, RAW_TEST_LOGINS, day(0), rows, ingested_at=at, code_version="1")
    told_of = {row["table_name"]: row for row in rows_of(lake, {0: made}, 0)}
    assert {row["finding"] for row in told_of.values()} == {"summary"}
    assert (told_of["raw/trades_closed"]["test_rows"], told_of["raw/metrics_daily"]["test_rows"]) == (1, 0)


@pytest.mark.parametrize(("final", "severity"), [(FIRST, "error"), (FIRST - timedelta(days=1), "warn")])
def test_a_profit_that_differs_is_an_error_once_the_day_is_final(lake: Lake, final: date, severity: str) -> None:
    made = good_day(0)
    made.rows["raw/metrics_daily"][0]["net_profit"] = 30.20
    found = findings(lake, {0: made}, 0, final=final)
    assert [told(row) for row in found] == [
        ("net_profit_mismatch", severity, table, "raw/metrics_daily", "login-a", 30.20, 30.15)
        for table in ("raw/metrics_hourly", "raw/trades_closed")
    ]
    assert found[0]["difference"] == -0.05


@pytest.mark.parametrize(("said", "count"), [(30.16, 0), (30.17, 2), (None, 0)])
def test_a_cent_is_rounding_and_two_are_not(lake: Lake, said: float | None, count: int) -> None:
    made = good_day(0)
    made.rows["raw/metrics_daily"][0]["net_profit"] = said
    assert len(findings(lake, {0: made}, 0)) == count


def lifetime(lake: Lake, **values: object) -> list[tuple[Any, ...]]:
    """What is found of account a, whose live snapshot of day 2 says `values`."""
    made = {offset: good_day(offset, live=offset == 2) for offset in range(3)}
    made[2].rows["raw/accounts"][0] |= values
    return [told(row) for row in findings(lake, made, 2)]


def test_a_lifetime_that_counts_other_trades_than_its_days(lake: Lake) -> None:
    assert lifetime(lake, num_trades=12) == [
        ("trade_count_mismatch", "error", "raw/metrics_daily", "raw/accounts", "login-a", 12, 9)
    ]


@pytest.mark.parametrize(
    "values",
    [
        {"first_trade_date": datetime(2026, 3, 1, tzinfo=UTC)},  # began before the lake did
        {"first_trade_date": None},
        {"last_trade_close": datetime(2026, 3, 5, 0, 30, tzinfo=UTC)},  # has traded on since
        {"is_live": False},
        {"num_trades": None},
    ],
)
def test_a_lifetime_that_the_lake_does_not_hold_whole_is_not_compared(lake: Lake, values: dict[str, object]) -> None:
    assert lifetime(lake, **{"num_trades": 99, **values}) == []


def test_a_gap_in_the_days_makes_the_lifetimes_before_it_incomparable(lake: Lake) -> None:
    made = {offset: good_day(offset, live=offset == 2) for offset in (0, 2)}
    assert findings(lake, made, 2) == []


def test_days_together_say_what_each_says_alone(lake: Lake) -> None:
    made: dict[int, Day] = {offset: good_day(offset, live=True) for offset in range(4)}
    made[1].rows["raw/metrics_daily"][0]["num_trades"] = 9
    del made[2].rows["raw/metrics_hourly"][0]
    for offset, of_day in made.items():
        store(lake, offset, of_day)
    held = counted(made)
    days = [day(offset) for offset in made]
    together = dict(reconcile(lake, held, days, final_until=FIRST))
    alone = {one: dict(reconcile(lake, held, [one], final_until=FIRST))[one] for one in days}
    assert {one: rows.sort_by("table_name").to_pylist() for one, rows in together.items()} == {
        one: rows.sort_by("table_name").to_pylist() for one, rows in alone.items()
    }
    assert sum(rows.num_rows for rows in together.values()) > 4 * 7


def test_the_service_is_asked_for_the_tables_that_it_answers_by_day() -> None:
    assert wanted_counts([day(0)]) == [
        (table, FIRST) for table in ("raw/metrics_daily", "raw/metrics_hourly", "raw/trades_closed", "raw/trades_open")
    ]


def test_a_day_is_final_once_the_days_after_it_have_been_read_again() -> None:
    assert final_until(date(2026, 3, 10), 3) == date(2026, 3, 7)
    assert final_until(date(2026, 3, 10), 0) == date(2026, 3, 10)


def test_an_empty_lake_can_be_reconciled(tmp_path: Any) -> None:
    days = dict(reconcile(Lake(UPath(tmp_path)), {}, [day(0), day(1)], final_until=FIRST))
    assert {row["severity"] for row in days[day(1)].to_pylist()} == {"error"}
