"""`dpm lake`: what it prints as text and as JSON, and the settings that it follows."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from daily_profit_model.cli import app
from daily_profit_model.lake import Lake, write_revision
from daily_profit_model.settings import load_settings
from daily_profit_model.tables.raw import RAW_METRICS_DAILY

DAY = "2026-03-03"
NAME = RAW_METRICS_DAILY.name


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def dpm(*words: str, code: int = 0) -> Any:
    done = CliRunner().invoke(app, ["lake", *words])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout) if "--json" in words else done.stdout


def store(lake: Lake, *ages_in_days: float) -> None:
    now = datetime.now(UTC)  # the command's own clock
    for age in ages_in_days:
        row = {"date": datetime(2026, 3, 3).date(), "account_id": "a", "net_profit": age}
        rows = pa.Table.from_pylist([row], schema=RAW_METRICS_DAILY.schema())
        at = now - timedelta(days=age)
        write_revision(lake, RAW_METRICS_DAILY, DAY, rows, ingested_at=at, code_version="1")


@pytest.fixture
def replaced(lake: Lake) -> Lake:
    """Four revisions of which the first is the cut-off's, the second was replaced 30 days ago, the third now."""
    store(lake, 32, 31, 30, 0)
    return lake


def test_storage_tells_each_table_and_what_may_go(replaced: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    (table,) = dpm("storage", "--json")["tables"]
    expected = {"table": NAME, "has_contract": True, "partitions": 1, "files": 4, "rows": 1, "superseded_files": 3}
    assert {name: table[name] for name in expected} == expected
    assert (table["collectable_files"], table["collectable_bytes"]) == (0, 0)
    monkeypatch.setenv("DPM_RAW_RETENTION_DAYS", "20")
    told = dpm("storage", "--json")
    assert told["tables"][0]["collectable_files"] == 1
    assert told["bytes"] == told["tables"][0]["bytes"] > told["tables"][0]["collectable_bytes"] > 0
    assert NAME in dpm("storage")


def test_gc_removes_by_age_and_a_dry_run_does_not(replaced: Lake) -> None:
    assert dpm("gc", "--json")["tables"] == []
    told = dpm("gc", "--retention-days", "20", "--dry-run", "--json")
    assert [(table["table"], table["revisions"]) for table in told["tables"]] == [(NAME, 1)]
    assert "nothing is removed" in dpm("gc", "--retention-days", "20", "--dry-run")
    assert len(replaced.files(NAME, DAY)) == 4
    assert f"{NAME}" in dpm("gc", "--retention-days", "20")
    assert len(replaced.files(NAME, DAY)) == 3
    assert dpm("gc", "--retention-days", "20", "--json")["bytes_removed"] == 0


def test_gc_names_a_table_without_contract_and_leaves_it_alone(lake: Lake) -> None:
    folder = lake.root / "raw" / "of_somebody_else" / f"date={DAY}"
    folder.mkdir(parents=True)
    (folder / ".part-0.parquet.0123.tmp").write_bytes(b"half")
    assert dpm("gc", "--json")["unknown"] == ["raw/of_somebody_else"]
    assert "raw/of_somebody_else" in dpm("gc")
    assert "no contract" in dpm("storage")


def test_an_empty_lake_takes_nothing_and_no_folder_is_made(tmp_path: Path) -> None:
    assert dpm("storage", "--json")["tables"] == []
    assert dpm("gc", "--json")["bytes_removed"] == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "value"), [("DPM_RAW_RETENTION_DAYS", "0"), ("DPM_CACHE_RETENTION_WEEKS", "-1")])
def test_a_retention_that_makes_no_sense_is_wrong_settings(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Exception, match=name):
        load_settings()


def test_a_retention_below_nothing_is_wrong_use() -> None:
    dpm("gc", "--retention-days", "-1", code=2)
