"""An act on who serves, as a person meets it: the day that it counts from is predicted by the version it names."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from upath import UPath

from daily_profit_model.defs.launch.acts import promote
from daily_profit_model.defs.models.registry import champion_of, transitions
from daily_profit_model.lake import Lake, read
from daily_profit_model.modeling.contracts import MODEL_SCORES, MONITORING_INTERVAL_CALIBRATION
from daily_profit_model.settings import load_settings
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model_tests.end_to_end.conftest import Platform
from daily_profit_model_tests.end_to_end.firm import END, content_hashes, run


def test_the_day_that_an_act_counts_from_is_predicted_by_the_promoted_version_and_no_day_before_it_changes(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(platform.data_dir, copy, ignore=shutil.ignore_patterns("raw", "cache", "spool"))
    lake, coming = Lake(UPath(copy / "lake")), END + timedelta(days=1)
    for table in (MODEL_SCORES, MONITORING_INTERVAL_CALIBRATION, PREDICTIONS_ACCOUNT_DAILY):
        shutil.rmtree(lake.partition_folder(table.name, coming.isoformat()))
    before = content_hashes(copy, "predictions")
    champion = champion_of(lake, coming).version
    other = next(name for name in transitions(lake)["version"].to_pylist() if name != champion)
    variables = {**platform.variables, "DPM_DATA_DIR": str(copy)}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    promote(
        load_settings(), other, alias="champion", reason="for a test", author="ana", expect=champion, first_day=None
    )
    assert f"{other} is champion from {coming} on (before: {champion})" in capsys.readouterr().out
    run(monkeypatch, variables, "predictions", END, END)
    served = read(lake, PREDICTIONS_ACCOUNT_DAILY, [coming.isoformat()])
    assert set(served["model_version"].to_pylist()) == {other}
    after = content_hashes(copy, "predictions")
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {
        f"predictions/{table}@{coming}" for table in ("model_scores", "account_daily", "portfolio_daily")
    }
