"""`dpm cache`: what it prints, its exit codes, and the settings that it follows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from daily_profit_model.cache.entry import entries
from daily_profit_model.cli import app
from daily_profit_model.settings import load_settings
from daily_profit_model_tests.cache.small_entries import NOON, filled, flip_a_byte


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))


def dpm(*words: str, code: int = 0) -> Any:
    done = CliRunner().invoke(app, ["cache", *words])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout) if "--json" in words else done.stdout


def test_stats_tell_calls_entries_and_bytes(folder: Path) -> None:
    entry = filled(folder, 1, NOON)
    filled(folder, 1, NOON)
    told = dpm("stats", "--json")
    expected = {"hits": 1, "misses": 1, "waits": 0, "recomputed": 0, "entries": 1, "bytes": entry.bytes()}
    assert {name: told[name] for name in expected} == expected
    assert told["max_bytes"] == 20 * 10**9
    assert "hits" in dpm("stats")


def test_stats_of_no_cache_are_zero_and_make_no_folder(folder: Path) -> None:
    assert dpm("stats", "--json")["entries"] == 0
    assert dpm("verify", "--json") == {"whole": 0, "in_use": 0, "damaged": {}}
    assert not folder.exists()


def test_verify_fails_and_names_the_entry_when_one_is_damaged(folder: Path) -> None:
    whole, damaged = filled(folder, 1, NOON), filled(folder, 2, NOON)
    assert "2 whole, 0 damaged" in dpm("verify")
    flip_a_byte(damaged.rows_file)
    assert list(dpm("verify", "--json", code=1)["damaged"]) == [damaged.digest]
    text = dpm("verify", code=1)
    assert damaged.digest in text
    assert whole.digest not in text


def test_gc_removes_by_age_and_dry_run_does_not(folder: Path) -> None:
    now = datetime.now(UTC)  # the command's own clock
    filled(folder, 1, now - timedelta(weeks=3))
    assert dpm("gc", "--json")["expired"] == 0
    told = dpm("gc", "--retention-weeks", "2", "--dry-run", "--json")
    expected = {"expired": 1, "bytes_removed": entries(folder)[0].bytes(), "entries_left": 0, "dry_run": True}
    assert {name: told[name] for name in expected} == expected
    assert "nothing is removed" in dpm("gc", "--retention-weeks", "2", "--dry-run")
    assert len(entries(folder)) == 1
    dpm("gc", "--retention-weeks", "2")
    assert entries(folder) == []


def test_gc_follows_the_size_that_is_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(folder, 1, datetime.now(UTC))
    assert dpm("gc", "--json")["over_size"] == 0
    monkeypatch.setenv("DPM_CACHE_MAX_GB", "0.0000001")
    assert load_settings().cache_max_bytes == 100
    assert dpm("gc", "--json")["over_size"] == 1


def test_a_size_that_makes_no_sense_is_wrong_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DPM_CACHE_MAX_GB", "0")
    with pytest.raises(Exception, match="DPM_CACHE_MAX_GB"):
        load_settings()
