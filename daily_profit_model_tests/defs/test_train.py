"""`dpm train` and the tuned parameters in the graph: who uses which, what is out of date by it, what the command says."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from datetime import date
from functools import partial
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from typer.testing import CliRunner

from daily_profit_model.cli import app, main
from daily_profit_model.defs.automation.jobs import weekly_training
from daily_profit_model.defs.build import build_definitions
from daily_profit_model.defs.launch import runs
from daily_profit_model.defs.launch import train as launch
from daily_profit_model.defs.models import gate, searches
from daily_profit_model.defs.models.assets import MODEL_CODE_VERSION
from daily_profit_model.defs.models.registry import hash_lookup
from daily_profit_model.defs.models.tunings import beside_others, tuning_in_use, tuning_inputs
from daily_profit_model.defs.table_asset import asset_key
from daily_profit_model.features.training_set import TRAINING_ACCOUNT_DAILY
from daily_profit_model.lake import Lake, changes_since_written, read, write
from daily_profit_model.modeling import training
from daily_profit_model.modeling.boosting import BoosterSettings
from daily_profit_model.modeling.bundle import load
from daily_profit_model.modeling.contracts import MODELS_CHAMPION, MODELS_NET_PROFIT, MODELS_TUNING
from daily_profit_model.modeling.training import TrainSettings
from daily_profit_model.modeling.tuning_space import SPACE, parameters_of
from daily_profit_model.settings import WrongUse
from daily_profit_model.tables.raw import RAW_METRICS_DAILY
from daily_profit_model_tests.benchmarks.kept_design import training_rows
from daily_profit_model_tests.defs.test_plan import rows_of
from daily_profit_model_tests.lake.small_table import DAY_1, SMALL, small_rows

FIRST, SECOND, THIRD = "2026-04-19", "2026-04-26", "2026-05-03"
CUTOFF = "2026-05-31"


def training_set(cutoff: str) -> pa.Table:
    """Ten accounts on the days up to a cut-off, drawn at random."""
    rows, day = training_rows(10 * 120), pa.scalar(date.fromisoformat(cutoff))
    rows = rows.filter(pc.less_equal(rows["target_date"], day))
    return rows.set_column(rows.column_names.index("cutoff"), "cutoff", pa.repeat(day, rows.num_rows))


def tuned_rows(cutoff: str, objective: str = "l1", l2: float = 3.0) -> pa.Table:
    """Two trials, of which the second is better."""
    defaults = dict(parameters_of(TrainSettings()))
    rows = [
        {
            "cutoff": date.fromisoformat(cutoff),
            "objective": objective,
            "trial": number,
            "state": "complete",
            "value": 9.0 - number,
            "folds_done": 3,
            "folds": 3,
            "parameters": json.dumps(parameters),
            "gain": number / 9.0,
            "gain_lower": number / 9.0 - 0.01,
            "is_best": number == 1,
            "is_chosen": number == 1,
            "seed": number,
            "study": "s",
        }
        for number, parameters in enumerate((defaults, {**defaults, "l2": l2}))
    ]
    return pa.Table.from_pylist(rows, schema=MODELS_TUNING.schema())


def tune_at(lake: Lake, cutoff: str, objective: str = "l1", l2: float = 3.0) -> None:
    write(lake, MODELS_TUNING, cutoff, tuned_rows(cutoff, objective, l2), code_version="1")


def test_a_training_takes_the_newest_tuning_of_its_objective_up_to_its_cut_off(lake: Lake) -> None:
    assert tuning_in_use(lake, SECOND, "l1") is None
    tune_at(lake, FIRST, l2=3.0)
    tune_at(lake, SECOND, "two_part", l2=4.0)
    tune_at(lake, THIRD, l2=5.0)
    found = {cutoff: tuning_in_use(lake, cutoff, "l1") for cutoff in ("2026-04-12", FIRST, SECOND, THIRD)}
    used = {
        cutoff: tuning and (tuning.cutoff, tuning.trial, tuning.parameters["l2"]) for cutoff, tuning in found.items()
    }
    assert used == {"2026-04-12": None, FIRST: (FIRST, 1, 3.0), SECOND: (FIRST, 1, 3.0), THIRD: (THIRD, 1, 5.0)}
    other = tuning_in_use(lake, THIRD, "two_part")
    assert other is not None
    assert (other.cutoff, other.value, other.defaults_value) == (SECOND, 8.0, 9.0)


def test_a_version_is_out_of_date_exactly_when_its_training_would_take_another_tuning(lake: Lake) -> None:
    def written(objective: str) -> dict[str, str | None]:
        return tuning_inputs(SECOND, objective, tuning_in_use(lake, SECOND, objective))

    def is_stale(inputs: dict[str, str | None]) -> bool:
        file = write(lake, SMALL, DAY_1, small_rows(), code_version="1", inputs=inputs)
        return bool(changes_since_written(file, hash_lookup(lake), "1"))

    by_default = written("l1")
    assert by_default == {f"models/tuning#l1@{SECOND}": None}
    assert not is_stale(by_default)
    tune_at(lake, THIRD)
    tune_at(lake, FIRST, "two_part")
    assert not is_stale(by_default)
    tune_at(lake, FIRST)
    assert is_stale(by_default)
    tuned = written("l1")
    assert not is_stale(tuned)
    tune_at(lake, FIRST, l2=7.0)
    assert is_stale(tuned)


def test_objectives_tuned_on_one_training_set_stand_side_by_side_and_no_longer_when_it_changes(lake: Lake) -> None:
    rows = training_set(FIRST)
    store = partial(write, lake, TRAINING_ACCOUNT_DAILY, FIRST, code_version="-")
    inputs = {f"{TRAINING_ACCOUNT_DAILY.name}@{FIRST}": store(rows).content_hash}
    write(lake, MODELS_TUNING, FIRST, beside_others(lake, tuned_rows(FIRST), FIRST), code_version="1", inputs=inputs)
    both = beside_others(lake, tuned_rows(FIRST, "two_part"), FIRST)
    assert sorted(both["objective"].to_pylist()) == ["l1", "l1", "two_part", "two_part"]
    assert beside_others(lake, tuned_rows(FIRST, l2=8.0), FIRST).num_rows == 2
    store(rows.slice(1))
    assert beside_others(lake, tuned_rows(FIRST, "two_part"), FIRST)["objective"].unique().to_pylist() == ["two_part"]


def test_no_schedule_and_no_stage_makes_a_tuning() -> None:
    job = build_definitions().resolve_job_def(weekly_training.name)
    keys = job.asset_layer.selected_asset_keys
    assert asset_key(MODELS_NET_PROFIT) in keys
    assert asset_key(MODELS_TUNING) not in keys
    assert not any(MODELS_TUNING.name in step.tables for step in launch.STEPS)


def test_a_day_that_is_no_cut_off_to_train_on_is_refused_with_the_nearest_ones(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WrongUse, match="no cut-off can be trained on yet: .* 44 days of outcomes, 0 are there"):
        launch.checked_cut_off(lake, date.fromisoformat(FIRST))
    write(lake, RAW_METRICS_DAILY, "2026-05-05", rows_of(RAW_METRICS_DAILY, date(2026, 5, 5)), code_version="1")
    monkeypatch.setattr(launch, "has_history", lambda _lake, cutoff: cutoff >= FIRST)
    assert launch.trainable(lake) == [FIRST, SECOND, THIRD]
    assert launch.checked_cut_off(lake, date.fromisoformat(SECOND)) == SECOND
    for day, nearest in (
        ("2026-04-22", f"{FIRST} and {SECOND}"),
        ("2026-04-12", FIRST),  # a Sunday with too little before it
        ("2026-05-10", THIRD),  # a Sunday whose outcomes are not there
    ):
        wrong = f"--cutoff {day} is no weekly cut-off that can be trained on: the nearest of 3 is {nearest}$"
        with pytest.raises(WrongUse, match=wrong):
            launch.checked_cut_off(lake, date.fromisoformat(day))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--objective", "l3"), "there is no forecaster 'l3': take one of l1, huber, fair, two_part"),
        (("--n-trials", "3"), "--n-trials and --seed belong to a search: add --tune-hyperparameters"),
        (("--tune-hyperparameters",), "no cut-off can be trained on yet"),
    ],
)
def test_wrong_use_is_said_before_anything_runs(
    words: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))
    done = CliRunner().invoke(app, ["train", "--cutoff", FIRST, *words])
    assert isinstance(done.exception, WrongUse)
    assert str(done.exception).startswith(said)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_in_a_search_is_one_line_and_exit_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(30)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(launch, "trainable", lambda _: [CUTOFF])
    monkeypatch.setattr(launch, "run_steps", lambda *_: [])
    monkeypatch.setattr(searches, "search", stopped)
    monkeypatch.setattr(sys, "argv", ["dpm", "train", "--cutoff", CUTOFF, "--tune-hyperparameters"])
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(SystemExit) as end:
        monkeypatch.setattr(runs, "stored_instance", lambda _: instance)
        main()
    assert end.value.code == 1
    assert capsys.readouterr().err == "dpm: stopped; what is complete stays, the rest is made by the next run\n"


def test_train_searches_trains_asks_the_gate_and_says_a_line_a_result(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = BoosterSettings(rounds=3, workers=1)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(training, "TrainSettings", partial(TrainSettings, booster=small))
    monkeypatch.setattr(launch, "trainable", lambda _: [CUTOFF])
    monkeypatch.setattr(launch, "run_steps", lambda *_: [])  # the training set stands as it is
    monkeypatch.setattr(gate, "failed_checks", lambda *_: [])  # numbers at random keep no rule
    write(lake, TRAINING_ACCOUNT_DAILY, CUTOFF, training_set(CUTOFF), code_version="-")
    with dg.DagsterInstance.ephemeral() as instance:
        monkeypatch.setattr(runs, "stored_instance", lambda _: instance)
        words = (
            "--cutoff",
            CUTOFF,
            "--objective",
            "two_part",
            "--tune-hyperparameters",
            "--n-trials",
            "2",
            "--seed",
            "9",
        )
        done = CliRunner().invoke(app, ["train", *words])
        assert done.exit_code == 0, done.exception
    trials = read(lake, MODELS_TUNING, [CUTOFF])
    assert (trials["objective"].to_pylist(), trials["seed"].to_pylist()) == (["two_part"] * 2, [9, 10])
    file = lake.describe(MODELS_NET_PROFIT.name, CUTOFF)
    assert file is not None
    assert file.code_version == MODEL_CODE_VERSION
    tuning = tuning_in_use(lake, CUTOFF, "two_part")
    assert tuning is not None
    assert file.inputs.items() > tuning_inputs(CUTOFF, "two_part", tuning).items()
    version = read(lake, MODELS_NET_PROFIT, [CUTOFF]).to_pylist()[0]
    manifest = load(tmp_path / "models" / version["folder"]).manifest
    assert (manifest["forecaster"], manifest["tuning"]) == ("two_part", tuning.described)
    assert all(manifest["settings"]["booster"].get(name, tuning.parameters[name]) == tuning.parameters[name] for name in SPACE)  # fmt: skip
    decisions = read(lake, MODELS_CHAMPION, [CUTOFF]).to_pylist()
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("trial ")] == ["0", "1"]
    assert [line.split()[0] for line in lines[-3 - len(decisions) - 1 :]] == ["parameters", "version", "skill", "coverage", *["gate"] * len(decisions)]  # fmt: skip
    assert f"version     {version['version']}" in lines
    [own] = [row for row in decisions if row["version"] == version["version"]]
    assert f"gate        {own['decision']}: {own['reason']}" in lines
    assert (tmp_path / "reports" / "tuning" / f"{CUTOFF}-two_part.png").exists()
