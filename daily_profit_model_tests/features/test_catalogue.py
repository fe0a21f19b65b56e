"""The catalogue: what every declaration says, and the minimum that must be there."""

from __future__ import annotations

import subprocess
import sys

import pytest

from daily_profit_model.features import CATALOGUE, FEATURES_ACCOUNT_DAILY, account_daily_query, catalogue_hash
from daily_profit_model.features.feature import Feature
from daily_profit_model.tables.staging import STAGING_ACCOUNTS

MINIMUM = {
    "static": "starting_balance leverage profit_target_pct max_drawdown_pct daily_loss_limit_pct is_drawdown_relative "
    "profit_share_pct min_trading_days max_trading_days liquidate_friday inactivity_period_days "
    "daily_drawdown_by_balance_equity enable_consistency plan_type phase platform broker country",
    "state": "balance equity balance_to_start equity_to_start open_pnl open_positions open_volume "
    "equity_high_water_mark days_since_equity_high drawdown_from_peak days_since_first_trade days_since_last_trade "
    "active_trading_days distance_to_profit_target progress_to_profit_target distance_to_max_drawdown daily_loss_room "
    "days_to_time_limit days_to_inactivity_breach approved_payouts pending_payouts days_to_next_payout",
    "performance": " ".join(
        f"pnl_{name}_{w}d rel_pnl_{name}_{w}d"
        for w in (3, 5, 10, 20)
        for name in ("sum", "mean", "std", "min", "max", "downside_std", "max_drawdown")
    )
    + " pnl_sum_1d rel_pnl_sum_1d "
    + " ".join(
        f"{name}_{w}d"
        for w in (3, 5, 10, 20)
        for name in ("win_day_share", "trading_day_share", "profit_factor", "sharpe", "days_observed")
    ),
    "memory": "pnl_lag_1d pnl_lag_2d pnl_lag_3d pnl_lag_4d pnl_lag_5d winning_streak losing_streak idle_streak "
    "ewm_pnl_3d ewm_pnl_10d abs_pnl_mean_3d abs_pnl_mean_5d abs_pnl_mean_10d abs_pnl_mean_20d "
    "same_weekday_pnl_mean_4w same_weekday_trading_share_4w",
    "calendar": "day_of_week is_weekend week_of_month month quarter is_month_start is_month_end is_quarter_start "
    "is_quarter_end days_to_month_end",
}
_MONEY = ("pnl_", "ewm_", "abs_pnl", "balance", "equity", "approved", "pending", "distance_", "daily_loss_room")
_NO_MONEY = ("_to_start", "days_since", "rel_")


@pytest.mark.parametrize("family", MINIMUM)
def test_the_minimum_of_a_family_is_there(family: str) -> None:
    there = {feature.name for feature in CATALOGUE if feature.family == family}
    assert set(MINIMUM[family].split()) - there == set()


def test_names_are_unique_and_columns_stand_in_the_catalogues_order() -> None:
    names = [feature.name for feature in CATALOGUE]
    assert len(set(names)) == len(names)
    assert FEATURES_ACCOUNT_DAILY.column_names == ["date", "account_id", "login", "plan_id", *names]


@pytest.mark.parametrize("feature", CATALOGUE, ids=lambda feature: feature.name)
def test_a_feature_says_what_it_is_what_null_means_and_what_it_rests_on(feature: Feature) -> None:
    assert len(feature.description) > 4
    assert feature.null_means
    assert feature.inputs
    assert set(feature.inputs) <= set(STAGING_ACCOUNTS.column_names)
    assert feature.null_means in feature.column().description


@pytest.mark.parametrize("feature", CATALOGUE, ids=lambda feature: feature.name)
def test_units_are_said_where_they_are_due(feature: Feature) -> None:
    name = feature.name
    if name.endswith("_pct"):
        assert feature.unit == "percent"
    elif name.startswith("rel_") or name.endswith("_share") or "_share_" in name:
        assert feature.unit == "share"
    elif "days" in name and feature.kind == "count":
        assert feature.unit == "days"
    elif name.startswith(_MONEY) and not any(part in name for part in _NO_MONEY):
        assert feature.unit == "USD"
    elif feature.kind in ("category", "flag"):
        assert feature.unit is None


def test_a_window_in_a_name_is_the_window_of_the_declaration() -> None:
    for feature in CATALOGUE:
        if feature.family == "performance":
            assert feature.name.endswith(f"_{feature.window}d")
        assert feature.window is None or 1 <= feature.window <= 60


def test_the_compiled_text_names_every_feature_once_and_uses_no_window_aggregate_but_the_median() -> None:
    sql = account_daily_query().sql
    for feature in CATALOGUE:
        assert sql.count(f" as {feature.name}\n") + sql.count(f" as {feature.name},") == 1, feature.name
    assert sql.count(" over (") == 1
    for aggregate in ("sum(", "avg(", "stddev"):
        assert aggregate not in sql


def test_the_catalogues_hash_is_the_same_in_every_process() -> None:
    text = "from daily_profit_model.features import catalogue_hash; print(catalogue_hash())"
    other = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == catalogue_hash()
