"""Runs of processes that were killed are ended; those of others, and of other hosts, are left alone."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import patch

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._core.launcher import LaunchRunContext, WorkerStatus

from daily_profit_model.defs.launch.dead_runs import HOST_TAG, PROCESS_TAG, end_dead_runs, is_dead, this_process
from daily_profit_model.defs.launch.instance import stored_instance
from daily_profit_model.settings import load_settings

STARTED = dg.DagsterRunStatus.STARTED


def test_a_run_whose_process_is_gone_is_failed_and_no_other() -> None:
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    host, number, started = this_process().split(":")
    owners = {
        "gone": f"{host}:{int(gone.stdout)}:1",
        "number taken by another": f"{host}:{number}:{int(started or 0) + 1}",
        "alive": this_process(),
        "another host": f"not-{host}:{int(gone.stdout)}:1",
        "made by nobody known": "",
    }
    with dg.DagsterInstance.ephemeral() as instance:
        runs = {
            name: instance.add_run(
                dg.DagsterRun(job_name="job", status=STARTED, tags={PROCESS_TAG: owner} if owner else {})
            )
            for name, owner in owners.items()
        }
        assert end_dead_runs(instance) == 2
        found = {name: instance.get_run_by_id(run.run_id) for name, run in runs.items()}
        assert {name for name, run in found.items() if run and run.status == dg.DagsterRunStatus.FAILURE} == {
            "gone",
            "number taken by another",
        }
        assert end_dead_runs(instance) == 0


def test_a_killed_process_that_its_parent_has_not_noticed_is_gone() -> None:
    script = "from daily_profit_model.defs.launch.dead_runs import this_process as p; print(p(), flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        owner = child.stdout.readline().decode().strip()
        with dg.DagsterInstance.ephemeral() as instance:
            instance.add_run(dg.DagsterRun(job_name="job", status=STARTED, tags={PROCESS_TAG: owner}))
            assert end_dead_runs(instance) == 0
            child.kill()
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is still listed
            assert end_dead_runs(instance) == 1


def test_a_run_that_a_code_server_launched_is_dead_once_its_process_is_gone_or_its_number_is_another_s() -> None:
    gone = int(subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True).stdout)
    of_here, elsewhere = {HOST_TAG: socket.gethostname()}, {HOST_TAG: "another"}
    with dg.DagsterInstance.ephemeral() as instance, subprocess.Popen(["sleep", "60"]) as younger:

        def is_dead_with(number: int | None, tags: dict[str, str], age: float = 0.0) -> bool:
            run = instance.add_run(dg.DagsterRun(job_name="job", status=STARTED, tags=tags))
            if number is not None:
                with patch("time.time", return_value=time.time() - age):
                    instance.report_engine_event("Started process", run, EngineEventData.in_process(number))
            return is_dead(instance, run)

        assert is_dead_with(gone, of_here)
        assert not is_dead_with(os.getpid(), of_here)
        assert is_dead_with(younger.pid, of_here, age=3600.0)  # a process that began after the run did
        assert not is_dead_with(younger.pid, of_here, age=-30.0)  # a clock that was set
        assert not is_dead_with(gone, elsewhere)
        assert not is_dead_with(gone, {})
        repeated = {**of_here, PROCESS_TAG: f"{socket.gethostname()}:{gone}:1"}
        assert not is_dead_with(os.getpid(), repeated)
        assert not is_dead_with(None, of_here)
        younger.kill()


def test_the_instance_of_the_ui_notes_the_host_of_what_it_launches_and_tells_run_monitoring_of_the_dead(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", "")  # so that it is as before afterwards
    gone = int(subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True).stdout)
    with stored_instance(load_settings()) as instance, patch.object(dg.DefaultRunLauncher, "launch_run") as launched:
        launcher = instance.run_launcher
        assert launcher.supports_check_run_worker_health
        for number, status in ((os.getpid(), WorkerStatus.RUNNING), (gone, WorkerStatus.FAILED)):
            run = instance.add_run(dg.DagsterRun(job_name="job", status=STARTED))
            launcher.launch_run(LaunchRunContext(run, None))
            instance.report_engine_event("Started process", run, EngineEventData.in_process(number))
            noted = instance.get_run_by_id(run.run_id)
            assert noted is not None
            assert noted.tags[HOST_TAG] == socket.gethostname()
            assert launcher.check_run_worker_health(noted).status == status
        assert launched.call_count == 2
