"""Faults of the tables that are made from the raw ones: staging, features, predictions, monitoring."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from daily_profit_model_tests.benchmarks.fault_catalogue import ALL, FIFTH, HALF, ONE, PART, Fault, of
from daily_profit_model_tests.benchmarks.fault_kinds import (
    PAGE,
    added,
    changed,
    constant,
    frozen,
    has,
    lost,
    new_row,
    nulled,
    page_lost,
    respelt,
    said,
    scaled,
    swapped,
    twice,
)

ACCOUNTS, TRADES = "staging/accounts", "staging/trades"
FEATURES, TRADE_DAYS = "features/account_daily", "features/trade_daily"
SNAPSHOTS, SCORES = "predictions/feature_snapshots", "predictions/model_scores"
PREDICTIONS, PORTFOLIO = "predictions/account_daily", "predictions/portfolio_daily"
CONFORMITY, CALIBRATION = "monitoring/conformity", "monitoring/interval_calibration"
OUTCOMES, PERFORMANCE = "monitoring/outcomes", "monitoring/model_performance"
FEEDS, STORAGE = "monitoring/feed_health", "monitoring/storage"
DAY = timedelta(days=1)
FUTURE = datetime(2030, 1, 1, tzinfo=UTC)
NOT_A_NUMBER, INFINITE = math.nan, math.inf


def _staging() -> list[Fault]:
    eligible = has("is_eligible")
    return [
        *of(ACCOUNTS, "rows lost", ("", 0.97, lost(0.97))),
        *of(ACCOUNTS, "rows twice", ("", ONE, twice(ONE)), ("", ALL, twice(ALL))),
        *of(ACCOUNTS, "day frozen", ("", ALL, frozen("date"))),
        *of(ACCOUNTS, "column null", ("balance", ALL, nulled("balance", ALL)), ("status", ONE, changed(ONE, lambda _: {"status": None}, eligible)), ("plan_valid_from", FIFTH, nulled("plan_valid_from", FIFTH)), ("equity", PART, nulled("equity", PART)), ("starting_balance", PART, nulled("starting_balance", PART)), names=("plan valid from",)),
        *of(ACCOUNTS, "×100", ("equity", ALL, scaled("equity", 100, ALL)), ("balance", ALL, scaled("balance", 100, ALL)), ("net_profit", ALL, scaled("net_profit", 100, ALL))),
        *of(ACCOUNTS, "÷100", ("starting_balance", ALL, scaled("starting_balance", 0.01, ALL)), ("equity_high", ALL, scaled("equity_high", 0.01, ALL)), ("leverage", ALL, scaled("leverage", 0.01, ALL))),
        *of(ACCOUNTS, "sign flipped", ("balance", ONE, changed(ONE, lambda row: {"balance": -row["balance"]}, eligible))),
        *of(ACCOUNTS, "unknown code", ("status", ONE, changed(ONE, lambda _: {"status": 5}, eligible))),
        *of(ACCOUNTS, "label respelt", ("plan_type", ALL, respelt("plan_type", ALL)), ("country", ALL, respelt("country", ALL))),
        *of(ACCOUNTS, "new label", ("plan_type", PART, said("plan_type", "Turbo", PART))),
        *of(ACCOUNTS, "dates of another day", ("state_date", ONE, said("state_date", FUTURE.date(), ONE)), ("last_trade_date", ONE, added("last_trade_date", -DAY, ONE, has("has_traded")))),
        *of(ACCOUNTS, "profit off", ("net_profit", ONE, changed(ONE, lambda _: {"net_profit": 0.02}, lambda row: not row["has_traded"]))),
        *of(ACCOUNTS, "balance off", ("equity_high", ONE, changed(ONE, lambda row: {"equity_high": row["equity"] - 0.01}))),
        *of(ACCOUNTS, "count off", ("open_positions", ONE, said("open_positions", -1, ONE)), ("active_days_at_last_non_win", ONE, said("active_days_at_last_non_win", 9999, ONE))),
        *of(ACCOUNTS, "columns swapped", ("balance", ALL, swapped("balance", "open_volume", ALL))),
        *of(TRADES, "rows lost", ("", HALF, lost(HALF)), ("", PAGE, page_lost("login"))),
        *of(TRADES, "rows twice", ("", ONE, twice(ONE)), ("", ALL, twice(ALL))),
        *of(TRADES, "unknown code", ("symbol_class", ONE, said("symbol_class", "bonds", ONE))),
        *of(TRADES, "label respelt", ("session", ALL, respelt("session", ALL, str.upper))),
        *of(TRADES, "symbol unknown", ("symbol_class", PART, said("symbol_class", "other", PART))),
        *of(TRADES, "profit off", ("net_profit", ONE, added("net_profit", 0.01, ONE))),
        *of(TRADES, "×100", ("net_profit", ALL, scaled("net_profit", 100, ALL))),
        *of(TRADES, "sign flipped", ("net_profit", ALL, scaled("net_profit", -1, ALL)), ("duration_hours", ONE, scaled("duration_hours", -1, ONE))),
        *of(TRADES, "login of nobody", ("account_id", FIFTH, changed(FIFTH, lambda _: {"account_id": None, "is_resolved": False})), ("account_id", ONE, said("account_id", None, ONE)), names=("unresolved",)),
        *of(TRADES, "column null", ("net_profit", ALL, nulled("net_profit", ALL))),
        *of(TRADES, "column null", ("symbol_class", PART, nulled("symbol_class", PART))),
    ]  # fmt: skip


def _features() -> list[Fault]:
    return [
        *of(FEATURES, "account missing", ("", ONE, lost(ONE)), ("", PAGE, page_lost("login"))),
        *of(FEATURES, "account unknown", ("account_id", ONE, new_row(account_id="77"))),
        *of(FEATURES, "rows twice", ("", ONE, twice(ONE)), ("", ALL, twice(ALL))),
        *of(FEATURES, "day frozen", ("", ALL, frozen("date"))),
        *of(FEATURES, "column null", ("pnl_sum_20d", ALL, nulled("pnl_sum_20d", ALL)), ("rel_pnl_sum_5d", PART, nulled("rel_pnl_sum_5d", PART)), ("profit_scale", ONE, nulled("profit_scale", ONE)), ("equity", ALL, nulled("equity", ALL)), ("plan_type", ALL, nulled("plan_type", ALL))),
        *of(FEATURES, "not a number", ("sharpe_20d", ONE, said("sharpe_20d", NOT_A_NUMBER, ONE)), ("pnl_mean_5d", ONE, said("pnl_mean_5d", INFINITE, ONE))),
        *of(FEATURES, "out of limits", ("win_day_share_60d", ONE, said("win_day_share_60d", 1.2, ONE)), ("trades_count_5d", ONE, said("trades_count_5d", -1, ONE)), ("to_risk_on", ALL, said("to_risk_on", 30.0, ALL))),
        *of(FEATURES, "×100", ("equity_to_start", ALL, scaled("equity_to_start", 100, ALL)), ("buy_share_20d", ALL, scaled("buy_share_20d", 100, ALL)), ("pnl_sum_20d", ALL, scaled("pnl_sum_20d", 100, ALL))),
        *of(FEATURES, "÷100", ("volume_sum_5d", ALL, scaled("volume_sum_5d", 0.01, ALL)), ("balance", ALL, scaled("balance", 0.01, ALL)), ("profit_scale", ALL, scaled("profit_scale", 0.01, ALL))),
        *of(FEATURES, "column constant", ("lots_mean_20d", ALL, constant("lots_mean_20d")), ("pnl_sum_5d", ALL, said("pnl_sum_5d", 0.0, ALL))),
        *of(FEATURES, "sign flipped", ("equity", ALL, scaled("equity", -1, ALL)), ("duration_mean_20d", ONE, scaled("duration_mean_20d", -1, ONE))),
        *of(FEATURES, "columns swapped", ("balance", ALL, swapped("balance", "volume_sum_5d", ALL))),
        *of(FEATURES, "label respelt", ("country", ALL, respelt("country", ALL)), ("plan_type", ALL, respelt("plan_type", ALL))),
        *of(TRADE_DAYS, "account missing", ("", ONE, lost(ONE)), ("", PAGE, page_lost("account_id"))),
        *of(TRADE_DAYS, "rows twice", ("", ONE, twice(ONE)), ("", ALL, twice(ALL))),
        *of(TRADE_DAYS, "day frozen", ("", ALL, frozen("date"))),
        *of(TRADE_DAYS, "count off", ("trades", ONE, added("trades", 1, ONE)), ("winning_trades", ONE, said("winning_trades", 9999, ONE)), names=("wins",)),
        *of(TRADE_DAYS, "profit off", ("gross_profit", ONE, added("gross_profit", 0.01, ONE)), names=("gross profit",)),
        *of(TRADE_DAYS, "sign flipped", ("gross_loss", ONE, scaled("gross_loss", -1, ONE)), ("lots", ALL, scaled("lots", -1, ALL))),
        *of(TRADE_DAYS, "not a number", ("duration_hours", ONE, said("duration_hours", NOT_A_NUMBER, ONE))),
        *of(TRADE_DAYS, "×100", ("gross_profit", ALL, scaled("gross_profit", 100, ALL)), names=("gross profit",)),
    ]  # fmt: skip


def _predictions() -> list[Fault]:
    dated = ("prediction_date",)
    return [
        *of(SNAPSHOTS, "account missing", ("", ONE, lost(ONE)), ("", PAGE, page_lost("account_id"))),
        *of(SNAPSHOTS, "rows twice", ("", ONE, twice(ONE))),
        *of(SNAPSHOTS, "day frozen", ("", ALL, frozen("prediction_date")), ("", "instants too", frozen("prediction_date", ("feature_date", "as_of")))),
        *of(SNAPSHOTS, "×100", ("balance", ALL, scaled("balance", 100, ALL)), ("pnl_sum_5d", ALL, scaled("pnl_sum_5d", 100, ALL)), names=("hash",)),
        *of(SNAPSHOTS, "column null", ("equity", ONE, nulled("equity", ONE)), names=("hash",)),
        *of(SNAPSHOTS, "dates of another day", ("feature_date", ALL, added("feature_date", -DAY, ALL)), ("as_of", ALL, added("as_of", timedelta(hours=5), ALL)), names=("features are those", "as of")),
        *of(SCORES, "account missing", ("", ONE, lost(ONE)), ("", PAGE, page_lost("account_id"))),
        *of(SCORES, "rows twice", ("", ONE, twice(ONE))),
        *of(SCORES, "column null", ("median", PART, nulled("median", PART)), ("q95", ONE, nulled("q95", ONE))),
        *of(SCORES, "not a number", ("mean", ONE, said("mean", NOT_A_NUMBER, ONE))),
        *of(SCORES, "quantiles crossing", ("q05", ONE, changed(ONE, lambda row: {"q05": row["median"] + 1})), ("q05", ALL, swapped("q05", "q95", ALL))),
        *of(SCORES, "out of limits", ("probability_trade", ONE, said("probability_trade", 1.2, ONE)), ("profit_scale", ONE, said("profit_scale", 0.0, ONE))),
        *of(SCORES, "other model", ("model_hash", ONE, said("model_hash", "0" * 64, ONE)), ("model_hash", ALL, respelt("model_hash", ALL, lambda text: text[:16])), names=("model",)),
        *of(PREDICTIONS, "account missing", ("", ONE, lost(ONE)), ("", PAGE, page_lost("account_id"))),
        *of(PREDICTIONS, "account unknown", ("account_id", ONE, new_row(account_id="77"))),
        *of(PREDICTIONS, "rows twice", ("", ONE, twice(ONE)), ("", ALL, twice(ALL))),
        *of(PREDICTIONS, "day frozen", ("", ALL, frozen("prediction_date")), ("", "instants too", frozen("prediction_date", ("feature_date", "as_of")))),
        *of(PREDICTIONS, "column null", ("predicted_net_profit", ONE, nulled("predicted_net_profit", ONE)), ("upper_90", PART, nulled("upper_90", PART)), ("features_hash", ALL, nulled("features_hash", ALL))),
        *of(PREDICTIONS, "quantiles crossing", ("lower_90", ONE, changed(ONE, lambda row: {"lower_90": row["upper_90"] + 1})), ("lower_90", ALL, swapped("lower_90", "upper_90", ALL))),
        *of(PREDICTIONS, "out of limits", ("probability_profit", ONE, said("probability_profit", 1.2, ONE)), ("probability_trade", ALL, scaled("probability_trade", 100, ALL)), ("probability_profit", HALF, swapped("probability_profit", "probability_trade", HALF))),
        *of(PREDICTIONS, "interval absurd", ("upper_90", ONE, added("upper_90", 1e7, ONE)), ("lower_90", ALL, scaled("lower_90", 1000, ALL)), ("upper_90", "÷100", changed(ALL, lambda row: {name: row["predicted_net_profit"] + (row[name] - row["predicted_net_profit"]) / 100 for name in ("lower_90", "upper_90")})), names=("interval", "width", "lower_90", "lower 90")),
        *of(PREDICTIONS, "×100", ("expected_net_profit", ALL, scaled("expected_net_profit", 100, ALL)), names=("mean",)),
        *of(PREDICTIONS, "other model", ("model_hash", ONE, said("model_hash", "0" * 64, ONE)), names=("model",)),
        *of(PREDICTIONS, "not a number", ("expected_net_profit", ONE, said("expected_net_profit", NOT_A_NUMBER, ONE))),
        *of(PREDICTIONS, "dates of another day", ("feature_date", ALL, added("feature_date", -DAY, ALL)), ("as_of", ALL, added("as_of", DAY, ALL)), names=("features are those", "as of")),
        *of(PREDICTIONS, "column constant", ("probability_trade", ALL, said("probability_trade", 0.7, ALL)), ("expected_net_profit", ALL, said("expected_net_profit", 0.0, ALL))),
        *of(PREDICTIONS, "reasons disordered", ("top_features", PART, changed(PART, lambda row: {"top_features": row["top_features"][::-1]}, lambda row: len(row["top_features"]) > 1)), names=("reasons", "features")),
        *of(PREDICTIONS, "lineage broken", ("snapshot_hash", ALL, respelt("snapshot_hash", ALL, lambda text: text[:16])), ("code_version", ONE, said("code_version", "4", ONE))),
        *of(PORTFOLIO, "portfolio off", *((column, f"{level} by {amount}", added(column, amount, ALL, lambda row, level=level: row["level"] == level)) for column, level, amount in (("accounts", "firm", 1), ("expected_net_profit", "firm", 0.05), ("expected_net_profit", "plan", 100.0))), names=("expectation", "expected")),
        *of(PORTFOLIO, "rows lost", ("", "a plan", lost(ONE, lambda row: row["level"] == "plan")), ("", ALL, lost(ALL))),
        *of(PORTFOLIO, "rows twice", ("", ONE, twice(ONE))),
        *of(PORTFOLIO, "quantiles crossing", ("lower_90", ALL, swapped("lower_90", "upper_90", ALL))),
        *of(PORTFOLIO, "column null", ("lower_90", ONE, nulled("lower_90", ONE)), names=("both ends", "interval")),
        *of(PORTFOLIO, "sign flipped", ("expected_net_profit", ALL, scaled("expected_net_profit", -1, ALL)), names=("expectation",)),
        *of(PORTFOLIO, "day frozen", ("", ALL, frozen(*dated))),
    ]  # fmt: skip


def _monitoring() -> list[Fault]:
    return [
        *of(CONFORMITY, "column null", ("lower_excess", ONE, nulled("lower_excess", ONE))),
        *of(CONFORMITY, "not a number", ("upper_excess", ONE, said("upper_excess", INFINITE, ONE))),
        *of(CONFORMITY, "sign flipped", ("lower_stretch", ALL, scaled("lower_stretch", -1, ALL))),
        *of(CONFORMITY, "rows twice", ("", ONE, twice(ONE)), ("", ALL, twice(ALL))),
        *of(CALIBRATION, "out of limits", ("level", ONE, said("level", 1.4, ONE)), ("threshold", ONE, said("threshold", -0.1, ONE)), ("miss_rate", ALL, said("miss_rate", 5.0, ALL))),
        *of(CALIBRATION, "unknown code", ("tail", ONE, said("tail", "middle", ONE))),
        *of(CALIBRATION, "rows lost", ("", ONE, lost(ONE))),
        *of(CALIBRATION, "rows twice", ("", ONE, twice(ONE))),
        *of(CALIBRATION, "lineage broken", ("calibration_version", ALL, said("calibration_version", "7", ALL)), names=("version",)),
        *of(OUTCOMES, "account missing", ("", ONE, lost(ONE)), ("", PAGE, page_lost("account_id"))),
        *of(OUTCOMES, "rows twice", ("", ONE, twice(ONE))),
        *of(OUTCOMES, "unknown code", ("outcome_status", ONE, said("outcome_status", "lost", ONE))),
        *of(OUTCOMES, "sign flipped", ("error", ALL, scaled("error", -1, ALL))),
        *of(OUTCOMES, "flags off", ("is_covered", ONE, changed(ONE, lambda row: {"is_covered": not row["is_covered"]}, has("is_covered"))), ("is_below", ALL, swapped("is_below", "is_above", ALL)), names=("covered", "in, below or above")),
        *of(OUTCOMES, "profit off", ("net_profit", ONE, added("net_profit", 0.05, ONE))),
        *of(OUTCOMES, "column null", ("net_profit", FIFTH, nulled("net_profit", FIFTH)), names=("profit",)),
        *of(PERFORMANCE, "out of limits", ("coverage_90", ALL, added("coverage_90", 0.05, ALL)), ("pinball_50", ALL, scaled("pinball_50", -1, ALL)), names=("covered", "rates")),
        *of(PERFORMANCE, "×100", ("mean_absolute_error", ALL, scaled("mean_absolute_error", 100, ALL)), names=("absolute error",)),
        *of(PERFORMANCE, "rows twice", ("", ALL, twice(ALL))),
        *of(PERFORMANCE, "not a number", ("winkler_90", ALL, said("winkler_90", NOT_A_NUMBER, ALL))),
        *of(FEEDS, "count off", ("ok", ONE, added("ok", 1, ONE)), names=("calls",)),
        *of(FEEDS, "out of limits", ("failure_rate", ONE, said("failure_rate", 0.5, ONE)), ("latency_p95_s", ONE, changed(ONE, lambda _: {"latency_p95_s": 60.0, "latency_p99_s": 61.0})), names=("failed", "calls")),
        *of(FEEDS, "columns swapped", ("latency_p50_s", ALL, changed(ALL, lambda row: {"latency_p50_s": row["latency_p99_s"] + 1}))),
        *of(STORAGE, "sign flipped", ("bytes", ONE, said("bytes", -1, ONE))),
        *of(STORAGE, "count off", ("partitions", ONE, said("partitions", 10**9, ONE))),
    ]  # fmt: skip


MADE_FAULTS = (*_staging(), *_features(), *_predictions(), *_monitoring())
