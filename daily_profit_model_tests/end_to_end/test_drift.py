"""A source goes wrong for days: the morning's drift says so, names the feature, and since when."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from upath import UPath

from daily_profit_model.defs.launch.command import run_steps
from daily_profit_model.defs.launch.drift import show_drift
from daily_profit_model.defs.launch.plan import Step
from daily_profit_model.defs.launch.runs import Launcher
from daily_profit_model.features import CATALOGUE
from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.lake import Lake, read, write
from daily_profit_model.modeling.bundle import Model, load
from daily_profit_model.modeling.contracts import MODEL_SCORES
from daily_profit_model.modeling.importance import ranked
from daily_profit_model.modeling.scoring import score
from daily_profit_model.modeling.shadow_contracts import SHADOW_SCORES
from daily_profit_model.monitoring import drift_detection
from daily_profit_model.monitoring.drift_table import alarmed_columns
from daily_profit_model.partitions import days_between
from daily_profit_model.settings import Settings, load_settings
from daily_profit_model.tables.drift import MONITORING_DRIFT
from daily_profit_model_tests.end_to_end.conftest import Platform
from daily_profit_model_tests.end_to_end.firm import END, START

NOT_NEEDED = ("raw", "staging", "features", "cache", "spool", "profiles", "quality", "reports")
MORE_DAYS = 3
"""Of a reference of six weeks a threshold is met by the largest shift after ten, and the firm serves eleven days."""


def first_with_boosters(models_dir: Path) -> Model:
    found = (load(folder) for folder in sorted(models_dir.iterdir()))
    return next(model for model in found if model.baseline is None)


def spoiled(lake: Lake, day: str, feature: str, by: float) -> None:
    """The feature is larger in the day's snapshot (that of the last day there, where it has none of its own). Its footer
    says nothing of it: what was served stays."""
    held = max(name for name in lake.partitions(FEATURE_SNAPSHOTS.name) if name <= day)
    file = lake.describe(FEATURE_SNAPSHOTS.name, held)
    assert file is not None
    rows = read(lake, FEATURE_SNAPSHOTS, [held])
    predicted, eve = date.fromisoformat(day), date.fromisoformat(day) - timedelta(days=1)
    values = rows[feature] if held < day else pc.add(rows[feature], by)
    for name, column in (
        (feature, values),
        ("prediction_date", pa.repeat(pa.scalar(predicted, pa.date32()), rows.num_rows)),
        ("feature_date", pa.repeat(pa.scalar(eve, pa.date32()), rows.num_rows)),
    ):
        rows = rows.set_column(rows.column_names.index(name), name, column)
    write(lake, FEATURE_SNAPSHOTS, day, rows, code_version=file.code_version, inputs=file.inputs)


@dataclass(frozen=True)
class Spoiled:
    """A copy of the platform in which a feature goes wrong on every served day, all of them scored by one version."""

    settings: Settings
    lake: Lake
    model: Model
    wrong: str
    """The feature."""
    days: list[str]

    def look(self, first: str) -> pa.Table:
        """Look for drift from a day on; the rows of the last day."""
        step = Step("monitoring", (MONITORING_DRIFT.name,), "next_days", is_chained=True)
        first_of_data, last_of_data = (date.fromisoformat(day) - timedelta(days=1) for day in (first, self.days[-1]))
        run_steps(Launcher(self.settings), [step], first_of_data, last_of_data)
        return read(self.lake, MONITORING_DRIFT, [self.days[-1]])


@pytest.fixture
def spoilt(platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Spoiled:
    copy = tmp_path / "copy"
    shutil.copytree(platform.data_dir, copy, ignore=shutil.ignore_patterns(*NOT_NEEDED))
    for name, value in {**platform.variables, "DPM_DATA_DIR": str(copy)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(drift_detection, "REPLAYS", 40)  # so few tell so large a shift
    settings, lake = load_settings(), Lake(UPath(copy / "lake"))
    days = lake.partitions(MODEL_SCORES.name)
    for table in (MODEL_SCORES, MONITORING_DRIFT):
        shutil.rmtree(str(lake.table_folder(table.name)))
    model = first_with_boosters(settings.models_dir)
    # a window of many days remembers, and a reference of six weeks tells little of its level
    of_a_day = {feature.name for feature in CATALOGUE if feature.window == 1 and feature.kind == "number"}
    importance = ranked(model.manifest["importance"]["mean_absolute_usd"])
    wrong = next(name for name, _ in importance if name in of_a_day)
    known = read(lake, FEATURE_SNAPSHOTS, days)
    by = pc.quantile(pc.abs(known[wrong]), 0.99)[0].as_py()
    days = days_between(date.fromisoformat(days[0]), END + timedelta(days=1 + MORE_DAYS))
    for day in days:
        spoiled(lake, day, wrong, by)
        scores = score(model, read(lake, FEATURE_SNAPSHOTS, [day]))
        write(lake, MODEL_SCORES, day, scores, code_version="1")
    return Spoiled(settings, lake, model, wrong, days)


def test_a_feature_that_goes_wrong_for_days_is_an_alarm_and_first_to_blame(
    spoilt: Spoiled, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, days = spoilt.settings, spoilt.days
    last = spoilt.look(START.isoformat())
    blamed = alarmed_columns(last)[0]
    assert (blamed["column_name"], blamed["blame_rank"]) == (spoilt.wrong, 1)
    assert days[0] < blamed["first_alarm_day"].isoformat() < days[-1]
    assert set(last["model_version"].to_pylist()) == {spoilt.model.version}
    capsys.readouterr()
    assert show_drift(settings, None, as_json=True) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["date"], told["columns"][0]["column_name"]) == (days[-1], spoilt.wrong)
    assert show_drift(settings, date.fromisoformat(days[0]), as_json=False) == 0
    assert "0 alarms" in capsys.readouterr().out


def test_a_version_that_was_a_shadow_while_a_feature_went_wrong_says_so_on_the_first_day_that_it_serves(
    spoilt: Spoiled,
) -> None:
    lake = spoilt.lake
    for day in spoilt.days[:-1]:
        scores = read(lake, MODEL_SCORES, [day])
        shadow = scores.append_column("deployment", pa.repeat("s1", scores.num_rows))
        write(lake, SHADOW_SCORES, day, shadow, code_version="1")
        other = pa.repeat("0" * 64, scores.num_rows)
        scores = scores.set_column(scores.column_names.index("model_hash"), "model_hash", other)
        write(lake, MODEL_SCORES, day, scores, code_version="1")
    first = spoilt.look(spoilt.days[-1])
    assert lake.partitions(MONITORING_DRIFT.name) == spoilt.days[-1:]
    blamed = alarmed_columns(first)[0]
    assert (blamed["column_name"], blamed["blame_rank"]) == (spoilt.wrong, 1)
    assert spoilt.days[0] < blamed["first_alarm_day"].isoformat() < spoilt.days[-1]
