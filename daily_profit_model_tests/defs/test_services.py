"""What assets talk to: one gate to the service for all runs of a process, and a log of every request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from daily_profit_model.defs.resources.services import RiskApiService, gate_of
from daily_profit_model.risk_api import ServiceFailing
from daily_profit_model.settings import Settings, WrongSettings, load_settings
from daily_profit_model_tests.risk_api import scripted_service as scripted
from daily_profit_model_tests.risk_api.scripted_service import KEY, Service, serving

ENDPOINT = "v2/trades/open"
ASKED = {"limit": 10}


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service()) as running:
        yield running


@pytest.fixture
def settings(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    variables = {
        "DPM_DATA_DIR": str(tmp_path),
        "RISK_API_BASE_URL": service.base_url,
        "RISK_API_KEY": KEY,
        "RISK_API_BREAKER_FAILURES": "3",
        "RISK_API_BREAKER_PAUSE": "60",
        "RISK_API_BREAKER_PATIENCE": "0",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def logged(settings: Settings) -> list[dict[str, object]]:
    files = sorted((settings.dpm_data_dir / "lake" / "raw" / "requests").rglob("*.parquet"))
    tables = [pq.ParquetFile(file).read() for file in files]
    return pa.concat_tables(tables).to_pylist() if tables else []


def test_requests_are_in_the_log_when_the_run_is_over(settings: Settings, service: Service) -> None:
    service.faults = [scripted.status(500)]
    resource = RiskApiService(settings, "run-1")
    resource.client.get(ENDPOINT, ASKED)
    resource.close()
    assert [(row["run_id"], row["outcome"]) for row in logged(settings)] == [("run-1", "http_5xx"), ("run-1", "ok")]


def test_a_run_that_asks_nothing_needs_no_key_and_logs_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISK_API_KEY", "")
    resource = RiskApiService(load_settings(), "run-1")
    resource.close()
    assert logged(settings) == []
    with pytest.raises(WrongSettings, match="RISK_API_KEY"):
        resource.client.get(ENDPOINT, ASKED)


def test_the_next_run_of_a_process_finds_the_breaker_as_the_last_one_left_it(
    settings: Settings, service: Service
) -> None:
    service.faults = [scripted.status(500)] * 99
    for run in ("run-1", "run-2"):
        resource = RiskApiService(settings, run)
        with pytest.raises(ServiceFailing, match="breaker"):
            resource.client.get(ENDPOINT, ASKED)
        resource.close()
    assert len(service.asked) == 3  # nobody probes before the pause is over, however long a retry waits
    assert [row["opened_breaker"] for row in logged(settings)].count(True) == 1


def test_another_service_or_other_limits_have_a_gate_of_their_own(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = gate_of(settings)
    assert gate_of(load_settings()) is gate
    monkeypatch.setenv("RISK_API_RATE", "7")
    assert gate_of(load_settings()) is not gate
    monkeypatch.delenv("RISK_API_RATE")
    monkeypatch.setenv("RISK_API_BASE_URL", "http://127.0.0.1:9/")
    assert gate_of(load_settings()) is not gate
