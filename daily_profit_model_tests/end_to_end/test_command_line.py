"""dpm as people call it: one clear line for everything foreseen, and the exit codes that scripts rely on."""

from __future__ import annotations

import json
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from daily_profit_model_tests.end_to_end.conftest import Platform
from daily_profit_model_tests.end_to_end.firm import END, content_hashes, dpm, dpm_here

COMMANDS = (
    "",
    "demo",
    "run",
    "ingest",
    "corrections",
    "status",
    "predict",
    "drift show",
    "drift report",
    "explain",
    "health",
    "quarantine",
    "quarantine retry",
    "quality report",
    "quality rules",
    "ui",
    "lake",
    "lake storage",
    "lake gc",
    "models",
    "models promote",
    "shadow",
    "shadow create",
    "train",
    "sandbox",
    "sandbox serve",
)


def the_one_line(result: subprocess.CompletedProcess[str]) -> str:
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("dpm: ")
    return lines[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    result = dpm_here({}, *command.split(), "--help")
    assert result.returncode == 0
    assert "Usage:" in result.stdout


def test_a_missing_key_is_one_line_that_names_the_variable(platform: Platform, tmp_path: Path) -> None:
    variables = {**platform.variables, "DPM_DATA_DIR": str(tmp_path), "RISK_API_KEY": ""}
    result = dpm(variables, "run", "--stages", "raw", "--start-date", "2026-03-12", "--end-date", "2026-03-13")
    assert result.returncode == 2
    assert "RISK_API_KEY" in the_one_line(result)


def test_a_wrong_key_is_one_line_and_never_repeats_the_key(platform: Platform, tmp_path: Path) -> None:
    variables = {**platform.variables, "DPM_DATA_DIR": str(tmp_path), "RISK_API_KEY": "not-the-key-9f3a"}
    result = dpm(variables, "run", "--stages", "raw", "--start-date", "2026-03-12", "--end-date", "2026-03-13")
    assert result.returncode in (1, 2)
    assert "RISK_API_KEY" in the_one_line(result)
    assert "9f3a" not in result.stdout + result.stderr


def test_an_unreachable_host_is_one_line_that_names_the_variable(platform: Platform, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {
        **platform.variables,
        "DPM_DATA_DIR": str(tmp_path),
        "RISK_API_BASE_URL": f"http://127.0.0.1:{port}/external/",
    }
    result = dpm(variables, "run", "--stages", "raw", "--start-date", "2026-03-12", "--end-date", "2026-03-13")
    assert result.returncode in (1, 2)
    assert "RISK_API_BASE_URL" in the_one_line(result)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("run", "--stages", "raw,nonsense"), "nonsense"),
        (("run", "--start-date", "2026-04-02", "--end-date", "2026-04-01"), "2026-04-01"),
        (("run", "--start-date", "2026-02-30"), "2026-02-30"),
        (("run", "--start-date", "2020-01-01"), "DPM_START_DATE"),
        (("run", "--end-date", "2999-01-01"), "2999-01-01"),
        (("predict", "--date", "yesterday"), "yesterday"),
        (("ingest", "metrics", "weekly"), "metrics hourly"),
        (("quarantine", "retry", "trades_closed"), "--all"),
        (("quality", "report", "--table", "nonsense"), "raw/metrics_daily"),
    ],
)
def test_wrong_use_is_one_line_and_exit_2(platform: Platform, arguments: tuple[str, ...], word: str) -> None:
    result = dpm_here(platform.variables, *arguments)
    assert result.returncode == 2
    assert word in the_one_line(result)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("DPM_START_DATE", "soon"), ("RISK_API_RATE", "-1"), ("DPM_ENGINE", "abacus"), ("DPM_LOG_FORMAT", "xml")],
)
def test_a_wrong_setting_is_one_line_that_names_the_variable(variable: str, value: str) -> None:
    result = dpm_here({variable: value}, "status")
    assert result.returncode == 2
    assert variable in the_one_line(result)


def test_a_dry_run_says_what_is_missing_and_makes_nothing(platform: Platform, tmp_path: Path) -> None:
    variables = {**platform.variables, "DPM_DATA_DIR": str(tmp_path / "new")}
    result = dpm_here(variables, "run", "--dry-run", "--start-date", "2026-03-12", "--end-date", "2026-03-16")
    assert result.returncode == 0
    assert "5 partitions" in result.stdout
    assert not (tmp_path / "new" / "lake").exists()


def test_status_is_0_when_complete_and_1_when_days_are_missing(platform: Platform, tmp_path: Path) -> None:
    complete = dpm_here(platform.variables, "status", "--json")
    assert complete.returncode == 0
    tables = {state["table"]: state for state in json.loads(complete.stdout)["tables"]}
    assert tables["raw/metrics_daily"]["last"] == END.isoformat()
    assert dpm_here({**platform.variables, "DPM_DATA_DIR": str(tmp_path / "empty")}, "status").returncode == 1


def test_explain_tells_an_accounts_reasons_in_words_and_as_json(platform: Platform) -> None:
    day = END.isoformat()
    files = platform.data_dir / "lake" / "predictions" / "account_daily" / f"date={day}"
    import pyarrow.parquet as pq

    account = pq.ParquetFile(next(files.glob("*.parquet"))).read()["account_id"][0].as_py()
    words = dpm_here(platform.variables, "explain", "--account", account, "--date", day)
    assert words.returncode == 0
    assert account in words.stdout
    row = json.loads(dpm_here(platform.variables, "explain", "--account", account, "--date", day, "--json").stdout)
    assert row["account_id"] == account
    unknown = dpm_here(platform.variables, "explain", "--account", "nobody")
    assert unknown.returncode == 1
    assert "nobody" in the_one_line(unknown)


def test_predict_of_a_day_without_a_champion_is_one_line(platform: Platform) -> None:
    result = dpm_here(platform.variables, "predict", "--date", "2026-03-24")
    assert result.returncode in (1, 2)
    assert "champion" in the_one_line(result)


def test_the_code_location_needs_no_heavy_library() -> None:
    heavy = ("lightgbm", "optuna", "shap", "great_expectations", "matplotlib", "evidently", "pyspark")
    code = (
        f"import sys; import daily_profit_model.definitions; print([name for name in {heavy!r} if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def _killed(variables: Mapping[str, str], arguments: tuple[str, ...], seconds: float) -> bool:
    """Start dpm and kill -9 it after `seconds`; True when it was still running."""
    import os

    process = subprocess.Popen(
        [sys.executable, "-m", "daily_profit_model.cli", *arguments],
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    was_running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return was_running


def test_a_run_killed_at_any_moment_and_started_again_ends_with_the_same_content(
    platform: Platform, tmp_path: Path
) -> None:
    variables = {**platform.variables, "DPM_DATA_DIR": str(tmp_path / "killed")}
    arguments = ("run", "--stages", "raw,staging,features", "--start-date", "2026-03-12", "--end-date", "2026-03-25")
    moments = random.Random(11)
    kills = sum(_killed(variables, arguments, moments.uniform(2.5, 6.0)) for _ in range(3))
    assert kills >= 2
    finished = dpm(variables, *arguments)
    assert finished.returncode == 0, finished.stderr
    made = content_hashes(tmp_path / "killed", "raw", "staging", "features")
    whole = content_hashes(platform.data_dir, "raw", "staging", "features")
    assert len([name for name in made if name.startswith("features/")]) == 2 * 14
    assert {name for name in made if made[name] != whole[name]} == set()
    left = [path for path in (tmp_path / "killed" / "lake").rglob("*.parquet") if path.name.startswith(".")]
    assert left == []
