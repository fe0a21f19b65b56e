"""What a shadow with traffic has left behind stops nobody's predictions, whatever has become of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from daily_profit_model.defs.all_tables import TABLES
from daily_profit_model.defs.models.deployments import create
from daily_profit_model.defs.predictions.traffic import traffic
from daily_profit_model.defs.resources.lake_io import LakeIOManager
from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.lake import Lake, read, write
from daily_profit_model.modeling.shadow_contracts import PREDICTIONS_TRAFFIC, SHADOW_SCORES
from daily_profit_model.settings import load_settings
from daily_profit_model_tests.defs.small_versions import FIRST_CUTOFF, predicted, register, small_model
from daily_profit_model_tests.quality.small_firm import store

FIRST = FIRST_CUTOFF + timedelta(days=20)
DAY = FIRST + timedelta(days=1)


def test_scores_of_an_earlier_day_that_nobody_can_read_are_a_failure_of_the_shadow_and_not_of_the_day(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))
    predicted(lake, FIRST - timedelta(days=1))
    register(lake, tmp_path / "models", small_model(0), "promoted")
    version = register(lake, tmp_path / "models", small_model(1, FIRST_CUTOFF + timedelta(weeks=1)), "refused")
    words = {"days": 60, "first_day": None, "reason": "r", "author": "ana"}
    create(lake, tmp_path / "models", version, traffic=40, **words)  # type: ignore[arg-type]  # as the keywords are
    store(lake, DAY.isoformat(), [FEATURE_SNAPSHOTS.name])
    write(lake, SHADOW_SCORES, FIRST.isoformat(), SHADOW_SCORES.schema().empty_table(), code_version="1")
    scores = lake.file(SHADOW_SCORES.name, FIRST.isoformat())
    assert scores is not None
    scores.write_bytes(b"torn")
    done = dg.materialize(
        [traffic],
        instance=dg.DagsterInstance.ephemeral(),
        resources={"lake": lake, "lake_io": LakeIOManager(lake, TABLES), "settings": load_settings()},
        partition_key=DAY.isoformat(),
    )
    assert done.success
    (row,) = read(lake, PREDICTIONS_TRAFFIC, [DAY.isoformat()]).to_pylist()
    assert (row["model_version"], row["calibration"]) == (version, None)
    assert row["failure"]
