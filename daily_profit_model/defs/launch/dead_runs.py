"""Runs whose process was killed: nobody ends them, and each would hold the daemon's queue for ever.

A run of `dpm` carries the process that makes it; of one that a code server of this host launched, Dagster stores the
number. Both are looked at when a `dpm` command or the UI starts, and by the daemon's run monitoring, every two minutes.
"""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path

import dagster as dg
from dagster import DefaultRunLauncher
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus  # what a launcher answers the run monitoring with

PROCESS_TAG = "dpm/process"
_CODE_SERVER_TAG = ".dagster/grpc_info"
"""Dagster's, of a run that a code server was asked for: JSON with its host, and its socket where that is of this host."""

_UNFINISHED = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


class LocalRunLauncher(DefaultRunLauncher):
    """Dagster's own, which tells the run monitoring of runs whose process is gone."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        return CheckRunHealthResult(WorkerStatus.FAILED if is_dead(self._instance, run) else WorkerStatus.RUNNING)


def this_process() -> str:
    """Host, number and start of this process, as a run's tag; the start tells it from a later one of its number."""
    return _process(os.getpid()) or ""


def end_dead_runs(instance: dg.DagsterInstance) -> int:
    """Report the unfinished runs of this host's dead processes as failed; how many there were."""
    ended = 0
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED)):
        if is_dead(instance, run) and (now := instance.get_run_by_id(run.run_id)) and not now.is_finished:
            instance.report_run_failed(run, "The process that made it was killed: dpm run makes what is missing.")
            ended += 1
    return ended


def is_dead(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether the process of an unfinished run is known to be gone; False where it is another host's, or has not begun."""
    if owner := run.tags.get(PROCESS_TAG):
        host, _, rest = owner.partition(":")
        number = rest.partition(":")[0]
        return host == socket.gethostname() and number.isdecimal() and _process(int(number)) != owner
    if not _is_of_this_host(run):
        return False
    begun = [
        (event.dagster_event.engine_event_data.metadata, event.timestamp)
        for event in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
        if event.dagster_event is not None
    ]
    found = next(((str(told["pid"].value), at) for told, at in reversed(begun) if "pid" in told), None)
    if found is None:
        return False
    number, at = found
    process = _process(int(number))
    return process is None or _began_after(process, at)


def _is_of_this_host(run: dg.DagsterRun) -> bool:
    """A code server that is reached through a socket is a process of this host."""
    told = json.loads(run.tags.get(_CODE_SERVER_TAG, "{}"))
    return bool(told.get("socket"))


def _began_after(process: str, at: float) -> bool:
    """Whether a process began after a moment (seconds since 1970): then it has the number of one that is gone."""
    ticks = process.rpartition(":")[2]
    if not ticks.isdecimal():  # a system that does not tell
        return False
    since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
    age = since_boot - int(ticks) / os.sysconf("SC_CLK_TCK")
    return time.time() - age > at + 1.0  # the clock of ticks is coarse


def _process(number: int) -> str | None:
    """None: there is no such process."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return None
    except PermissionError:  # another user's
        pass
    try:
        state, *more = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:  # gone just now, or a system without it, where the number alone must do
        state, more = "", [""] * 20
    # a killed process whose parent has not noticed is no process any more
    return None if state == "Z" else f"{socket.gethostname()}:{number}:{more[18]}"
