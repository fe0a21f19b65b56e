"""Traffic on the path that serves: nothing of a shadow stops a day, and no deployment serves a day again that is over."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from daily_profit_model.defs.all_tables import TABLES
from daily_profit_model.defs.launch.plan import STEPS, partitions_of
from daily_profit_model.defs.models.deployments import create
from daily_profit_model.defs.models.registry import hash_lookup
from daily_profit_model.defs.models.shadows import Active
from daily_profit_model.defs.predictions.traffic import traffic
from daily_profit_model.defs.resources.lake_io import LakeIOManager
from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.lake import Lake, changes_since_written, read, write
from daily_profit_model.lake.served import reopened
from daily_profit_model.modeling.shadow_contracts import MODELS_SHADOWS, PREDICTIONS_TRAFFIC, SHADOW_SCORES
from daily_profit_model.settings import load_settings
from daily_profit_model_tests.defs.small_versions import FIRST_CUTOFF, predicted, register, small_model
from daily_profit_model_tests.quality.small_firm import store

FIRST = FIRST_CUTOFF + timedelta(days=20)
DAY = FIRST + timedelta(days=1)


@pytest.fixture
def version(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A version beside the champion, before FIRST is predicted."""
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))
    predicted(lake, FIRST - timedelta(days=1))
    register(lake, tmp_path / "models", small_model(0), "promoted")
    return register(lake, tmp_path / "models", small_model(1, FIRST_CUTOFF + timedelta(weeks=1)), "refused")


def deploy(lake: Lake, tmp_path: Path, version: str) -> None:
    words = {"days": 60, "first_day": None, "reason": "r", "author": "ana"}
    create(lake, tmp_path / "models", version, traffic=40, **words)  # type: ignore[arg-type]  # as the keywords are


def make(lake: Lake, day: date) -> None:
    done = dg.materialize(
        [traffic],
        instance=dg.DagsterInstance.ephemeral(),
        resources={"lake": lake, "lake_io": LakeIOManager(lake, TABLES), "settings": load_settings()},
        partition_key=day.isoformat(),
    )
    assert done.success


def test_scores_of_an_earlier_day_that_nobody_can_read_are_a_failure_of_the_shadow_and_not_of_the_day(
    lake: Lake, tmp_path: Path, version: str
) -> None:
    deploy(lake, tmp_path, version)
    store(lake, DAY.isoformat(), [FEATURE_SNAPSHOTS.name])
    write(lake, SHADOW_SCORES, FIRST.isoformat(), SHADOW_SCORES.schema().empty_table(), code_version="1")
    scores = lake.file(SHADOW_SCORES.name, FIRST.isoformat())
    assert scores is not None
    scores.write_bytes(b"torn")
    make(lake, DAY)
    (row,) = read(lake, PREDICTIONS_TRAFFIC, [DAY.isoformat()]).to_pylist()
    assert (row["model_version"], row["calibration"]) == (version, None)
    assert row["failure"]


def reasons_to_serve_again(lake: Lake, day: date) -> list[str]:
    file = lake.describe(PREDICTIONS_TRAFFIC.name, day.isoformat())
    assert file is not None
    return [change.what for change in reopened(file, hash_lookup(lake), [PREDICTIONS_TRAFFIC.name])]


def test_a_day_that_the_champion_served_alone_stays_so_when_a_deployment_is_made_in_between(
    lake: Lake, tmp_path: Path, version: str
) -> None:
    make(lake, FIRST)
    deploy(lake, tmp_path, version)  # from FIRST on: its predictions are not stored yet
    assert [one.name for one in Active(lake).serving(FIRST)] == [f"s1-{version}"]
    assert reasons_to_serve_again(lake, FIRST) == []


def test_a_day_of_which_nobody_could_say_who_serves_is_not_served_again_once_that_is_known(
    lake: Lake, tmp_path: Path, version: str
) -> None:
    deploy(lake, tmp_path, version)
    act = lake.file(MODELS_SHADOWS.name, "000001")
    assert act is not None
    told = act.read_bytes()
    act.write_bytes(b"torn")
    make(lake, FIRST)
    file = lake.describe(PREDICTIONS_TRAFFIC.name, FIRST.isoformat())
    assert file is not None
    assert changes_since_written(file, hash_lookup(lake), file.code_version) == []  # dpm run goes on
    (step,) = [each for each in STEPS if each.calendar == "traffic_days"]
    assert partitions_of(step, lake, FIRST - timedelta(days=1), FIRST, FIRST) == []
    act.write_bytes(told)
    assert reasons_to_serve_again(lake, FIRST) == []
