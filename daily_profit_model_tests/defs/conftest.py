"""What tests of commands that act on the registry stand on: a folder and an event log of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest


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
