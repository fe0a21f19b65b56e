"""The catalogue: what every declaration says, and the minimum that must be there."""

from __future__ import annotations

import subprocess
import sys

import pytest

from daily_profit_model.features import (
    CATALOGUE,
    FEATURES_ACCOUNT_DAILY,
    account_daily_query,
    catalogue_hash,
    look_back_days,
)
from daily_profit_model.features.feature import Feature
from daily_profit_model.tables.raw import RAW_MARKET_REGIMES
from daily_profit_model.tables.raw_regimes import INSTRUMENTS

_OF_TRADES = [
    "trades_count", "trades_per_active_day", "duration_mean", "duration_std", "lots_mean", "lots_max", "volume_sum",
    "stop_loss_share", "take_profit_share", "buy_share", "symbols_count", "top_symbol_share", "symbol_hhi",
    "forex_share", "metals_share", "index_share", "crypto_share", "energy_share", "asia_session_share",
    "london_session_share", "new_york_session_share", "weekend_share", "trade_win_rate", "payoff_ratio",
    "lots_after_loss_ratio", "holding_asymmetry", "commission_sum",
]  # fmt: skip
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
    "behaviour": " ".join(f"{name}_{w}d" for w in (5, 20) for name in _OF_TRADES),
    "market": "sentiment_score bullish_share volatility_regime liquidity_state yield_curve_shape anomaly_count "
    "to_risk_on to_risk_off to_vol_spike fed_funds_rate_effective inflation_us_consumer_prices treasury_2_year "
    "treasury_10_year unemployment_rate real_gdp own_symbol_volatility_20d "
    + " ".join(f"{symbol.lower()}_daily_return {symbol.lower()}_volatility_90d" for symbol in INSTRUMENTS),
    "peers": "peer_rank_pnl_sum_5d peer_rank_equity_to_start peer_pnl_mean_1d",
}
_MONEY = ("pnl_", "ewm_", "abs_pnl", "balance", "equity", "approved", "pending", "distance_", "daily_loss_room")
_MONEY += ("volume_sum", "commission_sum", "peer_pnl")
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
    tables = {table.name: table for table in look_back_days()}
    assert all(column in tables[table].column_names for table, column in feature.read)
    assert feature.null_means in feature.column().description


@pytest.mark.parametrize("feature", CATALOGUE, ids=lambda feature: feature.name)
def test_units_are_said_where_they_are_due(feature: Feature) -> None:
    name = feature.name
    if len(feature.read) == 1 and feature.read[0][0] == RAW_MARKET_REGIMES.name:
        assert feature.unit == RAW_MARKET_REGIMES.column(feature.read[0][1]).unit
    elif name.endswith("_pct"):
        assert feature.unit == "percent"
    elif name.startswith("rel_pnl_") or name.endswith("_share") or "_share_" in name:
        assert feature.unit == "share"
    elif "days" in name and feature.kind == "count":
        assert feature.unit == "days"
    elif name.startswith(_MONEY) and not any(part in name for part in _NO_MONEY):
        assert feature.unit == "USD"
    elif name.startswith("duration_"):
        assert feature.unit == "hours"
    elif name.startswith("lots_") and "ratio" not in name:
        assert feature.unit == "lots"
    elif feature.kind in ("category", "flag"):
        assert feature.unit is None


def test_a_window_in_a_name_is_the_window_of_the_declaration() -> None:
    for feature in CATALOGUE:
        if feature.family in ("performance", "behaviour"):
            assert feature.name.endswith(f"_{feature.window}d")
        assert feature.window is None or 1 <= feature.window <= 60


def test_the_compiled_text_names_every_feature_once() -> None:
    sql = account_daily_query().sql
    for feature in CATALOGUE:
        assert sql.count(f" as {feature.name}\n") + sql.count(f" as {feature.name},") == 1, feature.name


def test_no_aggregate_sums_in_an_order_of_its_own_but_over_symbols_and_peers() -> None:
    """Those two sum whole numbers, of which no order moves a bit."""
    query = account_daily_query()
    ordered = [stage for stage in (*query.stages, query.final) if stage.name not in ("symbol_windows", "peers")]
    assert len(ordered) == len(query.stages) - 1
    for stage in ordered:
        for aggregate in (" over (", "sum(", "avg(", "stddev"):
            assert aggregate not in stage.sql, stage.name


def test_the_text_that_a_code_version_rests_on_holds_every_stage() -> None:
    query = account_daily_query()
    assert all(stage.sql in query.code for stage in (*query.stages, query.final))


def test_the_catalogue_has_at_least_150_features() -> None:
    assert len(CATALOGUE) >= 150


def test_the_catalogues_hash_is_the_same_in_every_process() -> None:
    text = "from daily_profit_model.features import catalogue_hash; print(catalogue_hash())"
    other = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == catalogue_hash()
