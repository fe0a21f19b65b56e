"""`dpm ui`: Dagster's webserver and daemon on the stored instance, stopped together."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from daily_profit_model.defs.launch.dead_runs import end_dead_runs
from daily_profit_model.defs.launch.instance import stored_instance
from daily_profit_model.defs.launch.sandbox_process import sandbox_of
from daily_profit_model.settings import Settings, WrongSettings

WORKSPACE = Path(__file__).parents[3] / "workspace.yaml"
_TERMINATION_SECONDS = 20


def serve_ui(settings: Settings, *, port: int) -> int:
    """Serve until Ctrl-C or SIGTERM; returns the exit code. Raises WrongSettings when the port is taken."""
    if not _is_free(port):
        raise WrongSettings(f"port {port} on 127.0.0.1 is taken: choose another with --port")
    with stored_instance(settings) as instance:
        end_dead_runs(instance)
    os.environ["DPM_DATA_DIR"] = str(settings.dpm_data_dir.resolve())  # for the processes started below
    with contextlib.ExitStack() as stack:
        stack.enter_context(sandbox_of(settings))
        processes = [
            stack.enter_context(
                _process(["-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "-w", str(WORKSPACE)])
            ),
            stack.enter_context(_process(["-m", "dagster._daemon", "run", "-w", str(WORKSPACE)])),
        ]
        Console(highlight=False).print(f"Dagster UI: http://127.0.0.1:{port} (Ctrl-C stops it and the daemon)")
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            while all(process.poll() is None for process in processes):
                time.sleep(0.5)
        except KeyboardInterrupt:
            return 0
        return 1


@contextlib.contextmanager
def _process(arguments: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-W", "ignore", *arguments])
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_TERMINATION_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
