"""Runs of a `dpm` process that was killed: nobody ends them, and each would hold the daemon's queue for ever.

A run carries the process that makes it. What the daemon launches carries none: its start is watched (`instance`).
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import dagster as dg

PROCESS_TAG = "dpm/process"

_UNFINISHED = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


def this_process() -> str:
    """Host, number and start of this process, as a run's tag; the start tells it from a later one of its number."""
    return _process(os.getpid()) or ""


def end_dead_runs(instance: dg.DagsterInstance) -> int:
    """Report the unfinished runs of this host's dead processes as failed; how many there were."""
    ended = 0
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED)):
        host, _, rest = run.tags.get(PROCESS_TAG, "").partition(":")
        number = rest.partition(":")[0]
        if host != socket.gethostname() or not number.isdecimal():
            continue
        if _process(int(number)) != run.tags[PROCESS_TAG]:
            instance.report_run_failed(run, "The process that made it was killed: dpm run makes what is missing.")
            ended += 1
    return ended


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
