"""staging/accounts, state: what the day tells, what is carried forward, and what must never enter a past day."""

from __future__ import annotations

from datetime import UTC, date, datetime

from daily_profit_model.lake import Lake
from daily_profit_model.tables.raw import RAW_ACCOUNTS, RAW_METRICS_DAILY
from daily_profit_model_tests.staging.firm_days import day, metrics, plan, snapshot, stage, store, store_day, trade


def test_state_is_carried_forward_over_days_without_a_row(lake: Lake) -> None:
    store_day(lake, day(0), rows=[metrics("a", 50.0, current_equity=10_050.0, days_to_next_payout=2, phase=2)])
    for offset in (1, 2, 3):
        store_day(lake, day(offset))
    staged = stage(lake, *map(day, range(4)))
    for offset in (1, 2, 3):
        row = staged[day(offset)]["a"]
        assert (row["state_source"], row["state_date"]) == ("carried", date.fromisoformat(day(0)))
        assert (row["equity"], row["phase"], row["is_eligible"]) == (10_050.0, 2, True)
        assert row["days_to_next_payout"] == max(2 - offset, 0)
        assert row["first_seen_date"] == date.fromisoformat(day(0))
    assert staged[day(0)]["a"]["state_source"] == "metrics"


def test_a_field_that_a_row_leaves_out_keeps_its_former_value(lake: Lake) -> None:
    store_day(lake, day(0), rows=[metrics("a", country="FI", phase=1)])
    store_day(lake, day(1), rows=[metrics("a", country=None, phase=2, current_balance=None)])
    row = stage(lake, day(0), day(1))[day(1)]["a"]
    assert (row["country"], row["phase"], row["balance"]) == ("FI", 2, 10_000.0)


def test_a_snapshot_of_identities_gives_no_state_to_a_past_day_L2_L3(lake: Lake) -> None:
    """The row carries values, as a careless fetch might: none of them may be used."""
    careless = {**snapshot("a", live=False), "status": 2, "current_balance": 1.0, "current_equity": 2.0,
                "plan_id": "today", "net_profit": 9e9, "approved_payouts": 5.0}  # fmt: skip
    store_day(lake, day(0), accounts=[careless], rows=[metrics("a", 50.0)])
    store_day(lake, day(1), accounts=[careless, {**careless, "account_id": "b", "login": "login-b"}])
    staged = stage(lake, day(0), day(1))
    row = staged[day(1)]["a"]
    assert (row["status"], row["balance"], row["equity"], row["plan_id"]) == (1, 10_000.0, 10_000.0, "p1")
    assert row["approved_payouts"] is None
    assert "b" not in staged[day(1)]


def test_each_day_sees_its_own_snapshot_and_not_the_latest_L2(lake: Lake) -> None:
    for offset, equity in enumerate((10_100.0, 10_200.0)):
        store_day(lake, day(offset), accounts=[snapshot("a", current_equity=equity, status=1)])
    staged = stage(lake, day(0), day(1))
    assert [staged[day(offset)]["a"]["equity"] for offset in (0, 1)] == [10_100.0, 10_200.0]


def test_a_metrics_row_of_the_day_goes_before_the_snapshot(lake: Lake) -> None:
    store_day(lake, day(0), accounts=[snapshot("a", current_equity=1.0)], rows=[metrics("a", current_equity=2.0)])
    row = stage(lake, day(0))[day(0)]["a"]
    assert (row["equity"], row["state_source"]) == (2.0, "metrics")


def test_a_live_snapshot_brings_a_new_account_that_has_no_rows(lake: Lake) -> None:
    store_day(lake, day(0), accounts=[snapshot("new", current_balance=10_000.0, current_equity=10_000.0)])
    row = stage(lake, day(0))[day(0)]["new"]
    assert (row["state_source"], row["is_eligible"], row["net_profit"], row["has_traded"]) == (
        "snapshot", True, 0.0, False,
    )  # fmt: skip


def test_the_lifetime_profit_of_a_snapshot_is_not_the_profit_of_the_day(lake: Lake) -> None:
    store_day(lake, day(0), accounts=[snapshot("a", net_profit=7_777.0, num_trades=90)])
    row = stage(lake, day(0))[day(0)]["a"]
    assert (row["net_profit"], row["trades_closed"]) == (0.0, 0)


def test_a_correction_after_the_cut_off_leaves_staging_as_it_was_L6(lake: Lake) -> None:
    store_day(lake, day(0), accounts=[snapshot("a")], rows=[metrics("a", 50.0)])
    before = stage(lake, day(0))
    late = datetime(2026, 3, 9, 12, tzinfo=UTC)
    store(lake, RAW_METRICS_DAILY, day(0), [metrics("a", -999.0, current_equity=1.0)], late)
    store(lake, RAW_ACCOUNTS, day(0), [snapshot("a", status=2)], late)
    assert stage(lake, day(0)) == before
    assert before[day(0)]["a"]["net_profit"] == 50.0


def test_a_correction_before_the_cut_off_counts(lake: Lake) -> None:
    store_day(lake, day(0), rows=[metrics("a", 50.0)])
    store(lake, RAW_METRICS_DAILY, day(0), [metrics("a", 40.0)], datetime(2026, 3, 3, 5, 59, tzinfo=UTC))
    assert stage(lake, day(0))[day(0)]["a"]["net_profit"] == 40.0


def test_the_equity_high_is_a_maximum_with_the_first_day_that_reached_it(lake: Lake) -> None:
    for offset, equity in enumerate((9_900.0, 10_300.0, 10_300.0, 10_100.0)):
        store_day(lake, day(offset), rows=[metrics("a", current_equity=equity)])
    staged = stage(lake, *map(day, range(4)))
    highs = [(row["equity_high"], str(row["equity_high_date"])) for row in (staged[day(o)]["a"] for o in range(4))]
    assert highs == [(10_000.0, day(0)), (10_300.0, day(1)), (10_300.0, day(1)), (10_300.0, day(1))]


def test_open_positions_are_summed_by_account(lake: Lake) -> None:
    opened = [
        trade("a", "1", unrealized_profit=0.1, volume_usd=100.0),
        trade("a", "2", unrealized_profit=0.2, volume_usd=None),
        trade("stranger", "3", unrealized_profit=9.0),
    ]
    store_day(lake, day(0), accounts=[snapshot("a"), snapshot("b")], opened=opened)
    staged = stage(lake, day(0))[day(0)]
    assert set(staged) == {"a", "b"}
    assert (staged["a"]["open_positions"], staged["a"]["open_pnl"], staged["a"]["open_volume"]) == (2, 0.3, 100.0)
    assert (staged["b"]["open_positions"], staged["b"]["open_pnl"], staged["b"]["open_volume"]) == (0, None, None)


def test_a_position_alone_makes_a_row_whose_state_is_unknown(lake: Lake) -> None:
    store_day(lake, day(0), accounts=[snapshot("a", live=False)], opened=[trade("a", unrealized_profit=1.0)])
    store_day(lake, day(1), accounts=[snapshot("a", live=False)], rows=[metrics("a", 5.0)])
    staged = stage(lake, day(0), day(1))
    first, second = staged[day(0)]["a"], staged[day(1)]["a"]
    told = (first["state_source"], first["state_date"], first["ineligible_reason"])
    assert told == ("position", None, "state_unknown")
    assert (second["is_eligible"], str(second["first_seen_date"])) == (True, day(0))


def test_plan_terms_are_those_of_the_day_L4(lake: Lake) -> None:
    store_day(lake, day(0), rows=[metrics("a")], plans=[plan(leverage=30.0, daily_loss_limit_pct=4.0)])
    store_day(lake, day(1), plans=[plan(leverage=100.0, daily_loss_limit_pct=None)])
    staged = stage(lake, day(0), day(1))
    assert (staged[day(0)]["a"]["leverage"], staged[day(0)]["a"]["daily_loss_limit_pct"]) == (30.0, 4.0)
    assert (staged[day(1)]["a"]["leverage"], staged[day(1)]["a"]["daily_loss_limit_pct"]) == (100.0, None)


def test_terms_of_an_unknown_plan_are_null_and_not_zero(lake: Lake) -> None:
    store_day(lake, day(0), rows=[metrics("a", plan_id="never heard of")])
    row = stage(lake, day(0))[day(0)]["a"]
    names = ("plan_type", "leverage", "profit_target_pct", "max_drawdown_pct", "daily_loss_limit_pct",
             "is_drawdown_relative", "min_trading_days", "inactivity_period_days", "plan_valid_from")  # fmt: skip
    assert [row[name] for name in names] == [None] * len(names)
    assert row["is_eligible"]


def test_none_stays_null_beside_known_terms(lake: Lake) -> None:
    none = plan(profit_target_pct=None, daily_loss_limit_pct=None, maximum_time=None)
    store_day(lake, day(0), rows=[metrics("a")], plans=[none])
    row = stage(lake, day(0))[day(0)]["a"]
    assert (row["profit_target_pct"], row["daily_loss_limit_pct"], row["max_trading_days"]) == (None, None, None)
    assert row["max_drawdown_pct"] == 10.0
