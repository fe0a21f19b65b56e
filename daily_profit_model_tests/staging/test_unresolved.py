"""Trades that resolve themselves: when a login becomes known, when it is a test account's, and when nothing is to be done."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from daily_profit_model.lake import Lake
from daily_profit_model.staging.trades import KNOWN_LOGINS, known_logins, resolvable_days
from daily_profit_model.tables.raw import RAW_ACCOUNTS, RAW_TEST_LOGINS
from daily_profit_model_tests.staging.firm_days import (
    Record,
    day,
    identity,
    metrics,
    snapshot,
    stage,
    stage_trades,
    store,
    store_day,
    trade,
)


def login_of(account: str) -> Record:
    return {name: value for name, value in identity(account).items() if name != "account_id"}


def two_days(lake: Lake, closed: Sequence[Record], later: Sequence[Record]) -> None:
    """Day 0 with trades, of which only account `a` is known; day 1, by when the accounts of `later` are known."""
    store_day(lake, day(0), accounts=[snapshot("a")], rows=[metrics("a")], closed=closed)
    stage(lake, day(0))
    stage_trades(lake, day(0))
    store_day(lake, day(1), accounts=[snapshot("a"), *later])


def test_a_trade_finds_the_account_that_appears_on_a_later_day(lake: Lake) -> None:
    two_days(lake, [trade("a", "1"), trade("late", "2")], [snapshot("late")])
    assert resolvable_days(lake, [day(0)]) == [day(0)]
    found = {row["position"]: (row["account_id"], row["is_resolved"]) for row in stage_trades(lake, day(0))}
    assert found == {"1": ("a", True), "2": ("late", True)}
    assert resolvable_days(lake, [day(0)]) == []


def test_a_day_that_is_resolved_has_the_rows_that_it_has_when_the_account_was_known_at_once(lake: Lake) -> None:
    two_days(lake, [trade("a", "1"), trade("late", "2")], [snapshot("late")])
    later = stage_trades(lake, day(0))
    store(lake, RAW_ACCOUNTS, day(0), [snapshot("a"), snapshot("late")])
    assert stage_trades(lake, day(0)) == later


def test_the_identity_of_the_day_goes_before_the_one_known_now(lake: Lake) -> None:
    two_days(lake, [trade("a", "1")], [])
    store(lake, RAW_ACCOUNTS, day(1), [{**snapshot("z"), "login": "login-a"}])
    assert [row["account_id"] for row in stage_trades(lake, day(0))] == ["a"]


def test_a_login_at_another_broker_is_another_login(lake: Lake) -> None:
    two_days(lake, [trade("late", "1")], [{**snapshot("late"), "broker": 2}])
    assert resolvable_days(lake, [day(0)]) == []
    assert [row["is_resolved"] for row in stage_trades(lake, day(0))] == [False]


def test_a_login_that_nobody_knows_stays_unresolved_and_asks_for_nothing(lake: Lake) -> None:
    two_days(lake, [trade("stranger", "1")], [snapshot("late")])
    assert resolvable_days(lake, [day(0)]) == []
    assert [(row["account_id"], row["is_resolved"]) for row in stage_trades(lake, day(0))] == [(None, False)]


def test_trades_of_a_test_account_are_kept_out_once_it_is_known_as_one(lake: Lake) -> None:
    two_days(lake, [trade("a", "1"), trade("test", "2")], [])
    assert [row["is_resolved"] for row in stage_trades(lake, day(0))] == [True, False]
    store(lake, RAW_TEST_LOGINS, day(1), [login_of("test")])
    assert resolvable_days(lake, [day(0)]) == [day(0)]
    assert [row["login"] for row in stage_trades(lake, day(0))] == ["login-a"]
    assert resolvable_days(lake, [day(0)]) == []


def test_a_test_login_that_was_an_account_on_the_day_keeps_its_trades(lake: Lake) -> None:
    two_days(lake, [trade("a", "1")], [])
    store(lake, RAW_TEST_LOGINS, day(1), [login_of("a")])
    assert [row["account_id"] for row in stage_trades(lake, day(0))] == ["a"]


def test_a_login_with_an_account_is_no_test_login(lake: Lake) -> None:
    store(lake, RAW_ACCOUNTS, day(0), [snapshot("a"), {**snapshot("b"), "login": "login-a"}])
    store(lake, RAW_TEST_LOGINS, day(0), [login_of("a"), login_of("test")])
    known = known_logins(lake).sort_by("login")
    assert known.schema == KNOWN_LOGINS
    assert [(row["login"], row["account_id"], row["is_test"]) for row in known.to_pylist()] == [
        ("login-a", "b", False), ("login-test", None, True),
    ]  # fmt: skip


def test_a_lake_without_accounts_knows_no_login(lake: Lake) -> None:
    assert known_logins(lake).equals(pa.table({name: [] for name in KNOWN_LOGINS.names}, schema=KNOWN_LOGINS))
    assert resolvable_days(lake, []) == []


def test_only_the_days_asked_for_are_looked_at(lake: Lake) -> None:
    two_days(lake, [trade("late", "1")], [snapshot("late")])
    assert resolvable_days(lake, [day(1), day(2)]) == []
