"""Storage as an asset: it tells of today alone, and only the nightly job removes anything."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from upath import UPath

from daily_profit_model.cache.entry import entries
from daily_profit_model.defs.automation.jobs import nightly_collection
from daily_profit_model.defs.automation.schedules import every_night_at_two, request_collection
from daily_profit_model.defs.build import build_definitions
from daily_profit_model.defs.monitoring import storage
from daily_profit_model.lake import Lake, read, write_revision
from daily_profit_model.risk_api.spool import Spools
from daily_profit_model.tables.raw import RAW_METRICS_DAILY
from daily_profit_model.tables.storage import MONITORING_STORAGE
from daily_profit_model_tests.cache.small_entries import filled

KEY = dg.AssetKey(["monitoring", "storage"])
NOW = datetime(2026, 3, 10, 2, tzinfo=UTC)
TODAY, DAY = "2026-03-10", "2026-03-03"
LONG_AGO = NOW - timedelta(days=40)


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Three revisions of a day of which the second is collectable, a dead writer's file, a dead spool, an old entry."""
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DPM_RAW_RETENTION_DAYS", "1")
    monkeypatch.setattr(storage, "now_utc", lambda: NOW)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    lake = Lake(UPath(tmp_path / "lake"))
    for hours in range(3):
        at = datetime(2026, 3, 4, 6 + hours, tzinfo=UTC)
        write_revision(lake, RAW_METRICS_DAILY, DAY, metrics(hours), ingested_at=at, code_version="1")
    left = tmp_path / "lake" / RAW_METRICS_DAILY.name / f"date={DAY}" / ".revision=x.parquet.0123.tmp"
    left.write_bytes(b"half")
    Spools(tmp_path / "spool").open("raw/trades_closed", [LONG_AGO.date()], "question").close()
    for path in (left, *(tmp_path / "spool").rglob("*.sqlite")):
        os.utime(path, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))
    filled(tmp_path / "cache", 1, LONG_AGO)
    return lake


def metrics(profit: float) -> pa.Table:
    row = {"date": datetime(2026, 3, 3).date(), "account_id": "a", "net_profit": profit}
    return pa.Table.from_pylist([row], schema=RAW_METRICS_DAILY.schema())


def materialized(day: str, job: str | None = None) -> dict[str, Any]:
    """The metadata of the partition, made by that job or by hand. Raises what the asset raises."""
    defs = build_definitions()
    found = defs.resolve_job_def(job) if job else defs.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        result = found.execute_in_process(instance=instance, asset_selection=[KEY], partition_key=day)
        (event,) = result.asset_materializations_for_node("monitoring__storage")
        return {name: value.value for name, value in event.metadata.items()}


def test_the_nightly_job_collects_everything_then_measures_and_says_what_went(lake: Lake, tmp_path: Path) -> None:
    told = materialized(TODAY, nightly_collection.name)
    expected = {
        "removed_revisions": 1,
        "removed_temporary_files": 1,
        "removed_spools": 1,
        "removed_scratch_folders": 0,
        "removed_cache_entries": 1,
        "unsafe_partitions": 0,
        "cache_bytes": 0,
        "lake_files": 2,
        "lake_superseded_files": 1,
        "lake_temporary_files": 0,
        "tables_without_contract": "none",
    }
    assert {name: told[name] for name in expected} == expected
    assert told["removed_bytes"] > told["removed_revision_bytes"] > 0
    assert len(lake.files(RAW_METRICS_DAILY.name, DAY)) == 2
    assert [*(tmp_path / "spool").rglob("*.sqlite"), *entries(tmp_path / "cache")] == []
    (row,) = read(lake, MONITORING_STORAGE, [TODAY]).to_pylist()
    assert (row["table"], row["files"], row["superseded_files"]) == (RAW_METRICS_DAILY.name, 2, 1)
    assert told["lake_bytes"] == row["bytes"] == sum(f.stat().st_size for f in lake.files(RAW_METRICS_DAILY.name, DAY))


def test_materialising_by_hand_measures_and_removes_nothing(lake: Lake, tmp_path: Path) -> None:
    (lake.root / "raw" / "of_somebody_else" / "date=2026-03-01").mkdir(parents=True)
    told = materialized(TODAY)
    assert (told["lake_files"], told["lake_superseded_files"], told["lake_temporary_files"]) == (4, 2, 1)
    assert told["tables_without_contract"] == "raw/of_somebody_else"
    assert [name for name in told if name.startswith("removed_")] == []
    assert len(entries(tmp_path / "cache")) == 1
    rows = read(lake, MONITORING_STORAGE, [TODAY]).to_pylist()
    assert {row["table"]: row["has_contract"] for row in rows} == {
        RAW_METRICS_DAILY.name: True, "raw/of_somebody_else": False,
    }  # fmt: skip


def test_a_day_that_is_over_is_refused_and_nothing_is_removed(lake: Lake) -> None:
    with pytest.raises(Exception, match=r"monitoring/storage of 2026-03-09 cannot be measured: .* 2026-03-10 alone"):
        materialized("2026-03-09", nightly_collection.name)
    assert lake.partitions(MONITORING_STORAGE.name) == []
    assert len(lake.files(RAW_METRICS_DAILY.name, DAY)) == 3


def test_at_two_in_the_night_the_day_that_has_begun_is_asked_for() -> None:
    request = request_collection(NOW, NOW + timedelta(hours=21))
    assert isinstance(request, dg.RunRequest)
    assert (request.partition_key, request.run_key) == (TODAY, f"nightly_collection:{TODAY}")
    assert (every_night_at_two.job.name, every_night_at_two.cron_schedule) == ("nightly_collection", "0 2 * * *")


def test_a_night_that_was_slept_through_is_skipped_and_says_so() -> None:
    skipped = request_collection(NOW, NOW + timedelta(hours=22))
    assert isinstance(skipped, dg.SkipReason)
    assert "2026-03-10 is over" in str(skipped.skip_message)
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2020, 1, 1, 2, tzinfo=UTC))
    assert isinstance(every_night_at_two(context), dg.SkipReason)


def test_no_other_job_makes_it() -> None:
    graph = build_definitions()
    jobs = [job for job in graph.resolve_all_job_defs() if not job.name.startswith("__")]
    assert [job.name for job in jobs if KEY in job.asset_layer.executable_asset_keys] == [nightly_collection.name]
