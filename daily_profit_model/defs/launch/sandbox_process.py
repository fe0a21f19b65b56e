"""The sandbox as a process of its own beside the demo and the UI, stopped with them."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from daily_profit_model.settings import Settings

SANDBOX_KEY = "sandbox-key"
SANDBOX_RATE = 400.0
"""Requests a second that the demo's server allows, so that the demo shows the platform and not the limit
of 15 a second that the real service has."""


@contextlib.contextmanager
def sandbox_serving(world: Path, port: int, accounts: int, days: int, seed: int, end: str) -> Iterator[None]:
    """Serve the world kept in `world` (generated if it is not there) until the context ends.

    Raises RuntimeError with the server's own last line when it does not come up.
    """
    command = [
        sys.executable, "-W", "ignore", "-m", "daily_profit_model.cli", "sandbox", "serve",
        "--folder", str(world), "--port", str(port), "--key", SANDBOX_KEY, "--rate-limit", str(SANDBOX_RATE),
        "--burst", str(int(SANDBOX_RATE)), "--accounts", str(accounts), "--days", str(days), "--seed", str(seed),
        "--end", end,
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        output, errors = process.stdout, process.stderr
        if output is None or errors is None or not output.readline():
            said = errors.read().strip() if errors else ""
            raise RuntimeError(f"the sandbox did not start: {said or 'it said nothing'}")
        yield
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def sandbox_of(settings: Settings) -> Iterator[None]:
    """Serve the demo's world where the settings expect it, when the lake is the demo's and nobody serves it yet."""
    address = urlsplit(settings.risk_api_base_url)
    world = Path(settings.dpm_sandbox_world)
    if (
        not settings.dpm_sandbox_world
        or not (world / "world.json").exists()
        or _answers(address.hostname, address.port)
    ):
        yield
        return
    made = json.loads((world / "world.json").read_text(encoding="utf-8"))["settings"]
    with sandbox_serving(world, address.port or 0, made["accounts"], made["days"], made["seed"], made["end"]):
        yield


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(host: str | None, port: int | None) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host or "127.0.0.1", port or 80)) == 0
