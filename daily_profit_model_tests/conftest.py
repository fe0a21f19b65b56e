"""What every test stands on: no setting of the machine reaches it, the calendar begins on one day, a lake is its own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from upath import UPath
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from daily_profit_model.lake import Lake

CALENDAR_START = "2026-03-01"

ORDER = (
    "end_to_end/test_command_line",  # fills the platform that all of end_to_end reads: the others would wait for it
    "features/test_compare",  # Spark: a minute in one test
    "sandbox",
    "risk_api",
    "quality",
    "modeling",
    "end_to_end/test_whole_graph",
    "end_to_end",
)
"""What takes long or is waited for comes first, so that no worker is alone at the end; what is not named comes last."""

TOGETHER = ("quality/test_(rules|.*_in_pandas)$", "sandbox/test_(?!faults_client)", "modeling/")
"""Modules that share what takes long to make and is made once a process, as patterns: one worker runs them."""

for name in [name for name in os.environ if name.startswith(("DPM_", "RISK_API_", "REGIMES_", "MARKET_", "DAGSTER_"))]:
    del os.environ[name]
# Dagster's partition definitions are made when the graph is imported, so this stands before any import of it.
os.environ["DPM_START_DATE"] = CALENDAR_START
os.environ["DPM_FIRST_TRAINING_DAYS"] = "44"
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
# Spark lives for a minute here, too short for what the second compiler would win
os.environ["JAVA_TOOL_OPTIONS"] = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """By ORDER; within a module as written."""
    here = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        name = item.path.relative_to(here).as_posix()
        return next((number for number, start in enumerate(ORDER) if name.startswith(start)), len(ORDER))

    items.sort(key=place)


class _ByModule(LoadFileScheduling):  # type: ignore[misc]  # it has no types
    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition(".py::")[0]
        return next((group for group in TOGETHER if re.search(group, module)), module)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _ByModule:
    """A module's tests on one worker, and those of modules that are TOGETHER."""
    return _ByModule(config, log)


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A command that a test runs sets where logs go; the next test must not write there."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake in a temporary folder."""
    return Lake(UPath(tmp_path / "lake"))
