"""A version beside the champion of a filled platform: made of the same rows, judged by day, served to nobody."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import numpy as np
import pyarrow.compute as pc
import pytest
from upath import UPath

from daily_profit_model.defs.launch.instance import stored_instance
from daily_profit_model.defs.launch.plan import steps_of
from daily_profit_model.defs.launch.runs import Launcher
from daily_profit_model.defs.launch.shadows import create_deployment, evaluate_deployments, stop_deployment
from daily_profit_model.defs.models.registry import champion_of, transitions
from daily_profit_model.defs.models.shadows import SHADOWS
from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.lake import Lake, read
from daily_profit_model.modeling.bundle import load
from daily_profit_model.modeling.scoring import score
from daily_profit_model.modeling.shadow_contracts import (
    PREDICTIONS_SHADOW,
    SHADOW_EVALUATION,
    SHADOW_LOSSES,
    SHADOW_SCORES,
)
from daily_profit_model.settings import Settings, load_settings
from daily_profit_model.tables.monitoring import MODEL_PERFORMANCE, MONITORING_OUTCOMES
from daily_profit_model_tests.end_to_end.conftest import NOT_SERVED_FROM, Platform
from daily_profit_model_tests.end_to_end.firm import END, content_hashes

FIRST, COMING = END - timedelta(days=1), END + timedelta(days=1)


def test_a_shadow_scores_the_frozen_rows_is_judged_beside_the_champion_and_changes_nothing_that_is_served(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(platform.data_dir, copy, ignore=shutil.ignore_patterns(*NOT_SERVED_FROM))
    for name, value in {**platform.variables, "DPM_DATA_DIR": str(copy)}.items():
        monkeypatch.setenv(name, value)
    settings, lake = load_settings(), Lake(UPath(copy / "lake"))
    before = content_hashes(copy, "predictions", "monitoring")
    champion = champion_of(lake, COMING).version
    version = next(name for name in transitions(lake)["version"].to_pylist() if name[:8] < champion[:8])
    create_deployment(settings, version, traffic=0, days=60, first_day=FIRST, reason="a test", author="ana")
    evaluate_deployments(settings, None, as_json=False)
    assert f"s1-{version}, as of {END}: day 2 of 60" in capsys.readouterr().out
    after = content_hashes(copy, "predictions", "monitoring")
    assert before.items() <= after.items()
    assert {name.split("@")[0] for name in after.keys() - before.keys()} >= {SHADOW_SCORES.name, SHADOW_EVALUATION.name}
    scores_the_same_rows(lake, settings.models_dir / version)
    is_judged_by_whole_days(lake)
    is_told(settings, version)
    launcher = Launcher(settings)
    assert left_to_do(launcher) == []
    is_the_same_alone(launcher, settings, after)
    stop_deployment(settings, "s1", reason="enough", author="ana")
    assert content_hashes(copy, "predictions", "monitoring") == after
    assert left_to_do(launcher) == []


def scores_the_same_rows(lake: Lake, bundle: Path) -> None:
    model = load(bundle)
    for day in (FIRST, END, COMING):
        snapshot = read(lake, FEATURE_SNAPSHOTS, [day.isoformat()]).sort_by("account_id")
        stored = read(lake, SHADOW_SCORES, [day.isoformat()])
        made = score(model, snapshot)
        assert all(stored[name].equals(made[name]) for name in ("account_id", "median", "mean", "q05", "q95"))
        predicted = read(lake, PREDICTIONS_SHADOW, [day.isoformat()])
        assert predicted["account_id"].equals(stored["account_id"])
        assert predicted["predicted_net_profit"].equals(stored["median"])
        assert set(predicted["model_hash"].to_pylist()) == {model.hash}


def is_judged_by_whole_days(lake: Lake) -> None:
    """The champion's loss is that of its performance, where all accounts are compared; the shadow's is made again."""
    for day in (FIRST, END):
        (losses,) = read(lake, SHADOW_LOSSES, [day.isoformat()]).to_pylist()
        (performance,) = read(lake, MODEL_PERFORMANCE, [day.isoformat()]).to_pylist()
        assert losses["accounts"] == performance["accounts"] > 30
        assert losses["champion_loss"] == pytest.approx(performance["pinball"], rel=1e-12)
        assert losses["champion_version"] == performance["model_version"]
        assert losses["shadow_loss"] == pytest.approx(shadow_loss(lake, day), rel=1e-12)
    (row,) = read(lake, SHADOW_EVALUATION, [END.isoformat()]).to_pylist()
    differences = read(lake, SHADOW_LOSSES, [FIRST.isoformat(), END.isoformat()])["difference"].to_pylist()
    assert (row["decision"], row["days"], row["comparisons"]) == ("continue", 2, 1)
    assert row["mean_difference"] == pytest.approx(np.mean(differences))


def shadow_loss(lake: Lake, day: date) -> float:
    outcomes = read(lake, MONITORING_OUTCOMES, [day.isoformat()], columns=["account_id", "net_profit"])
    outcomes = outcomes.filter(pc.is_valid(outcomes["net_profit"]))
    rows = read(lake, PREDICTIONS_SHADOW, [day.isoformat()]).join(outcomes, "account_id", join_type="inner").to_pandas()
    losses = []
    for name, level in (("lower_90", 0.05), ("predicted_net_profit", 0.5), ("upper_90", 0.95)):
        error = rows["net_profit"] - rows[name]
        losses.append(np.where(error > 0, level * error, (level - 1) * error).mean())
    return float(np.mean(losses))


def is_told(settings: Settings, version: str) -> None:
    """The deployment is a partition of models/shadows, with its evidence as an observation."""
    instance = stored_instance(settings)
    assert instance.get_dynamic_partitions("shadow_deployments") == [f"s1-{version}"]
    found = instance.fetch_observations(
        dg.AssetRecordsFilter(asset_key=SHADOWS.key, asset_partitions=[f"s1-{version}"]), limit=1
    )
    observed = found.records[0].asset_observation
    assert observed is not None
    assert observed.metadata["decision"].value == "continue"
    assert {"evidence_over_time_file", "evidence_better"} <= observed.metadata.keys()


def is_the_same_alone(launcher: Launcher, settings: Settings, after: dict[str, str]) -> None:
    """The range run has made what a run of one of its days makes afterwards; what reads a lost day is made again."""
    steps, before = steps_of(["shadows"]), FIRST - timedelta(days=1)
    shutil.rmtree(launcher.lake.partition_folder(SHADOW_LOSSES.name, FIRST.isoformat()))
    assert launcher.work(steps[-1], before, END).partitions == [FIRST.isoformat(), END.isoformat()]
    for step in steps:
        last = before if step.calendar == "shadowed_days" else FIRST
        work = launcher.work(step, before, last, force=True)
        assert work.partitions == [FIRST.isoformat()]
        launcher.run(work, force=True)
    assert content_hashes(settings.dpm_data_dir, "predictions", "monitoring") == after


def left_to_do(launcher: Launcher) -> list[str]:
    return [day for step in steps_of(["shadows"]) for day in launcher.work(step, FIRST, END).partitions]
