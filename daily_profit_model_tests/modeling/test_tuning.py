"""The search for parameters: the same whenever it is stopped, blind to the days that judge, and honest in its bundle."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daily_profit_model import pictures
from daily_profit_model.modeling import plots, tuning
from daily_profit_model.modeling.boosting import BoosterSettings, bin_parts, fit_boosters, grow
from daily_profit_model.modeling.contracts import MODELS_TUNING
from daily_profit_model.modeling.design import Design, design_of, design_table
from daily_profit_model.modeling.forecasters import forecaster
from daily_profit_model.modeling.matrix import category_places
from daily_profit_model.modeling.splits import Days, split_by_date
from daily_profit_model.modeling.studies import NoDatabase, StudyInUse, StudyStore, opened
from daily_profit_model.modeling.training import TrainSettings, part_of, train_on
from daily_profit_model.modeling.tuning import Trial, Tuned, importances, study_name, tune, tuning_table
from daily_profit_model.modeling.tuning_folds import folds_of, stopped
from daily_profit_model.modeling.tuning_space import SPACE, Range, parameters_of, with_parameters
from daily_profit_model_tests.modeling.panel import simulate_panel

BAD = TrainSettings(
    objective="l1", booster=BoosterSettings(rounds=6, learning_rate=0.01, leaves=3, l2=100.0, workers=1)
)
"""Defaults that six rounds do little with."""
SEED = 4


@pytest.fixture(scope="module")
def design() -> Design:
    panel = simulate_panel(accounts=20, days=90, seed=5, noise_features=0)
    cutoff = max(panel.frame["target_date"].to_pylist())
    table = design_table(panel.frame, panel.features, cutoff=cutoff, split=BAD.split, columns=BAD.columns)
    return design_of(table)


@pytest.fixture(scope="module")
def in_one_go(design: Design) -> Tuned:
    return tune(design, BAD, trials=4, seed=SEED)


def test_a_search_begins_with_the_defaults_and_finds_better_than_bad_ones(in_one_go: Tuned) -> None:
    assert in_one_go.defaults.parameters == parameters_of(BAD)
    assert [trial.number for trial in in_one_go.trials] == [0, 1, 2, 3]
    assert in_one_go.best.value < 0.99 * in_one_go.defaults.value
    assert in_one_go.best.value == min(trial.value for trial in in_one_go.trials)


def test_the_same_search_gives_the_same_trials_and_another_seed_others(design: Design, in_one_go: Tuned) -> None:
    assert tune(design, BAD, trials=2, seed=SEED).trials == in_one_go.trials[:2]
    assert tune(design, BAD, trials=2, seed=SEED + 1).trials[1].parameters != in_one_go.trials[1].parameters


def test_a_search_that_was_stopped_goes_on_with_the_trials_that_it_would_have_made_in_one_go(
    design: Design, in_one_go: Tuned, tmp_path: Path
) -> None:
    store = StudyStore(tmp_path)
    heard: list[int] = []

    def stop_at(last: int) -> Callable[[Trial, Trial], None]:
        def told(done: Trial, _best: Trial) -> None:
            heard.append(done.number)
            if done.number == last:
                raise KeyboardInterrupt

        return told

    with opened(store, "one") as study:  # killed in its very first trial
        study.enqueue_trial(dict(parameters_of(BAD)))
        study.ask()
    with pytest.raises(KeyboardInterrupt):
        tune(design, BAD, study="one", trials=4, storage=store, seed=SEED, progress=stop_at(1))
    with opened(store, "one") as study:  # killed in the middle of a trial
        study.ask()
    found = tune(design, BAD, study="one", trials=4, storage=store, seed=SEED, progress=stop_at(9))
    assert replace(found, study=in_one_go.study) == in_one_go
    assert heard == [0, 1, 2, 3]
    fewer = tune(design, BAD, study="one", trials=2, storage=store, seed=SEED, progress=stop_at(0))
    assert fewer.trials == in_one_go.trials[:2]
    assert heard == [0, 1, 2, 3]


def test_a_study_is_worked_on_by_one_process_at_a_time(tmp_path: Path) -> None:
    store = StudyStore(tmp_path)
    with opened(store, "one"):
        with pytest.raises(StudyInUse, match="another process is tuning one: wait until it ends"), opened(store, "one"):
            pass
        with opened(store, "other") as other:
            assert other.study_name == "other"


def test_a_database_that_cannot_be_used_is_one_line_that_names_the_variable_and_not_the_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    store = StudyStore(Path("unused"), "postgresql://ana:very-secret@127.0.0.1:1/none")
    assert "very-secret" not in repr(store)
    with pytest.raises(NoDatabase, match="DPM_DATABASE_URL is set, but psycopg is not installed"), opened(store, "one"):
        pass


def with_targets(design: Design, days: Days, factor: float) -> Design:
    """The design with the net profits of `days` changed."""
    rows = design.rows
    chosen = pc.is_in(rows["target_date"], pa.array(days, pa.date32()))
    changed = pc.if_else(chosen, pc.add(pc.multiply(rows["target_net_profit"], factor), 1e4), rows["target_net_profit"])
    return replace(design, rows=rows.set_column(rows.column_names.index("target_net_profit"), "target_net_profit", changed))  # fmt: skip


def test_a_search_never_looks_at_the_days_that_calibrate_and_judge_L7(design: Design, in_one_go: Tuned) -> None:
    unseen = (*design.split.calibration, *design.split.test)
    assert tune(with_targets(design, unseen, -50.0), BAD, trials=2, seed=SEED).trials == in_one_go.trials[:2]
    seen = with_targets(design, design.split.validation[-1:], -50.0)
    assert tune(seen, BAD, trials=1, seed=SEED).trials != in_one_go.trials[:1]


@settings(max_examples=25, deadline=None)
@given(st.integers(44, 400))
def test_folds_walk_forward_over_training_and_validation_days_with_whole_weeks_to_judge(count: int) -> None:
    days = [date(2026, 1, 1) + timedelta(days=offset) for offset in range(count)]
    split = split_by_date(days, BAD.split)

    class OfSplit:
        pass

    of_split = OfSplit()
    of_split.split = split  # type: ignore[attr-defined]  # a design of its split alone
    folds = folds_of(of_split, BAD)  # type: ignore[arg-type]
    seen = {*split.train, *split.validation}
    assert 1 <= len(folds) <= 3
    for fold in folds:
        assert {*fold.train, *fold.test} <= seen
        assert fold.train[-1] + timedelta(days=1) < fold.test[0]
        assert len(fold.test) >= 7
        learn, stop = stopped(fold.train, BAD)
        assert learn[-1] + timedelta(days=1) < stop[0]
        assert len(learn) >= len(stop) >= 4
    assert folds[-1].test[-1] == split.validation[-1]
    assert len(folds) == 3 or len(seen) < 63


def test_a_trial_that_is_worse_than_the_median_is_dropped_after_a_fold_and_is_never_the_best(
    design: Design, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "TRIALS_BEFORE_PRUNING", 1)
    good = replace(BAD, booster=replace(BAD.booster, learning_rate=0.2, leaves=7, l2=1.0))
    found = tune(design, good, trials=4, seed=1)
    pruned = [trial for trial in found.trials if trial.state == "pruned"]
    assert pruned
    assert all(1 <= trial.folds < found.folds == 3 for trial in pruned)
    assert found.best.folds == 3
    first = Trial(0, "complete", 5.0, 3, {}, 1, ())
    others = (Trial(1, "pruned", 1.0, 1, {}, 2, ()), Trial(2, "complete", 5.0, 3, {}, 3, ()))
    assert Tuned("-", (first, *others), 3).best is first


def test_the_best_trial_is_chosen_only_where_it_is_better_than_the_defaults_beyond_the_luck_of_days() -> None:
    days = 10.0 + np.random.default_rng(1).normal(0.0, 3.0, 60)
    luck = np.random.default_rng(2).normal(0.0, 0.5, 60)

    def search(saved: float) -> Tuned:
        losses = (days, days - saved + luck - luck.mean())
        trials = (Trial(n, "complete", float(own.mean()), 3, {}, n, tuple(own)) for n, own in enumerate(losses))
        return Tuned("-", tuple(trials), 3)

    for saved, number in ((0.05, 0), (0.5, 1)):
        found = search(saved)
        assert found.best.number == 1
        assert found.chosen.number == number
        assert found.gain(found.best)[0] == pytest.approx(saved / days.mean())


def test_boosters_grown_on_shared_bins_after_others_have_the_bytes_of_boosters_grown_alone(design: Design) -> None:
    train, stop = (part_of(design, days, BAD) for days in (design.split.train, design.split.validation))
    names, places = [feature.name for feature in design.encoding], category_places(design.encoding)
    learners = forecaster("two_part").learners
    other = with_parameters(BAD, {**parameters_of(BAD), "leaves": 5, "leaf_row_share": 0.05, "l2": 1.0}).booster
    binned = bin_parts(train, stop, names, places, learners, BAD.booster)
    grow(binned, train, stop, learners, BAD.booster)
    assert grow(binned, train, stop, learners, other) == fit_boosters(train, stop, names, places, learners, other)


def test_a_version_with_tuned_parameters_reports_them_and_loses_no_fixed_one(design: Design) -> None:
    parameters = {"learning_rate": 0.11, "leaves": 9, "leaf_row_share": 0.002, "feature_fraction": 0.5, "l2": 3.0, "weight_power": 0.75}  # fmt: skip
    told = {"cutoff": "2024-03-31", "trial": 3}
    plain, tuned = (
        train_on(design, settings=own, data_versions={}, code_version="1", tuning=source).model.manifest
        for own, source in ((BAD, None), (with_parameters(BAD, parameters), told))
    )
    for name, reported in tuned["parameters"].items():
        before = plain["parameters"][name]
        changed = {key for key in before if before[key] != reported[key]}
        assert set(reported) == set(before)
        assert {"learning_rate", "num_leaves", "feature_fraction", "lambda_l2"} <= changed
        assert changed <= {"learning_rate", "num_leaves", "feature_fraction", "lambda_l2", "min_data_in_leaf"}
        assert [reported[key] for key in ("learning_rate", "num_leaves", "feature_fraction", "lambda_l2")] == ["0.11", "9", "0.5", "3"]  # fmt: skip
        assert (reported["deterministic"], reported["max_bin"], reported["seed"]) == ("1", "63", str(BAD.booster.seed))
    assert tuned["parameters"]["q05"]["alpha"] == "0.05"
    assert tuned["settings"]["weight_power"] == 0.75
    assert (plain["tuning"], tuned["tuning"]) == (None, told)


def test_a_parameter_that_is_not_searched_is_refused_by_name_and_one_that_was_not_yet_keeps_its_default() -> None:
    with pytest.raises(ValueError, match="num_leaves is no parameter that is tuned .*: tune again"):
        with_parameters(BAD, {**parameters_of(BAD), "num_leaves": 9})
    assert with_parameters(BAD, {"l2": 3.0}) == replace(BAD, booster=replace(BAD.booster, l2=3.0))


def test_defaults_that_no_trial_could_have_are_refused(design: Design) -> None:
    wrong = replace(BAD, booster=replace(BAD.booster, learning_rate=0.5))
    with pytest.raises(ValueError, match=r"learning_rate is 0\.5, and tuning looks from 0\.01 to 0\.2 only"):
        tune(design, wrong, trials=1, seed=1)
    assert set(parameters_of(TrainSettings())) == set(SPACE)


def test_a_study_goes_on_only_with_the_same_data_settings_seed_space_and_code(monkeypatch: pytest.MonkeyPatch) -> None:
    name = study_name("data", BAD, 1)
    assert name.startswith("net_profit-l1-")
    others = {
        study_name("other data", BAD, 1),
        study_name("data", replace(BAD, objective="two_part"), 1),
        study_name("data", replace(BAD, booster=replace(BAD.booster, rounds=7)), 1),
        study_name("data", BAD, 2),
    }
    monkeypatch.setattr(tuning, "SPACE", {**SPACE, "l2": Range(0.1, 50.0)})
    others.add(study_name("data", BAD, 1))
    assert len({name, *others}) == 6
    monkeypatch.undo()
    assert study_name("data", replace(BAD, booster=replace(BAD.booster, threads=2, workers=5)), 1) == name


def test_the_rows_of_a_search_are_those_of_the_contract_with_one_best(design: Design, in_one_go: Tuned) -> None:
    rows = tuning_table(in_one_go, design, BAD)
    assert rows.schema == MODELS_TUNING.schema()
    assert rows["seed"].to_pylist() == [SEED, SEED + 1, SEED + 2, SEED + 3]
    assert pc.sum(rows["is_best"]).as_py() == pc.sum(rows["is_chosen"]).as_py() == 1
    assert rows["gain"][0].as_py() == 0.0
    assert max(rows["gain"].to_pylist()) > 0.01
    drawn = plots.plot_tuning(rows, importances(in_one_go))
    assert 2000 < len(drawn) <= pictures.LARGEST_PNG_BYTES
    assert drawn == plots.plot_tuning(rows.take(pa.array([2, 0, 3, 1])), {})


def test_the_parameter_that_decides_is_the_most_important_one() -> None:
    rng = np.random.default_rng(1)
    trials = []
    for number in range(40):
        drawn = {name: float(rng.uniform(found.low, found.high)) for name, found in SPACE.items()}
        drawn["leaves"] = int(drawn["leaves"])
        trials.append(Trial(number, "complete", drawn["weight_power"] ** 2, 3, drawn, number, ()))
    found = importances(Tuned("-", tuple(trials), 3))
    assert max(found, key=lambda name: found[name]) == "weight_power"
    assert sum(found.values()) == pytest.approx(1.0)
    assert importances(Tuned("-", tuple(trials[:9]), 3)) == {}
