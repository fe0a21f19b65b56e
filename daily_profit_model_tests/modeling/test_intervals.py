"""Calibration is a pure fold over whole earlier days whose coverage holds over the account-days served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from daily_profit_model.modeling.conformity import ACTIVITIES, before, conformity, history_for
from daily_profit_model.modeling.contracts import MONITORING_CONFORMITY
from daily_profit_model.modeling.frames import of_days
from daily_profit_model.modeling.intervals import IntervalSettings, apply_levels, calibrate, fold_levels
from daily_profit_model.modeling.scoring import score
from daily_profit_model.modeling.training import TrainedModel
from daily_profit_model_tests.benchmarks import interval_coverage as benchmark
from daily_profit_model_tests.modeling.panel import Panel


@pytest.fixture(scope="module")
def simulated() -> benchmark.Panel:
    return benchmark.simulate(seed=4, accounts=120, days=110)


@pytest.fixture(scope="module")
def history(simulated: benchmark.Panel) -> pa.Table:
    return conformity(simulated.scores, simulated.outcomes)


USUAL = ACTIVITIES.index("usual")


def stretched(days: Sequence[np.ndarray], plan_type: str | None = None) -> pa.Table:
    """A history of usual accounts with the given stretches day by day, in both tails."""
    dates = [date(2024, 1, 1) + timedelta(days=place) for place, values in enumerate(days) for _ in values]
    return pa.table(
        {
            "prediction_date": pa.array(dates, pa.date32()),
            "activity": ["usual"] * len(dates),
            "plan_type": pa.array([plan_type] * len(dates), pa.string()),
            "lower_stretch": np.concatenate(days),
            "upper_stretch": np.concatenate(days),
        }
    )


def test_conformity_measures_each_tail_apart_in_profit_scales() -> None:
    day = pa.array([date(2024, 1, 5)] * 3, pa.date32())
    scores = pa.table(
        {
            "prediction_date": day,
            "account_id": ["a", "b", "c"],
            "median": [0.0, 0.0, 10.0],
            "mean": [0.0, 0.0, 0.0],
            "q05": [-100.0, -100.0, -90.0],
            "q95": [50.0, 50.0, 50.0],
            "probability_trade": [0.1, 0.5, 0.9],
            "probability_profit": [0.1, 0.2, 0.3],
            "profit_scale": [50.0, 50.0, 50.0],
            "plan_type": ["Standard P1", None, "Pro Funded"],
            "model_version": ["v"] * 3,
            "model_hash": ["h"] * 3,
        }
    )
    outcomes = pa.table({"prediction_date": day, "account_id": ["c", "b", "a"], "net_profit": [10.0, 151.0, -200.0]})
    rows = conformity(scores, outcomes)
    assert rows.schema.equals(MONITORING_CONFORMITY.schema())
    assert rows["activity"].to_pylist() == ["rare", "often", "usual"]
    assert rows["plan_type"].to_pylist() == ["Standard P1", None, "Pro Funded"]
    assert rows["lower_excess"].to_pylist() == [2.0, pytest.approx(-5.02), -2.0]
    assert rows["upper_excess"].to_pylist() == [-5.0, pytest.approx(2.02), pytest.approx(-0.8)]
    assert rows["lower_stretch"].to_pylist() == [pytest.approx(200 / 101), 0.0, 0.0]
    assert rows["upper_stretch"].to_pylist() == [0.0, pytest.approx(151 / 51), 0.0]


def test_outcomes_that_have_not_arrived_and_closed_accounts_have_no_conformity_L9(
    simulated: benchmark.Panel,
) -> None:
    day = simulated.days[0]
    scores = of_days(simulated.scores, (day,), "prediction_date")
    outcomes = of_days(simulated.outcomes, (day,), "prediction_date")
    status = ["pending", "closed", *["idle"] * (outcomes.num_rows - 2)]
    rows = conformity(scores, outcomes.append_column("status", pa.array(status)).slice(0, 100))
    assert rows.num_rows == 98
    nulls = pa.array([None] * 5 + outcomes["net_profit"].to_pylist()[5:], pa.float64())
    assert conformity(scores, outcomes.set_column(2, "net_profit", nulls)).num_rows == outcomes.num_rows - 5


def test_outcomes_of_the_predicted_day_or_later_are_refused(simulated: benchmark.Panel, history: pa.Table) -> None:
    day = simulated.days[-1]
    scores = of_days(simulated.scores, (day,), "prediction_date")
    with pytest.raises(ValueError, match="only earlier days may enter"):
        calibrate(scores, history)
    assert calibrate(scores, before(history, day)).num_rows == scores.num_rows


def test_an_empty_history_is_refused(simulated: benchmark.Panel, history: pa.Table) -> None:
    with pytest.raises(ValueError, match="no conformity history"):
        calibrate(simulated.scores.slice(0, 5), history.slice(0, 0))


def test_the_median_lies_inside_and_the_tails_are_apart(simulated: benchmark.Panel, history: pa.Table) -> None:
    day = simulated.days[-1]
    served = calibrate(of_days(simulated.scores, (day,), "prediction_date"), before(history, day))
    lower, median, upper = (served[name].to_numpy() for name in ("lower_90", "median", "upper_90"))
    assert np.all((lower <= median) & (median <= upper))
    worse = history.set_column(
        history.column_names.index("lower_stretch"),
        "lower_stretch",
        pa.array(history["lower_stretch"].to_numpy() * 3),
    )
    moved = calibrate(of_days(simulated.scores, (day,), "prediction_date"), before(worse, day))
    assert np.all(moved["lower_90"].to_numpy() < lower)
    assert moved["upper_90"].equals(served["upper_90"])


def test_the_same_inputs_give_the_same_bytes_in_any_order(simulated: benchmark.Panel, history: pa.Table) -> None:
    day = simulated.days[-1]
    scores, known = of_days(simulated.scores, (day,), "prediction_date"), before(history, day)
    shuffled = known.take(pa.array(np.random.default_rng(0).permutation(known.num_rows)))
    assert calibrate(scores, known).equals(calibrate(scores, shuffled))


def test_days_older_than_the_fold_and_its_window_change_nothing(history: pa.Table) -> None:
    settings = IntervalSettings(window_days=14, fold_days=28)
    days = sorted(set(history["prediction_date"].to_pylist()))
    recent = history.filter(pa.array([d >= days[-42] for d in history["prediction_date"].to_pylist()]))
    whole, part = fold_levels(history, settings), fold_levels(recent, settings)
    assert whole.lower.tolist() == part.lower.tolist()
    assert whole.upper_level == part.upper_level


def test_days_weigh_the_same_however_many_accounts_they_have() -> None:
    def days(sizes: list[int], stretches: list[float]) -> pa.Table:
        return stretched([np.full(n, s) for n, s in zip(sizes, stretches, strict=True)])

    settings = IntervalSettings(rate=0.0, half_life_days=1e9, miss_rate=0.4, claim_rows=0)
    few = fold_levels(days([10] * 4, [1.0, 1.0, 5.0, 5.0]), settings)
    many = fold_levels(days([1000, 10, 10, 10], [1.0, 1.0, 5.0, 5.0]), settings)
    assert few.lower.tolist() == many.lower.tolist()
    assert few.lower[USUAL, 0] == pytest.approx(5.0, rel=0.01)


def test_few_rows_leave_the_quantiles_what_they_claim_and_many_overrule_them() -> None:
    def lower(rows: int) -> float:
        history = stretched([np.linspace(0.0, 4.0, rows)] * 10)  # 5 % lie above 3.8
        return float(fold_levels(history, IntervalSettings(rate=0.0)).lower[USUAL, 0])

    # a stretch of one is what a 5 % quantile claims
    assert 1.0 <= lower(3) < 1.1 < lower(300) < lower(30_000) == pytest.approx(3.8, abs=0.1)


def test_missing_too_often_widens_the_next_day_and_too_seldom_narrows_it(history: pa.Table) -> None:
    fixed = fold_levels(history, IntervalSettings(rate=0.0))
    stretched = history.filter(pa.array(np.ones(history.num_rows, bool)))
    last = max(history["prediction_date"].to_pylist())
    is_last = np.array([day == last for day in history["prediction_date"].to_pylist()])
    place = history.column_names.index("lower_stretch")
    values = stretched["lower_stretch"].to_numpy()
    bad, good = (
        history.set_column(place, "lower_stretch", pa.array(np.where(is_last, value, values))) for value in (50.0, 0.0)
    )
    assert fixed.lower_level == 0.05
    assert fold_levels(bad, IntervalSettings()).lower_level < fold_levels(good, IntervalSettings()).lower_level


def test_coverage_over_any_thirty_days_stays_near_the_promise_through_regimes_and_weekends() -> None:
    adapted, fixed = (
        benchmark.summarise(
            "x", [benchmark.daily(benchmark.simulate(s, accounts=100, days=112), settings) for s in (1, 2)]
        )
        for settings in (IntervalSettings(), IntervalSettings(rate=0.0, half_life_days=1e9))
    )
    assert adapted.lowest > 0.865
    assert adapted.highest < 0.935
    assert adapted.within > 0.9
    assert adapted.within > fixed.within
    assert adapted.winkler < 1.0, "calibration narrows or widens to the better"


def test_groups_with_few_rows_follow_the_pool(history: pa.Table) -> None:
    alone = fold_levels(history, IntervalSettings(rate=0.0, pool_rows=1))
    pooled = fold_levels(history, IntervalSettings(rate=0.0, pool_rows=10**12))
    assert len(set(pooled.lower.ravel().tolist())) == 1
    assert len(set(alone.lower.ravel().tolist())) == 3


def of_plans(wide: str | None, narrow: str | None, rows: int = 5_000) -> pa.Table:
    """Ten days of usual accounts of two plan types, one of which strays four times as far."""
    reach = np.linspace(0.0, 4.0, rows)
    first, second = stretched([reach] * 10, plan_type=wide), stretched([reach / 4] * 10, plan_type=narrow)
    return pa.concat_tables([first, second])


def test_plan_types_that_stray_further_have_wider_intervals_and_few_rows_follow_their_activity() -> None:
    settings = IntervalSettings(rate=0.0, claim_rows=0, plan_rows=2_000)
    many, few = (fold_levels(of_plans("Pro P1", "Standard P1", rows), settings) for rows in (5_000, 5))
    assert many.plan_types == few.plan_types == ("Pro P1", "Standard P1")
    whole, pro, standard = many.lower[USUAL]
    assert standard < 0.5 * whole < whole < pro
    assert pro == pytest.approx(3.8, abs=0.1)
    assert np.ptp(few.lower[USUAL]) < 0.1 * few.lower[USUAL, 0]
    # activities of which nothing was seen take the pool's
    assert np.ptp(many.lower[ACTIVITIES.index("rare")]) == 0.0


def test_an_account_takes_the_threshold_of_its_plan_type_and_a_stranger_that_of_its_activity() -> None:
    levels = fold_levels(of_plans("Pro P1", "Standard P1"), IntervalSettings(rate=0.0))
    names = ["Pro P1", "Standard P1", "Never seen", None]
    scores = pa.table({
        "prediction_date": pa.array([date(2024, 2, 1)] * 4, pa.date32()), "median": [0.0] * 4, "q05": [-100.0] * 4,
        "q95": [100.0] * 4, "profit_scale": [1e-9] * 4, "probability_trade": [0.9] * 4, "plan_type": names,
    })  # fmt: skip
    lower = apply_levels(scores, levels)["lower_90"].to_numpy()
    assert lower == pytest.approx(-100.0 * levels.lower[USUAL][[1, 2, 0, 0]])


def test_only_the_largest_plan_types_have_thresholds_of_their_own() -> None:
    many = pa.concat_tables(
        stretched([np.linspace(0.0, 4.0, 10 + place)] * 3, plan_type=f"p{place}") for place in range(5)
    )
    settings = IntervalSettings(most_plan_types=2)
    assert fold_levels(many, settings).plan_types == ("p3", "p4")


def test_accounts_without_a_plan_type_are_calibrated_as_their_activity() -> None:
    unknown = fold_levels(of_plans(None, None), IntervalSettings())
    known = fold_levels(of_plans("Pro P1", "Standard P1"), IntervalSettings())
    assert unknown.plan_types == ()
    assert unknown.lower[:, 0].tolist() == fold_levels(of_plans("p", "p"), IntervalSettings()).lower[:, 0].tolist()
    assert unknown.lower.shape == (3, 1)
    assert known.lower.shape == (3, 3)


def test_the_bundles_own_days_start_a_calibration_and_win_over_served_ones(
    trained: TrainedModel, panel: Panel, cutoff: date
) -> None:
    tomorrow = cutoff + timedelta(days=1)
    nothing = MONITORING_CONFORMITY.schema().empty_table()
    own = history_for(trained.model, nothing, tomorrow)
    assert set(own["model_hash"].to_pylist()) == {trained.model.hash}
    served = own.set_column(own.column_names.index("model_version"), "model_version", pa.repeat("old", own.num_rows))
    early = served.slice(0, 150)
    days = pa.array([date(2023, 12, 1)] * 150, pa.date32())
    early = early.set_column(0, "prediction_date", days)
    both = history_for(trained.model, pa.concat_tables([served, early]), tomorrow)
    assert both.num_rows == own.num_rows + 150
    assert both["model_version"].to_pylist().count("old") == 150
    rows = panel.frame.slice(panel.frame.num_rows - 150)
    rows = rows.set_column(1, "target_date", pa.array([tomorrow] * 150, pa.date32()))
    assert calibrate(score(trained.model, rows), own).column_names[-2:] == ["lower_90", "upper_90"]


def test_a_day_is_calibrated_only_by_earlier_days_of_the_bundle_L5(trained: TrainedModel) -> None:
    day = date.fromisoformat(trained.model.manifest["split"]["test"]["to"])
    own = history_for(trained.model, MONITORING_CONFORMITY.schema().empty_table(), day)
    assert max(own["prediction_date"].to_pylist()) == day - timedelta(days=1)


def test_settings_reach_the_fold(history: pa.Table) -> None:
    default = fold_levels(history, IntervalSettings())
    assert default.lower.tolist() != fold_levels(history, replace(IntervalSettings(), miss_rate=0.1)).lower.tolist()
