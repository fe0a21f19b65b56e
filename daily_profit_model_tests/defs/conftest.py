"""What tests of the registry's commands and of the models' sensors stand on: folders and event logs of their own, versions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from daily_profit_model.defs.models.deployments import create
from daily_profit_model.lake import Lake
from daily_profit_model_tests.defs.sensor_ticks import MONDAY, SUNDAY
from daily_profit_model_tests.defs.small_versions import predicted, register, small_model
from daily_profit_model_tests.monitoring.receivers import Inbox, web_server


@pytest.fixture(scope="module")
def told() -> Iterator[dg.DagsterInstance]:
    """The event log to which the commands of all tests of a module tell."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: dg.DagsterInstance) -> None:
    """The test runs in its own folder, which is the data folder, too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("daily_profit_model.defs.launch.instance.stored_instance", lambda _: told)


@pytest.fixture
def own_data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data folder of the settings is the test's own; `lake` lies in it."""
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An event log of the test's own."""
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """A webhook that the settings name, for alerts of every severity."""
    with web_server() as inbox:
        monkeypatch.setenv("DPM_ALERT_WEBHOOK_URL", inbox.address)
        monkeypatch.setenv("DPM_ALERT_WEBHOOK_SEVERITIES", "info,warn,error,critical")
        yield inbox


@pytest.fixture
def challenger(lake: Lake, tmp_path: Path) -> str:
    """The version of SUNDAY, which the gate has made challenger of the champion of FIRST_CUTOFF."""
    predicted(lake, MONDAY)
    register(lake, tmp_path / "models", small_model(0), "promoted")
    return register(lake, tmp_path / "models", small_model(1, SUNDAY), "challenger")


@pytest.fixture
def shadow(lake: Lake, tmp_path: Path, challenger: str) -> str:
    """A running deployment of the challenger."""
    words = {"traffic": 0, "days": 60, "first_day": None, "reason": "r", "author": "sensor"}
    act = create(lake, tmp_path / "models", challenger, **words)  # type: ignore[arg-type]  # as the keywords are
    return str(act["deployment"])
