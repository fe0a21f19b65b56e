"""`dpm health` on a lake: healthy when the morning's partitions are there, exit 1 when one is missing or damaged."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from daily_profit_model.defs.launch.health import DAILY_TABLES, show_health
from daily_profit_model.lake import Lake, write, write_revision
from daily_profit_model.settings import Settings, load_settings
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model.tables.quality import rule_results_of
from daily_profit_model.tables.raw import RAW_QUARANTINE

DAY = "2026-06-01"
MORNING = datetime(2026, 6, 2, 7, tzinfo=UTC)


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """A lake with the raw day before the morning; no service, no database, room enough on any machine."""
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("RISK_API_BASE_URL", "http://127.0.0.1:1/")
    for limit in ("DISK_WARN", "DISK_ERROR", "MEMORY_WARN", "MEMORY_ERROR"):
        monkeypatch.setenv(f"DPM_HEALTH_{limit}_GB", "0")
    loaded = load_settings()
    lake = Lake(loaded.lake_root)
    for table in DAILY_TABLES:
        rows = table.schema().empty_table()
        if table.revisions:
            write_revision(lake, table, DAY, rows, ingested_at=MORNING - timedelta(hours=1), code_version="1")
        elif table is not PREDICTIONS_ACCOUNT_DAILY:
            write(lake, table, DAY, rows, code_version="1")
    return loaded


def told(settings: Settings, capsys: pytest.CaptureFixture[str], *, now: datetime = MORNING, **options: Any) -> Any:
    capsys.readouterr()
    code = show_health(settings, now=now, full=options.get("full", False), as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert code == (0 if said["healthy"] else 1)
    return {finding["name"]: finding["state"] for finding in said["findings"]}


WELL = {
    "storage": "ok",
    "service": "ok",
    "database": "ok",
    "freshness": "warn",  # there is no model yet
    "checks": "warn",  # no rule's result is stored
    "model age": "warn",
    "disk": "ok",
    "memory": "ok",
}


def test_a_morning_with_its_data_is_healthy_and_the_next_one_without_is_not(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(settings, capsys) == WELL
    assert told(settings, capsys, now=MORNING + timedelta(hours=23, minutes=59)) == WELL
    assert told(settings, capsys, now=MORNING + timedelta(days=1)) == {**WELL, "freshness": "fail"}


def test_a_service_that_is_configured_and_dead_is_unhealthy(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISK_API_KEY", "the-secret-key")
    configured = load_settings()
    assert told(configured, capsys) == {**WELL, "service": "fail"}
    show_health(configured, now=MORNING, full=False, as_json=False)
    said = capsys.readouterr().out
    assert "the-secret-key" not in said
    assert len(said.splitlines()) == len(WELL) + 1
    assert said.endswith("\nnot healthy\n")


def test_a_lake_that_is_gone_is_unhealthy(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(settings.dpm_data_dir)
    assert told(settings, capsys) == {**WELL, "storage": "fail", "freshness": "fail"}


def test_damaged_rule_results_are_one_ill_finding_and_hide_no_other(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = rule_results_of(RAW_QUARANTINE)
    lake = Lake(settings.lake_root)
    write(lake, kept, DAY, kept.schema().empty_table(), code_version="1")
    (path,) = lake.files(kept.name, DAY)
    path.write_bytes(b"PAR1 half of it")
    assert told(settings, capsys) == {**WELL, "checks": "fail"}


def test_full_reads_every_byte_of_what_is_newest(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(settings, capsys, full=True) == {**WELL, "partitions": "ok", "bundles": "ok"}
    (path,) = Lake(settings.lake_root).files("raw/quarantine", DAY)
    path.write_bytes(b"PAR1")
    assert told(settings, capsys, full=True)["partitions"] == "fail"
