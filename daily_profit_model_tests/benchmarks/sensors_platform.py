"""The webserver and the daemon of `sensors_end_to_end`, which is killed when a moment has come."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import requests

PAUSE = 5.0
"""Seconds between a kill and the next start."""
LONGEST_RUN = 900.0
"""Seconds; a run that takes longer has died with the daemon."""


class Platform:
    """Webserver and daemon on the lake's instance with the code location `graph`, and what they are asked for."""

    def __init__(self, folder: Path, port: int, graph: str) -> None:
        import dagster as dg

        self.address, self.folder, self.graph = f"http://127.0.0.1:{port}", folder, graph
        self.instance = dg.DagsterInstance.get()
        self.daemon = self._start("daemon", "-m", "dagster._daemon", "run", "-m", graph)
        self.web = self._start("web", "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "-m", graph)
        self.started = time.monotonic()
        until(self._is_up, 120.0, "the webserver did not come up")

    def _start(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen([sys.executable, "-W", "ignore", *words], stdout=log, stderr=log)

    def _is_up(self) -> bool:
        try:
            return requests.get(f"{self.address}/server_info", timeout=2).ok
        except requests.ConnectionError:
            return False

    def ask(self, query: str, **variables: object) -> Mapping[str, Any]:
        """The answer to a GraphQL query. Raises RuntimeError on an error."""
        answer = requests.post(f"{self.address}/graphql", json={"query": query, "variables": variables}, timeout=120)
        told: dict[str, Any] = answer.json()
        (found,) = (told.get("data") or {"": told}).values()
        if "errors" in told or str(found.get("__typename", "")).endswith("Error"):
            raise RuntimeError(f"{query}: {told}")
        return dict(found)

    def switch_on(self, sensor: str) -> None:
        selector = {**self._place, "sensorName": sensor}
        self.ask("mutation($s: SensorSelector!) { startSensor(sensorSelector: $s) { __typename } }", s=selector)

    def run(self, job: str, first: date, last: date) -> None:
        """A run over days, to its end. Raises RuntimeError when it fails."""
        from daily_profit_model.defs.automation.requests import requests_for
        from daily_profit_model.partitions import days_between

        (request,) = requests_for(job, days_between(first, last), "")
        day = f"{first} … {last}"
        tags = {"dagster/partition": request.partition_key} if request.partition_key else request.tags
        told = {
            "selector": {**self._place, "jobName": job},
            "runConfigData": {},
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
        }
        query = "mutation($p: ExecutionParams!) { launchRun(executionParams: $p) { __typename ...on LaunchRunSuccess { run { runId } } } }"
        run_id = self.ask(query, p=told)["run"]["runId"]
        until(lambda: self.instance.get_run_by_id(run_id).is_finished, LONGEST_RUN, f"{job} of {day} did not end")
        status = self.instance.get_run_by_id(run_id).status.value
        if status != "SUCCESS":
            raise RuntimeError(f"{job} of {day}: {status}")

    @property
    def _place(self) -> dict[str, str]:
        return {"repositoryLocationName": self.graph, "repositoryName": "__repository__"}

    def is_idle(self) -> bool:
        """Whether no run waits or is under way."""
        import dagster as dg

        from daily_profit_model.defs.automation.retraining import UNFINISHED

        return not self.instance.get_runs(dg.RunsFilter(statuses=UNFINISHED), limit=1)

    def kill(self) -> None:
        """SIGKILL for the daemon and the code server that evaluates its sensors; then a daemon again."""
        children = Path(f"/proc/{self.daemon.pid}/task/{self.daemon.pid}/children").read_text(encoding="utf-8").split()
        for pid in (self.daemon.pid, *map(int, children)):
            os.kill(pid, signal.SIGKILL)
        self.daemon.wait()
        time.sleep(PAUSE)
        self.daemon = self._start("daemon", "-m", "dagster._daemon", "run", "-m", self.graph)

    def stop(self) -> None:
        for process in (self.daemon, self.web):
            process.send_signal(signal.SIGINT)
        for process in (self.daemon, self.web):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def until(holds: Callable[[], bool], seconds: float, otherwise: str) -> None:
    ends = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > ends:
            raise RuntimeError(otherwise)
        time.sleep(0.2)


class Killer(threading.Thread):
    """Kills the daemon as soon as each of its moments has come, in order."""

    def __init__(self, platform: Platform, moments: Mapping[str, Callable[[], bool]]) -> None:
        super().__init__(daemon=True)
        self.platform, self.moments = platform, moments
        self.told: list[tuple[str, datetime]] = []

    def run(self) -> None:
        for words, has_come in self.moments.items():
            while not has_come():
                time.sleep(0.01)
            at = datetime.now(UTC)
            self.platform.kill()
            self.told.append((f"daemon killed: {words}", at))
