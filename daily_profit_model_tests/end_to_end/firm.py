"""A small simulated firm behind HTTP and the settings that point at it; shared by the end-to-end tests."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import date
from pathlib import Path

import pytest

from daily_profit_model.lake import Lake
from daily_profit_model.sandbox.plans import write_csv
from daily_profit_model.sandbox.server import Address, running
from daily_profit_model.sandbox.world import World, WorldSettings
from daily_profit_model.settings import load_settings
from daily_profit_model.tables.raw_requests import RAW_REQUESTS

START, END = date(2026, 3, 12), date(2026, 5, 7)
KEY = "the-secret-key-of-the-tests"
FIRM = WorldSettings(accounts=60, days=(END - START).days + 1, seed=3, end=END)


@contextmanager
def firm_serving(world: World, port: int = 0) -> Iterator[Address]:
    """The firm's API without a limit worth waiting for."""
    with running(world, port=port, api_key=KEY, rate_limit=2000.0, burst=2000) as address:
        yield address


def environment(data_dir: Path, world: World, address: Address) -> dict[str, str]:
    """The environment variables of a platform that keeps its data in `data_dir`."""
    plans = data_dir / "plans"
    if not plans.exists():
        plans.mkdir(parents=True)
        write_csv(world, plans)
    return {
        "DPM_DATA_DIR": str(data_dir),
        "DPM_PLANS_DIR": str(plans),
        "RISK_API_BASE_URL": address.base_url,
        "RISK_API_KEY": KEY,
        "RISK_API_RATE": "2000",
        "RISK_API_BURST": "2000",
        "REGIMES_SOURCE": f"{address.root}/regimes",
        "MARKET_API_BASE_URL": f"{address.root}/market/",
    }


def run(
    monkeypatch: pytest.MonkeyPatch,
    variables: Mapping[str, str],
    stages: str,
    first: date,
    last: date,
    *,
    force: bool = False,
) -> None:
    """`dpm run` in this process."""
    from daily_profit_model.defs.launch.command import run_stages

    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    run_stages(load_settings(), stages, first, last, force=force)


def dpm(variables: Mapping[str, str], *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """`dpm` as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "daily_profit_model.cli", *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def dpm_here(variables: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """`dpm` in this process, from its `main` on: what it says and its exit code, without the seconds of its imports."""
    from daily_profit_model.cli import main

    said, complained, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["dpm", *arguments])
        with redirect_stdout(said), redirect_stderr(complained):
            try:
                main()
            except SystemExit as end:
                code = int(end.code or 0)
    return subprocess.CompletedProcess(arguments, code, said.getvalue(), complained.getvalue())


def content_hashes(data_dir: Path, *layers: str) -> dict[str, str]:
    """Content hash of every partition of the given layers, by `table@partition`."""
    lake = Lake(load_settings().lake_root.__class__(data_dir / "lake"))
    found = {}
    for layer in layers:
        for folder in sorted((data_dir / "lake" / layer).iterdir()):
            table = f"{layer}/{folder.name}"
            if table == RAW_REQUESTS.name:
                continue  # a log: no two runs make the same calls
            for partition in lake.partitions(table):
                file = lake.describe(table, partition, "newest")
                assert file is not None
                found[f"{table}@{partition}"] = file.content_hash
    return found
