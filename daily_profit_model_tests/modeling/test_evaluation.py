"""Losses are what their definitions say, and skill is judged by days against the best baseline."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from daily_profit_model.modeling import evaluation as ev
from daily_profit_model.modeling.baselines import BaselineSettings, baseline_forecasts


def test_pinball_charges_each_side_by_its_level() -> None:
    outcome, quantile = np.array([10.0, -10.0]), np.zeros(2)
    np.testing.assert_allclose(ev.pinball(outcome, quantile, 0.95), [9.5, 0.5])
    np.testing.assert_allclose(ev.pinball(outcome, quantile, 0.5), [5.0, 5.0])


def test_pinball_loss_is_least_at_the_true_quantile() -> None:
    outcome = np.random.default_rng(0).normal(size=20_000)
    losses = [ev.pinball(outcome, np.full(len(outcome), q), 0.05).mean() for q in (-2.2, -1.645, -1.1)]
    assert losses[1] == min(losses)


def test_winkler_adds_twenty_times_the_distance_outside() -> None:
    scores = ev.winkler(np.array([0.0, 3.0, -2.0]), np.full(3, -1.0), np.full(3, 1.0))
    np.testing.assert_allclose(scores, [2.0, 2.0 + 40.0, 2.0 + 20.0])


def test_a_day_with_many_accounts_weighs_as_much_as_a_day_with_one() -> None:
    days = np.array([0] * 99 + [1])
    assert ev.mean_of_days(np.array([1.0] * 99 + [3.0]), days) == 2.0


def test_skill_is_against_the_best_baseline_and_not_the_first() -> None:
    losses = np.full(20, 0.9)
    result = ev.skill(losses, {"bad": np.full(20, 3.0), "good": np.full(20, 1.0)})
    assert result.best_baseline == "good"
    assert result.value == pytest.approx(0.1)
    assert result.lower == pytest.approx(0.1)
    assert result.upper == pytest.approx(0.1)


def test_the_skill_interval_resamples_days_so_one_lucky_day_proves_nothing() -> None:
    losses, baseline = np.ones(20), np.ones(20)
    losses[3] = 0.0
    result = ev.skill(losses, {"zero": baseline})
    assert result.value > 0
    assert result.lower <= 0 < result.upper


def test_the_bootstrap_gives_the_same_interval_every_time() -> None:
    rng = np.random.default_rng(1)
    losses, baseline = rng.random(30), {"zero": rng.random(30) + 0.1}
    assert ev.skill(losses, baseline) == ev.skill(losses, baseline)


def test_area_under_curve_counts_ties_half_and_is_none_without_both_kinds() -> None:
    assert ev.area_under_curve(np.array([1.0, 2.0, 3.0]), np.array([False, False, True])) == 1.0
    assert ev.area_under_curve(np.ones(4), np.array([True, False, True, False])) == 0.5
    assert ev.area_under_curve(np.ones(2), np.array([True, True])) is None


def test_rank_correlation_and_area_are_within_days_so_a_common_market_does_not_count() -> None:
    days = np.repeat([0, 1], 5)
    forecast = np.concatenate([np.arange(5.0), 100 + np.arange(5.0)])
    outcome = np.concatenate([-np.arange(5.0), 2 - np.arange(5.0)])
    table = predictions_of(days, outcome, mean=forecast, chance=np.tile([0.1, 0.2, 0.3, 0.4, 0.5], 2))
    found = ev.evaluate(table, {"zero": np.zeros((10, 3))})
    assert found.rank_correlation == pytest.approx(-1.0)
    assert found.auc_profit == pytest.approx(0.0)  # the second day alone has both kinds
    assert found.auc_trade is None
    assert "auc_trade" not in found.intervals


def predictions_of(
    days: npt.NDArray[np.int64], outcome: npt.NDArray[np.float64], mean: object, chance: object
) -> pa.Table:
    zeros = np.zeros(len(outcome))
    return pa.table(
        {
            "prediction_date": pa.array([date(2024, 1, 1) + timedelta(days=int(day)) for day in days], pa.date32()),
            "net_profit": outcome,
            "mean": mean,
            **dict.fromkeys(("median", "q05", "q95", "lower_90", "upper_90"), zeros),
            "probability_trade": chance,
            "probability_profit": chance,
            "traded": np.ones(len(outcome)),
        }
    )


def test_a_figures_interval_takes_days_and_not_rows() -> None:
    """Two days, one wholly inside the interval and one wholly outside: 0 to 1, however many rows they have."""
    days = np.repeat([0, 1], 500)
    outcome = np.repeat([0.0, 10.0], 500)
    found = ev.evaluate(
        predictions_of(days, outcome, np.zeros(1000), np.full(1000, 0.5)), {"zero": np.zeros((1000, 3))}
    )
    assert found.intervals["coverage_90"] == (0.5, 0.0, 1.0)
    assert found.intervals["mean_absolute_error"] == (5.0, 0.0, 10.0)


def test_segments_hold_every_row_once_and_show_where_intervals_miss() -> None:
    days = np.repeat([0, 1], 4)
    outcome = np.array([0.0, 0.0, 5.0, 5.0] * 2)
    labels = np.array(["quiet", "quiet", "busy", "busy"] * 2, dtype=object)
    table = predictions_of(days, outcome, np.zeros(8), np.full(8, 0.5))
    found = ev.evaluate(table, {"zero": np.zeros((8, 3))}, {"activity": labels}).segments
    assert [(part.name, part.label, part.rows, part.days, part.coverage_90) for part in found] == [
        ("activity", "busy", 4, 2, 0.0),
        ("activity", "quiet", 4, 2, 1.0),
    ]


def test_weights_of_the_crps_add_up_to_two_and_follow_the_gaps_between_levels() -> None:
    assert ev.crps_weights([0.05, 0.5, 0.95]) == pytest.approx([0.55, 0.9, 0.55])
    many = np.linspace(0.001, 0.999, 999)
    normal = np.random.default_rng(1).normal(size=4000)
    from scipy.stats import norm

    losses = np.array([ev.pinball(normal, np.full(4000, norm.ppf(level)), level).mean() for level in many])
    # the CRPS of a standard normal forecast for its own draws is 1 / sqrt(pi)
    assert losses @ ev.crps_weights(many.tolist()) == pytest.approx(1 / np.sqrt(np.pi), rel=0.02)


def frame(days: int, accounts: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    dates = np.repeat([date(2024, 1, 1) + timedelta(days=i) for i in range(days)], accounts)
    weekend = np.array([day.weekday() >= 5 for day in dates])
    scale = np.tile(np.exp(rng.normal(4, 1, accounts)), days)
    profit = np.where(weekend, 0.05, 1.0) * scale * rng.standard_t(4, len(dates))
    return pa.table(
        {
            "target_date": pa.array(dates, pa.date32()),
            "target_status": np.where(profit != 0, "traded", "idle"),
            "pnl_sum_1d": np.roll(profit, accounts),
            "pnl_median_20d": pa.array([None] * accounts + [1.0] * (len(dates) - accounts), pa.float64()),
            "profit_scale": scale,
            "target_net_profit": profit,
        }
    )


def test_baselines_are_what_their_names_say() -> None:
    past, rows = frame(60, 40, 1), frame(14, 40, 2)
    forecasts = baseline_forecasts(past, rows, BaselineSettings())
    median = float(np.median(past["target_net_profit"].to_numpy()))
    assert set(forecasts["zero"][:, 1]) == {0.0}
    assert set(forecasts["train_median"][:, 1]) == {median}
    np.testing.assert_array_equal(forecasts["last_value"][:, 1], rows["pnl_sum_1d"].to_numpy())
    assert forecasts["account_median"][0, 1] == median, "an account without history falls back"
    assert forecasts["account_median"][-1, 1] == 1.0


def test_the_last_value_baseline_is_not_the_train_mean() -> None:
    past, rows = frame(60, 40, 1), frame(14, 40, 2)
    points = baseline_forecasts(past, rows, BaselineSettings())["last_value"][:, 1]
    assert np.std(points) > 0.5 * np.std(rows["target_net_profit"].to_numpy())


def test_baseline_intervals_cover_weekends_and_weekdays_alike() -> None:
    past, rows = frame(200, 40, 1), frame(56, 40, 3)
    forecast = baseline_forecasts(past, rows, BaselineSettings())["zero"]
    outcome = rows["target_net_profit"].to_numpy()
    inside = (outcome >= forecast[:, 0]) & (outcome <= forecast[:, 2])
    weekend = np.array([day.weekday() >= 5 for day in rows["target_date"].to_pylist()])
    assert inside[weekend].mean() == pytest.approx(0.9, abs=0.04)
    assert inside[~weekend].mean() == pytest.approx(0.9, abs=0.04)


def test_a_missing_baseline_column_is_named() -> None:
    with pytest.raises(ValueError, match="lacks the column pnl_sum_1d that the baseline last_value repeats"):
        baseline_forecasts(frame(9, 4, 1).drop_columns(["pnl_sum_1d"]), frame(9, 4, 1), BaselineSettings())
