"""staging/accounts, life and day: who is there, who is eligible, what a day without numbers means."""

from __future__ import annotations

from datetime import date

import pytest

from daily_profit_model.lake import Lake
from daily_profit_model_tests.staging.firm_days import (
    DORMANT_DAYS,
    day,
    metrics,
    plan,
    snapshot,
    stage,
    store_day,
    trade,
)


def test_an_account_that_did_not_trade_has_a_true_zero_L9(lake: Lake) -> None:
    store_day(lake, day(0), rows=[metrics("a", 50.0), metrics("b", None, 0)])
    store_day(lake, day(1))
    staged = stage(lake, day(0), day(1))
    for row in (staged[day(1)]["a"], staged[day(0)]["b"]):
        assert (row["net_profit"], row["trades_closed"], row["has_traded"]) == (0.0, 0, False)


@pytest.mark.parametrize(
    ("net_profit", "num_trades", "expected"),
    [
        (None, None, (None, None, False)),
        (None, 3, (None, 3, True)),
        (12.5, None, (12.5, None, True)),
        (0.0, None, (0.0, None, False)),
        (0.0, 2, (0.0, 2, True)),  # break-even: traded, and made nothing
    ],
)
def test_a_row_without_a_number_leaves_it_null_L9(
    lake: Lake, net_profit: float | None, num_trades: int | None, expected: tuple[object, ...]
) -> None:
    store_day(lake, day(0), rows=[metrics("a", net_profit, num_trades)])
    row = stage(lake, day(0))[day(0)]["a"]
    assert (row["net_profit"], row["trades_closed"], row["has_traded"]) == expected


def test_an_account_that_ends_tomorrow_is_eligible_today_L1(lake: Lake) -> None:
    store_day(lake, day(0), rows=[metrics("a", 50.0)])
    without = stage(lake, day(0))
    store_day(lake, day(1), rows=[metrics("a", -1_500.0, 4, status=3)])
    staged = stage(lake, day(0), day(1))
    assert staged[day(0)] == without[day(0)]
    assert staged[day(0)]["a"]["is_eligible"]
    last = staged[day(1)]["a"]
    assert (last["is_eligible"], last["ineligible_reason"], last["net_profit"]) == (False, "ended", -1_500.0)


def test_an_ended_account_leaves_the_day_after(lake: Lake) -> None:
    store_day(lake, day(0), rows=[metrics("a", 50.0), metrics("b", 1.0)])
    store_day(lake, day(1), rows=[metrics("a", -1_500.0, 4, status=2)])
    store_day(lake, day(2))
    staged = stage(lake, *map(day, range(3)))
    assert set(staged[day(1)]) == {"a", "b"}
    assert set(staged[day(2)]) == {"b"}


def test_an_ended_account_leaves_although_the_live_snapshot_still_lists_it(lake: Lake) -> None:
    for offset in range(4):
        rows = [metrics("a", 50.0)] if offset == 0 else []
        store_day(lake, day(offset), accounts=[snapshot("a", status=1 if offset == 0 else 2)], rows=rows)
    staged = stage(lake, *map(day, range(4)))
    assert [staged[day(offset)].get("a", {}).get("ineligible_reason") for offset in (0, 1)] == [None, "ended"]
    assert [set(staged[day(offset)]) for offset in (2, 3)] == [set(), set()]


def test_an_account_that_ended_before_the_lake_began_has_no_life_in_it(lake: Lake) -> None:
    store_day(lake, day(0), accounts=[snapshot("old", status=2), snapshot("a")])
    assert set(stage(lake, day(0))[day(0)]) == {"a"}


def test_an_account_that_returns_begins_a_new_life(lake: Lake) -> None:
    days = [[metrics("a", 50.0, current_equity=12_000.0)], [metrics("a", 0.0, status=2)], [], [metrics("a", 5.0)]]
    for offset, rows in enumerate(days):
        store_day(lake, day(offset), rows=rows)
    staged = stage(lake, *map(day, range(4)))
    reborn = staged[day(3)]["a"]
    assert reborn["first_seen_date"] == date.fromisoformat(day(3))
    assert (reborn["equity_high"], reborn["active_trading_days"], reborn["is_eligible"]) == (10_000.0, 1, True)


def test_an_idle_account_counts_as_inactive_after_its_plans_period(lake: Lake) -> None:
    terms = [plan(inactivity_period=3)]
    store_day(lake, day(0), rows=[metrics("a", 50.0)], plans=terms)
    for offset in range(1, 6):
        store_day(lake, day(offset), plans=terms)
    staged = stage(lake, *map(day, range(6)))
    assert [staged[day(offset)]["a"]["is_eligible"] for offset in range(5)] == [True, True, True, True, False]
    assert staged[day(4)]["a"]["ineligible_reason"] == "inactive"
    assert "a" not in staged[day(5)]


def test_an_open_position_shows_that_an_idle_account_is_alive(lake: Lake) -> None:
    terms = [plan(inactivity_period=1)]
    for offset in range(4):
        store_day(
            lake,
            day(offset),
            rows=[metrics("a")] if offset == 0 else [],
            accounts=[snapshot("a", live=False)],
            opened=[trade("a", unrealized_profit=5.0)],
            plans=terms,
        )
    staged = stage(lake, *map(day, range(4)))
    assert all(staged[day(offset)]["a"]["is_eligible"] for offset in range(4))


@pytest.mark.parametrize("terms", [[plan(inactivity_period=0)], []])
def test_without_an_inactivity_rule_the_dormant_days_count(lake: Lake, terms: list[dict[str, object]]) -> None:
    days = list(map(day, range(DORMANT_DAYS + 2)))
    for one in days:
        store_day(lake, one, rows=[metrics("a", 50.0)] if one == days[0] else [], plans=terms)
    staged = stage(lake, *days)
    assert staged[days[DORMANT_DAYS]]["a"]["is_eligible"]
    assert staged[days[DORMANT_DAYS + 1]]["a"]["ineligible_reason"] == "inactive"


def test_a_row_of_the_day_shows_that_an_idle_account_is_alive(lake: Lake) -> None:
    terms = [plan(inactivity_period=1)]
    for offset in range(4):
        rows = [metrics("a", 1.0)] if offset == 0 else [metrics("a", 0.0, 0)]
        store_day(lake, day(offset), rows=rows, accounts=[snapshot("b")], plans=terms)
    staged = stage(lake, *map(day, range(4)))
    assert all(staged[day(offset)][account]["is_eligible"] for offset in range(4) for account in ("a", "b"))


@pytest.mark.parametrize("unknown", [{"status": None}, {"starting_balance": None}])
def test_an_account_of_unknown_state_is_kept_and_not_predicted(lake: Lake, unknown: dict[str, object]) -> None:
    store_day(lake, day(0), rows=[metrics("a", **unknown)])  # type: ignore[arg-type]  # fields by name
    store_day(lake, day(1))
    staged = stage(lake, day(0), day(1))
    assert [staged[day(offset)]["a"]["ineligible_reason"] for offset in (0, 1)] == ["state_unknown"] * 2


def test_trading_days_and_streak_marks_count_known_days_only(lake: Lake) -> None:
    profits = [(5.0, 1), (7.0, 2), (None, 0), (-3.0, 1), (0.0, 1), (4.0, 1), (None, 3)]
    for offset, (profit, trades) in enumerate(profits):
        store_day(lake, day(offset), rows=[metrics("a", profit, trades)])
    staged = stage(lake, *map(day, range(len(profits))))
    rows = [staged[day(offset)]["a"] for offset in range(len(profits))]
    assert [row["active_trading_days"] for row in rows] == [1, 2, 2, 3, 4, 5, 6]
    wins = [row["active_trading_days"] - row["active_days_at_last_non_win"] for row in rows]
    losses = [row["active_trading_days"] - row["active_days_at_last_non_loss"] for row in rows]
    assert wins == [1, 2, 2, 0, 0, 1, 0]  # a break-even day ends a streak, and so does one whose profit is not known
    assert losses == [0, 0, 0, 1, 0, 0, 0]


def test_the_last_trade_day_and_the_first_are_kept(lake: Lake) -> None:
    store_day(lake, day(0), rows=[metrics("a", 5.0), metrics("b", 0.0, 0)])
    store_day(lake, day(1))
    row = stage(lake, day(0), day(1))[day(1)]
    assert str(row["a"]["last_trade_date"]) == day(0)
    assert row["b"]["last_trade_date"] is None
