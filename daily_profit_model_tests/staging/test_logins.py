"""An account that trades under several logins is one account: its profit is the sum, its trades are all its own."""

from __future__ import annotations

from daily_profit_model.engine import Query, Source, run
from daily_profit_model.engine.sql_text import sql_text
from daily_profit_model.lake import Lake
from daily_profit_model.tables.raw import RAW_METRICS_DAILY
from daily_profit_model_tests.staging.firm_days import Record, metrics, snapshot, stage, stage_trades, store_day, trade

DAY, NEXT = "2026-03-02", "2026-03-03"


def two_logins(lake: Lake) -> None:
    first = metrics("a", net_profit=100.25, num_trades=2)
    second = second_login(net_profit=-30.5, num_trades=1)
    store_day(
        lake, DAY, rows=[first, second], closed=[trade("a"), {**trade("a", position="2"), "login": "other-login"}]
    )


def second_login(**values: object) -> Record:
    return {**metrics("a", **values), "login": "other-login"}  # type: ignore[arg-type]


def settled(lake: Lake) -> tuple[str, float | None]:
    query = Query(sql_text("staging/settlements"), (Source(RAW_METRICS_DAILY),))
    (row,) = run(query, lake, [DAY]).to_pylist()
    return row["settlement"], row["net_profit"]


def test_profit_and_trades_of_all_logins_count(lake: Lake) -> None:
    two_logins(lake)
    row = stage(lake, DAY)[DAY]["a"]
    assert row["net_profit"] == 69.75
    assert row["trades_closed"] == 3


def test_what_a_day_settles_is_the_sum_over_logins(lake: Lake) -> None:
    two_logins(lake)
    assert settled(lake) == ("traded", 69.75)


def test_trades_of_every_login_find_their_account(lake: Lake) -> None:
    two_logins(lake)
    stage(lake, DAY)
    assert [row["account_id"] for row in stage_trades(lake, DAY)] == ["a", "a"]


def test_a_login_whose_profit_is_unknown_leaves_the_days_profit_unknown(lake: Lake) -> None:
    known, silent = metrics("a", net_profit=100.0, num_trades=2), second_login(net_profit=None, num_trades=1)
    store_day(lake, DAY, rows=[known, silent])
    row = stage(lake, DAY)[DAY]["a"]
    assert (row["net_profit"], row["trades_closed"], row["has_traded"]) == (None, 3, True)
    assert settled(lake) == ("traded", None)


def test_a_login_that_says_nothing_leaves_profit_and_trades_unknown_but_not_that_the_account_traded(lake: Lake) -> None:
    store_day(lake, DAY, rows=[metrics("a", 100.0, 2), second_login(net_profit=None, num_trades=None)])
    row = stage(lake, DAY)[DAY]["a"]
    assert (row["net_profit"], row["trades_closed"], row["has_traded"]) == (None, None, True)


def test_a_login_without_a_trade_adds_a_true_zero(lake: Lake) -> None:
    store_day(lake, DAY, rows=[metrics("a", 100.0, 2), second_login(net_profit=None, num_trades=0)])
    assert settled(lake) == ("traded", 100.0)


def test_an_account_has_ended_only_when_all_of_its_logins_have(lake: Lake) -> None:
    ended, living = metrics("a", 0.0, 0, status=2), second_login(net_profit=0.0, num_trades=0, starting_balance=5_000.0)
    store_day(lake, DAY, rows=[ended, living])
    row = stage(lake, DAY)[DAY]["a"]
    assert (row["is_eligible"], row["login"], row["starting_balance"]) == (True, "other-login", 5_000.0)
    assert settled(lake) == ("idle", 0.0)
    store_day(lake, NEXT, rows=[ended, {**living, "status": 3}])
    assert stage(lake, NEXT)[NEXT]["a"]["ineligible_reason"] == "ended"


def test_of_two_logins_in_the_snapshot_the_living_one_tells_the_state(lake: Lake) -> None:
    store_day(lake, DAY, rows=[metrics("a")])
    stage(lake, DAY)
    ended, living = snapshot("a", status=2), {**snapshot("a"), "login": "other-login"}
    store_day(lake, NEXT, accounts=[ended, living])
    assert stage(lake, NEXT)[NEXT]["a"]["is_eligible"]
