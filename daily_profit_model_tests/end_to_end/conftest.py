"""The filled platform: one world ingested, trained and predicted once for all end-to-end tests."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from daily_profit_model.sandbox.server import Address
from daily_profit_model.sandbox.world import World, generate
from daily_profit_model_tests.end_to_end import small_firm as small
from daily_profit_model_tests.end_to_end.firm import END, FIRM, START, environment, firm_serving, run

NOT_SERVED_FROM = (
    "trades_*",
    "metrics_hourly",
    "market_bars",
    "staging",
    "cache",
    "spool",
    "profiles",
    "quality",
    "reports",
)
"""Folders of a platform, as patterns, from which no day is served or judged: a copy of it is far smaller without them."""


@dataclass(frozen=True)
class Platform:
    """A data folder with every layer filled, its server, and the variables that point at both."""

    data_dir: Path
    world: World
    address: Address
    variables: dict[str, str]


@pytest.fixture(scope="session")
def world() -> World:
    return generate(FIRM)


@pytest.fixture(scope="session")
def served(world: World) -> Iterator[Address]:
    with firm_serving(world) as address:
        yield address


@pytest.fixture(scope="session")
def platform(world: World, served: Address, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Platform:
    """Read only: a test that changes anything copies the folder first. Filled once, whatever the workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    data_dir = shared / "filled"
    variables = environment(data_dir, world, served)
    with pytest.MonkeyPatch.context() as patch, (shared / "filled.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run(patch, variables, "", START, END)
    return Platform(data_dir, world, served, variables)


@pytest.fixture(scope="module")
def small_served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[small.SmallFirm]:
    world = generate(small.SETTINGS)
    with firm_serving(world) as address:
        yield small.SmallFirm(world, address, environment(tmp_path_factory.mktemp("firm"), world, address))


@pytest.fixture
def small_firm(small_served: small.SmallFirm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> small.SmallFirm:
    """The small firm on the morning after its last day, and the settings of an empty data folder."""
    for name, value in {**small_served.variables, "DPM_DATA_DIR": str(tmp_path / "data")}.items():
        monkeypatch.setenv(name, value)
    small_served.at(small.MORNING)
    return small_served
