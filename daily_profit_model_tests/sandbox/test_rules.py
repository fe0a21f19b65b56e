"""Each plan rule acts when, and only when, its limit is really reached."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from daily_profit_model.sandbox import symbols
from daily_profit_model.sandbox.world import World

FRIDAY = 4
CENT = 0.0051


@pytest.fixture(scope="module")
def lowest(last_days: pd.DataFrame, trades: pd.DataFrame) -> pd.Series:
    """The lowest balance on each account's last day: after any of its closes, or at its end."""
    final = trades.merge(last_days["day"].rename("last").reset_index(), on="uid")
    # What a breach liquidates closes in the same millisecond as the trade that caused it: losses first.
    final = final[final["day"] == final["last"]].sort_values(["uid", "close_ms", "net"])
    running = (final["net"] - final["fee"]).groupby(final["uid"]).cumsum().groupby(final["uid"]).min()
    running = last_days["prior_balance"] + running.reindex(last_days.index).fillna(0.0)
    return running.clip(upper=last_days["balance"])


def floors(account_days: pd.DataFrame) -> pd.DataFrame:
    """Drawdown and daily floors of each account day, from what was known the day before."""
    frame = account_days.copy()
    paid = frame.groupby("uid")["payout"].cumsum()
    # A payout lowers the peak by its amount, so the peak is that of equity with payouts put back.
    whole = (frame["equity"] + paid).groupby(frame["uid"]).cummax()
    known = whole.groupby(frame["uid"]).shift(1)
    paid_before = paid.groupby(frame["uid"]).shift(1).fillna(0.0)
    start = frame["starting_balance"]
    peak = np.maximum(known.fillna(0.0), start) - paid_before
    top = np.where(frame["static"] == 1, start, peak)
    frame["drawdown_floor"] = top - frame["drawdown"] / 100 * start
    base = np.where(
        frame["by_equity"] == 1, np.maximum(frame["prior_balance"], frame["prior_equity"]), frame["prior_balance"]
    )
    limit = frame["daily_limit"] / 100
    frame["daily_floor"] = np.where(limit > 0, base * (1 - limit), -np.inf)
    return frame


@pytest.mark.parametrize(("reason", "floor"), [("drawdown", "drawdown_floor"), ("daily_loss", "daily_floor")])
def test_a_breached_account_really_crossed_its_limit(
    account_days: pd.DataFrame, lowest: pd.Series, reason: str, floor: str
) -> None:
    frame = floors(account_days)
    ended = frame[(frame["status"] != 1) & (frame["reason"] == reason)].set_index("uid")
    assert len(ended) >= 5
    assert (lowest.loc[ended.index] <= ended[floor] + CENT).all()


def test_a_live_account_never_ends_a_day_under_its_limits(account_days: pd.DataFrame) -> None:
    frame = floors(account_days)
    alive = frame[frame["status"] == 1]
    equity = alive["equity"] + alive["payout"]
    assert (equity > alive["drawdown_floor"] - CENT).all()
    assert (equity > alive["daily_floor"] - CENT).all()


def test_trailing_and_static_drawdown_both_breach(account_days: pd.DataFrame) -> None:
    ended = account_days[(account_days["status"] != 1) & (account_days["reason"] == "drawdown")]
    assert set(ended["static"]) == {0.0, 1.0}


def test_an_account_passes_only_with_its_target_reached(last_days: pd.DataFrame) -> None:
    passed = last_days[last_days["reason"] == "target"]
    assert len(passed) >= 5
    assert (passed["status"] == 2).all()
    assert (passed["target"] > 0).all()
    assert (passed["balance"] >= passed["starting_balance"] * (1 + passed["target"] / 100) - CENT).all()


def test_an_account_passes_only_after_its_minimum_of_trading_days(
    account_days: pd.DataFrame, last_days: pd.DataFrame
) -> None:
    active = (account_days["trades"] > 0).groupby(account_days["uid"]).sum()
    passed = last_days[last_days["reason"] == "target"]
    assert (active.loc[passed.index] >= passed["min_days"]).all()


def test_a_passed_account_opens_the_next_phase_as_a_new_account_the_day_after(
    world: World, last_days: pd.DataFrame
) -> None:
    register = world.accounts.to_pandas()
    passed = last_days[(last_days["reason"] == "target") & (last_days["day"] < last_days["day"].max())]
    following = world.plans.to_pandas().set_index("planId")["nextPlanId"]
    promoted = 0
    for uid, row in passed.iterrows():
        following_plan = following[str(row["plan_id"])]
        if not following_plan:
            continue
        heirs = register[(register["trader"] == row["trader"]) & (register.index > uid)]
        opened = pd.Timestamp(row["ended"]) + pd.Timedelta(days=1)
        assert heirs.iloc[0]["plan_id"] == int(following_plan)
        assert pd.Timestamp(heirs.iloc[0]["opened"]) == opened
        promoted += 1
    assert promoted >= 5


def test_inactivity_ends_an_account_after_just_that_many_days(
    account_days: pd.DataFrame, trades: pd.DataFrame, last_days: pd.DataFrame
) -> None:
    ended = last_days[last_days["reason"] == "inactivity"]
    assert len(ended) >= 5
    last_trade = trades.groupby("uid")["day"].max().reindex(ended.index)
    first_day = account_days.groupby("uid")["day"].min().loc[ended.index]
    waited = ended["day"] - last_trade.fillna(first_day - 1)
    assert (waited == ended["inactivity"]).all()


def test_a_time_limit_ends_the_account_on_its_last_day(account_days: pd.DataFrame, last_days: pd.DataFrame) -> None:
    lived = account_days.groupby("uid").size().loc[last_days.index]
    limited = last_days["max_time"] > 0
    assert (lived[limited] <= last_days["max_time"][limited]).all()
    late = last_days["reason"] == "time_limit"
    assert (lived[late] == last_days["max_time"][late]).all()


def test_plans_that_ask_for_it_hold_nothing_over_the_weekend(world: World, account_days: pd.DataFrame) -> None:
    must = account_days.groupby("uid")["friday"].first()
    left = world.open_trades.to_pandas()
    left = left[(left["day"] + 3) % 7 == FRIDAY]
    flat = must.loc[left["uid"]].to_numpy() == 1
    assert len(left) > 10
    assert not flat.any()


def test_positions_opened_before_a_weekend_wait_for_monday(world: World, trades: pd.DataFrame) -> None:
    weekend = trades[(trades["day"] + 3) % 7 >= 5]
    held = weekend[~symbols.CRYPTO[weekend["symbol"].to_numpy()]]
    # Nothing but a breach or a time limit, which close everything at once, ends them at a weekend.
    ended = world.accounts.to_pandas()["ended"]
    closed = pd.to_datetime(held["day"], unit="D").dt.date
    assert (ended[held["uid"]].to_numpy() == closed.to_numpy()).all()


def test_no_position_survives_the_end_of_its_account(world: World) -> None:
    left = world.open_trades.to_pandas()
    ended = pd.to_datetime(world.accounts.to_pandas()["ended"])
    day = pd.to_datetime(left["day"], unit="D")
    assert not (day.to_numpy() > ended.loc[left["uid"]].to_numpy()).any()


def test_equity_is_balance_plus_the_profit_of_open_positions(world: World, account_days: pd.DataFrame) -> None:
    left = world.open_trades.to_pandas().groupby(["uid", "day"])["profit"].sum()
    frame = account_days.set_index(["uid", "day"])
    floating = left.reindex(frame.index).fillna(0.0)
    assert (frame["equity"] - frame["balance"] - floating).abs().max() < 0.006
