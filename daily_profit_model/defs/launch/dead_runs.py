"""Runs whose process was killed: nobody ends them, and each would hold the daemon's queue for ever.

A run of `dpm` carries the process that makes it; one that a daemon launches, its host, and Dagster stores the number of
its process. Both are looked at when a `dpm` command or the UI starts, and by the daemon's run monitoring, every two minutes.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import dagster as dg
from dagster import DefaultRunLauncher
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, WorkerStatus  # nowhere public

PROCESS_TAG = "dpm/process"
HOST_TAG = "dpm/host"
"""Of the daemon that launched a run in a code server of its own, so of the run's process."""

_CLOCKS_APART = 60.0
"""Seconds by which a clock may have been set between a run's start and now."""

_UNFINISHED = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


class LocalRunLauncher(DefaultRunLauncher):
    """Dagster's own, which notes the host, and tells the run monitoring of runs whose process is gone."""

    def launch_run(self, context: LaunchRunContext) -> None:
        self._instance.add_run_tags(context.dagster_run.run_id, {HOST_TAG: socket.gethostname()})
        super().launch_run(context)

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
    if HOST_TAG not in run.tags:  # else a tag of the process is that of another run, which this one repeats
        owner = run.tags.get(PROCESS_TAG, "")
        host, _, rest = owner.partition(":")
        begun_by = rest.partition(":")[0]
        return host == socket.gethostname() and begun_by.isdecimal() and _process(int(begun_by)) != owner
    if run.tags[HOST_TAG] != socket.gethostname():
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


def _began_after(process: str, at: float) -> bool:
    """Whether a process began after a moment (seconds since 1970): then it has the number of one that is gone."""
    ticks = process.rpartition(":")[2]
    if not ticks.isdecimal():  # a system that does not tell
        return False
    since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
    age = since_boot - int(ticks) / os.sysconf("SC_CLK_TCK")
    return time.time() - age > at + _CLOCKS_APART


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
