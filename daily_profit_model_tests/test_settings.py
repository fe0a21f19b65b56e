"""Settings: where a value comes from, what a wrong one says, and that the key is never shown."""

from __future__ import annotations

import io
import os
from datetime import date
from pathlib import Path

import pytest
import structlog

from daily_profit_model.settings import Settings, WrongSettings, configure_logs, load_settings

KEY = "a-secret-key-of-nobody"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory without `.env` and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.lower() in Settings.model_fields:
            monkeypatch.delenv(name)


def _write(path: str, *lines: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_without_any_setting_the_defaults_point_to_the_sandbox_on_loopback() -> None:
    settings = load_settings()
    assert settings.dpm_data_dir == Path("data/local")
    assert str(settings.lake_root) == "data/local/lake"
    assert settings.dpm_start_date == date(2024, 1, 1)
    assert settings.risk_api_base_url == "http://127.0.0.1:8750/risk-analytics/tft/external/"
    assert (settings.models_dir, settings.reports_dir) == (Path("data/local/models"), Path("data/local/reports"))
    assert settings.dagster_home.is_absolute()


def test_the_environment_goes_before_env_before_the_data_folders_file(monkeypatch: pytest.MonkeyPatch) -> None:
    _write("data/local/settings.env", "RISK_API_RATE=1", "RISK_API_BURST=1", "RISK_API_CONNECTIONS=1")
    _write(".env", "RISK_API_RATE=2", "RISK_API_BURST=2")
    monkeypatch.setenv("RISK_API_RATE", "3")
    settings = load_settings()
    assert (settings.risk_api_rate, settings.risk_api_burst, settings.risk_api_connections) == (3.0, 2, 1)


@pytest.mark.parametrize("where", ["environment", "env file"])
def test_the_data_folder_that_is_set_is_where_its_file_is_looked_for(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write("elsewhere/settings.env", "RISK_API_KEY=of-elsewhere")
    _write("data/local/settings.env", "RISK_API_KEY=of-the-default")
    if where == "environment":
        monkeypatch.setenv("DPM_DATA_DIR", "elsewhere")
    else:
        _write(".env", "# the data", "DPM_DATA_DIR='elsewhere'")
    assert load_settings().required_key() == "of-elsewhere"
    assert str(load_settings().lake_root) == "elsewhere/lake"


def test_the_lake_may_lie_in_an_object_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DPM_LAKE_URI", "memory://firm/lake")
    assert load_settings().lake_root.protocol == "memory"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DPM_START_DATE", "last monday"),
        ("DPM_START_DATE", "1066-10-14"),
        ("RISK_API_RATE", "0"),
        ("RISK_API_RATE", "fast"),
        ("RISK_API_CONNECTIONS", "1.5"),
        ("DPM_LOG_FORMAT", "xml"),
        ("DPM_ENGINE", "abacus"),
        ("DPM_TRAINING_DAYS", "3"),
        ("RISK_API_BREAKER_FAILURES", "0"),
        ("RISK_API_BREAKER_PAUSE", "-1"),
        ("DPM_FEED_FAILURE_RATE_WARN", "1.5"),
        ("DPM_FEED_LATENCY_ERROR", "1"),
        ("DPM_HEALTH_MODEL_AGE_ERROR", "10"),
        ("DPM_HEALTH_DISK_ERROR_GB", "20"),
        ("DPM_HEALTH_MEMORY_ERROR_GB", "1.5"),
        ("DPM_DATA_DIR", "a-file"),
        ("DPM_DATA_DIR", "a-file/below"),
        ("DPM_LAKE_URI", "gopher://firm/lake"),
        ("DPM_LAKE_URI", "gs://firm/lake"),
        ("DPM_LAKE_URI", "a-file"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it_and_says_what_it_is(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write("a-file", "")
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongSettings) as wrong:
        load_settings()
    message = str(wrong.value)
    assert message.startswith(f"{name}=")
    assert value in message
    assert str(Settings.model_fields[name.lower()].description) in message
    assert "\n" not in message


def test_a_warning_may_not_begin_beyond_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DPM_FEED_DAILY_STALENESS_WARN", "72")
    with pytest.raises(WrongSettings, match=r"^DPM_FEED_DAILY_STALENESS_ERROR=48.0 .*DPM_FEED_DAILY_STALENESS_WARN=72"):
        load_settings()


def test_a_missing_key_says_which_variable_and_how_to_set_it() -> None:
    with pytest.raises(WrongSettings, match=r"^RISK_API_KEY is not set: export RISK_API_KEY=<key>, [^\n]*$"):
        load_settings().required_key()


def test_the_key_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_API_KEY", KEY)
    settings = load_settings()
    assert settings.required_key() == KEY
    for shown in (repr(settings), str(settings), f"{settings.model_dump()}", settings.model_dump_json()):
        assert KEY not in shown
    monkeypatch.setenv("RISK_API_RATE", "fast")
    with pytest.raises(WrongSettings) as wrong:
        load_settings()
    assert KEY not in str(wrong.value)


def test_every_setting_says_what_it_is() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_variables_of_other_programs_are_no_business_of_ours() -> None:
    _write(".env", "SOMEBODY_ELSES=1", "RISK_API_BURST=7")
    assert load_settings().risk_api_burst == 7


def test_three_days_are_read_again_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().dpm_correction_days == 3
    monkeypatch.setenv("DPM_CORRECTION_DAYS", "0")
    assert load_settings().dpm_correction_days == 0
    monkeypatch.setenv("DPM_CORRECTION_DAYS", "-1")
    with pytest.raises(WrongSettings, match="DPM_CORRECTION_DAYS"):
        load_settings()


def test_logs_go_to_the_standard_error_of_when_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = io.StringIO()
    monkeypatch.setattr("sys.stderr", gone)
    configure_logs("console")
    log = structlog.get_logger()
    gone.close()
    monkeypatch.setattr("sys.stderr", now := io.StringIO())
    log.warning("still_heard")
    assert "still_heard" in now.getvalue()
