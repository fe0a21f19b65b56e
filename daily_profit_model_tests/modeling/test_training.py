"""A model beats every baseline on a panel with signal, none on noise, and is the same every time."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.baselines import BASELINES
from daily_profit_model.modeling.boosting import BoosterSettings
from daily_profit_model.modeling.bundle import Model, booster_file
from daily_profit_model.modeling.evaluation import quantile_losses
from daily_profit_model.modeling.forecasters.forecaster import OUTPUTS
from daily_profit_model.modeling.training import TrainedModel, TrainSettings, train
from daily_profit_model_tests.modeling.conftest import VERSIONS
from daily_profit_model_tests.modeling.panel import Panel, simulate_panel

SMALL = TrainSettings(objective="l1", booster=BoosterSettings(rounds=15))


def test_the_model_beats_every_baseline_in_pinball_loss_beyond_chance(trained: TrainedModel) -> None:
    skill = trained.evaluation.skill
    assert set(skill.baseline_losses) == set(BASELINES)
    assert all(skill.loss < loss for loss in skill.baseline_losses.values())
    assert skill.lower > 0


def test_the_model_reaches_much_of_what_the_true_quantiles_reach(trained: TrainedModel, panel: Panel) -> None:
    first = date.fromisoformat(trained.model.manifest["split"]["test"]["from"])
    rows = pc.greater_equal(panel.frame["target_date"], pa.scalar(first, pa.date32())).to_numpy()
    outcome = panel.frame["target_net_profit"].to_numpy()[rows]
    days = np.unique(panel.frame["target_date"].to_numpy()[rows], return_inverse=True)[1]
    oracle = quantile_losses(outcome, panel.truth[rows], days).mean()
    skill = trained.evaluation.skill
    best = skill.baseline_losses[skill.best_baseline]
    assert (best - skill.loss) / (best - oracle) > 0.3  # the oracle knows the volatility of the day itself


def test_a_model_of_pure_noise_has_no_skill_that_excludes_zero(panel: Panel, cutoff: date) -> None:
    rng = np.random.default_rng(0)
    noise = panel.frame.select(["feature_date", "target_date", "account_id", "pnl_sum_1d", "pnl_median_20d"])
    rows = noise.num_rows
    noise = noise.append_column("x", pa.array(rng.normal(size=rows)))
    noise = noise.append_column("profit_scale", pa.array(np.full(rows, 100.0)))
    noise = noise.append_column("target_net_profit", pa.array(rng.standard_t(4, rows) * 100))
    noise = noise.append_column("target_status", pa.repeat("traded", rows))
    features = [f for f in panel.features if f.name in ("pnl_sum_1d", "pnl_median_20d")]
    model = train(noise, features, cutoff=cutoff, data_versions={}, code_version="x")
    assert model.evaluation.skill.lower <= 0
    assert abs(model.evaluation.skill.value) < 0.01


def test_coverage_of_the_test_days_is_near_the_promise_in_both_tails(trained: TrainedModel) -> None:
    assert 0.87 < trained.evaluation.coverage_90 < 0.93
    assert 0.03 < trained.evaluation.miss_lower < 0.07
    assert 0.03 < trained.evaluation.miss_upper < 0.07


def test_rows_left_out_and_split_days_are_in_the_manifest(panel: Panel, cutoff: date) -> None:
    status = pa.array(["closed"] * 3 + panel.frame["target_status"].to_pylist()[3:])
    place = panel.frame.column_names.index("target_status")
    model = train(
        panel.frame.set_column(place, "target_status", status),
        panel.features,
        cutoff=cutoff,
        settings=SMALL,
        data_versions=VERSIONS,
        code_version="code-1",
    ).model
    assert model.manifest["rows"] == {"settled": panel.frame.num_rows - 3, "left_out": {"closed": 3}}
    assert model.manifest["data_versions"] == VERSIONS
    assert sum(part["days"] for part in model.manifest["split"].values()) == 110 - 2


def test_the_manifest_stores_what_the_booster_reports_not_what_was_asked_for(panel: Panel, cutoff: date) -> None:
    booster = BoosterSettings(rounds=5, extra={"min_sum_hessian": 0.5, "learning_rates": 9.0})
    model = train(
        panel.frame,
        panel.features,
        cutoff=cutoff,
        settings=TrainSettings(objective="l1", booster=booster),
        data_versions={},
        code_version="x",
    ).model
    reported = model.manifest["parameters"]["q05"]
    assert reported["objective"] == "quantile"
    assert reported["alpha"] == "0.05"
    assert reported["min_sum_hessian_in_leaf"] == "0.5"  # an alias, stored under the library's own name
    assert "learning_rates" not in reported  # a name that the library ignores
    assert reported["learning_rate"] == "0.04"


def test_the_order_of_rows_does_not_change_the_hash(panel: Panel, cutoff: date) -> None:
    shuffled = panel.frame.take(pa.array(np.random.default_rng(1).permutation(panel.frame.num_rows)))
    one, other = (
        train(frame, panel.features, cutoff=cutoff, settings=SMALL, data_versions={}, code_version="x").model
        for frame in (panel.frame, shuffled)
    )
    assert one.hash == other.hash
    assert one.files == other.files


def test_two_processes_with_other_hash_seeds_and_threads_give_the_same_hash() -> None:
    program = "from daily_profit_model_tests.modeling.test_training import small_hash; print(small_hash({}))"
    prints = [
        subprocess.run(
            [sys.executable, "-c", program.format(threads)],
            env={**os.environ, "PYTHONHASHSEED": seed, "OMP_WAIT_POLICY": "passive"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads, seed in ((1, "1"), (2, "2"))
    ]
    assert prints[0] == prints[1]
    assert [len(text) for text in prints[0].split()] == [64, 64]


def small_model(booster: BoosterSettings, objective: str = SMALL.objective) -> Model:
    panel = simulate_panel(accounts=30, days=60, seed=5)
    return train(
        panel.frame,
        panel.features,
        cutoff=max(panel.frame["target_date"].to_pylist()),
        settings=replace(SMALL, booster=booster, objective=objective),
        data_versions=VERSIONS,
        code_version="x",
    ).model


def test_the_number_of_workers_and_so_the_order_of_the_objectives_does_not_change_a_booster() -> None:
    models = [small_model(replace(SMALL.booster, workers=workers)) for workers in (1, 2, 6)]
    texts = [{name: model.files[booster_file(name)] for name in OUTPUTS} for model in models]
    assert texts[0] == texts[1] == texts[2]
    assert b"[alpha: 0.9]" in texts[0]["probability_trade"]  # not the alpha of a quantile grown before it


def small_hash(threads: int) -> str:
    """The hashes of small trainings, of the direct forecaster and of the one in two parts; run in processes of its own."""
    model, two_part = (
        small_model(replace(SMALL.booster, threads=threads), objective) for objective in (SMALL.objective, "two_part")
    )
    for name in OUTPUTS:
        assert hashlib.sha256(model.files[booster_file(name)]).hexdigest() in str(model.manifest["files"])
    return f"{model.hash} {two_part.hash}"
