"""From a regime change to a promotion by sensors in a real daemon, which is killed twice on the way.

Run: python -m daily_profit_model_tests.benchmarks.sensors_end_to_end [--accounts 60] [--days 95] [--together 1]
[--folder DIR]

Planted: from day CHANGE of the world on every trader trades more and risks more (MORE_…), and from day SHIFT on features
tell larger profits; and the champion is a version of the first cut-off whose median is its 85 % quantile, so that any
honest version is better. The gate and the guard of promotions are replaced (`sensors_location`); all else is the platform
as it is, with its own intervals of sensors.

The lake is filled up to the features of every day. Then days arrive, --together at a time: this process asks the webserver
for the runs daily_outcomes and daily_predictions, when the sensors have looked twice since the last ones and nothing waits in the queue; all else is asked for by
sensors. The daemon and its code server are killed with SIGKILL when the retraining has been asked for, and when the
promotion is written but the deployment not yet ended; they start again five seconds later. Checked at the end: that no
run key has two runs, each act is there once, each alert arrived once at a local webhook, and no day lacks its drift,
its shadow predictions or its evaluation. Times are UTC, seconds since the sensors were switched on.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import requests

from daily_profit_model_tests.benchmarks.processes import environment, sandbox
from daily_profit_model_tests.monitoring.receivers import Inbox, web_server

MODULE = "daily_profit_model_tests.benchmarks.sensors_location"
SEED = 7
CHANGE = 53
"""Day of the world, from 0; the first version serves from about day 50 on."""
MORE_RISK, MORE_TRADES = 3.0, 2.5
"""Factors of the profit deviation of a trading day and of the trades on it, of every trader from the change on."""
SHIFT, SHIFT_FACTOR, PLANTED = 59, 10.0, "planted"
"""Day of the world from which on features tell profits so many times as large: less than the thirtyfold of a hard break,
and far enough off to be an alarm within a week by a reference of 46 days. Code version of these partitions."""
FIRST_TRAINING_DAYS = 44
MIDDLE = ("size_15", "size_30", "size_50", "size_70")
"""Boosters that the worse champion has from its 85 % quantile."""
PAUSE = 5.0
"""Seconds between a kill and the next start."""
LOOK = 65.0
"""Seconds in which every sensor has looked once."""
LONGEST_RUN = 300.0
"""Seconds; a run that takes longer has died with the daemon."""
SETTLED = 200.0
"""Seconds without anything new after the last day, more than three intervals of the slowest sensor."""

SENSORS = (
    *("days_are_predicted", "days_are_judged", "champion_falls_behind", "challenger_is_trained"),
    *("shadows_are_decided", "champion_is_in_doubt", "run_has_failed", "alerts_are_delivered"),
)


def plant_world(folder: Path, accounts: int, days: int, end: date) -> None:
    """A world whose traders change on day CHANGE, kept where the sandbox finds it."""
    from daily_profit_model.sandbox import firm, population
    from daily_profit_model.sandbox.command import world_of
    from daily_profit_model.sandbox.settings import WorldSettings
    from daily_profit_model.sandbox.state import Accounts, Traits

    settings = WorldSettings(accounts=accounts, days=days, seed=SEED, end=end)
    change = settings.warmup_days + CHANGE
    simulated, simulate, draw_traits = Counter[str](), firm.days.simulate, population.draw_traits

    def changed(traits: Traits) -> Traits:
        return replace(traits, risk=traits.risk * MORE_RISK, trades=traits.trades * MORE_TRADES)

    def a_day(accounts: Accounts, *given: Any) -> Any:
        is_change = simulated["days"] == change
        simulated["days"] += 1
        return simulate(replace(accounts, traits=changed(accounts.traits)) if is_change else accounts, *given)

    def newcomers(*given: Any) -> Traits:
        traits = draw_traits(*given)
        return changed(traits) if simulated["days"] > change else traits

    with patch.object(firm.days, "simulate", a_day), patch.object(population, "draw_traits", newcomers):
        world_of(settings, folder)


def fill(start: date, end: date) -> str:
    """The lake up to the features of `end`, the first version, and a worse one that serves; its version."""
    from daily_profit_model.defs.launch.command import run_steps
    from daily_profit_model.defs.launch.plan import STEPS
    from daily_profit_model.defs.launch.runs import Launcher
    from daily_profit_model.partitions import first_cut_off
    from daily_profit_model.settings import load_settings

    launcher = Launcher(load_settings())
    run_steps(launcher, [step for step in STEPS if step.stage in ("raw", "staging", "features")], start, end)
    cutoff = first_cut_off(start, FIRST_TRAINING_DAYS)
    run_steps(launcher, [step for step in STEPS if step.stage in ("training", "models")], start, cutoff)
    plant_features(start + timedelta(days=SHIFT))
    return handicapped(cutoff)


def plant_features(first: date) -> None:
    """Let features tell profits SHIFT_FACTOR times as large from a day on; once, however often it is called."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from daily_profit_model.features import FEATURES_ACCOUNT_DAILY
    from daily_profit_model.lake import Lake, read, write
    from daily_profit_model.settings import load_settings

    lake = Lake(load_settings().lake_root)
    for day in lake.partitions(FEATURES_ACCOUNT_DAILY.name):
        file = lake.describe(FEATURES_ACCOUNT_DAILY.name, day)
        if day < first.isoformat() or file is None or file.code_version == PLANTED:
            continue
        rows = read(lake, FEATURES_ACCOUNT_DAILY, [day])
        for place, field in enumerate(rows.schema):
            if field.name.startswith("pnl_") and pa.types.is_floating(field.type):
                rows = rows.set_column(place, field, pc.multiply(rows[field.name], SHIFT_FACTOR).cast(field.type))
        write(lake, FEATURES_ACCOUNT_DAILY, day, rows, code_version=PLANTED)


def handicapped(cutoff: date) -> str:
    """Make a worse copy of the version of a cut-off champion; its version."""
    from daily_profit_model.defs.models.deployments import with_bundle
    from daily_profit_model.defs.models.registry import acts, record
    from daily_profit_model.lake import Lake, read
    from daily_profit_model.modeling.acts import Wish
    from daily_profit_model.modeling.bundle import assemble, booster_file, load, save
    from daily_profit_model.modeling.contracts import MODELS_NET_PROFIT
    from daily_profit_model.settings import load_settings

    settings = load_settings()
    lake = Lake(settings.lake_root)
    if known := acts(lake).to_pylist():  # in a folder that is gone on with
        return str(known[0]["version"])
    (row,) = read(lake, MODELS_NET_PROFIT, [cutoff.isoformat()]).to_pylist()
    model = load(settings.models_dir / row["folder"])
    lucky = model.files[booster_file("size_85")]
    worse = assemble(model.manifest, {**model.files, **dict.fromkeys(map(booster_file, MIDDLE), lucky)})
    save(worse, settings.models_dir)
    wish = Wish("champion", worse.version, "planted: its median is its 85 % quantile", "the benchmark")
    record(lake, with_bundle(lake, settings.models_dir, wish))
    return worse.version


class Platform:
    """Webserver and daemon on the lake's instance, and what they are asked for."""

    def __init__(self, folder: Path, port: int) -> None:
        import dagster as dg

        self.address, self.folder, self.port = f"http://127.0.0.1:{port}", folder, port
        self.instance = dg.DagsterInstance.get()
        self.daemon = self._start("daemon", "-m", "dagster._daemon", "run", "-m", MODULE)
        self.web = self._start("web", "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "-m", MODULE)
        self.started = time.monotonic()
        _until(self._is_up, 120.0, "the webserver did not come up")

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
        _until(lambda: self.instance.get_run_by_id(run_id).is_finished, LONGEST_RUN, f"{job} of {day} did not end")
        status = self.instance.get_run_by_id(run_id).status.value
        if status != "SUCCESS":
            raise RuntimeError(f"{job} of {day}: {status}")

    @property
    def _place(self) -> dict[str, str]:
        return {"repositoryLocationName": MODULE, "repositoryName": "__repository__"}

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
        self.daemon = self._start("daemon", "-m", "dagster._daemon", "run", "-m", MODULE)

    def stop(self) -> None:
        for process in (self.daemon, self.web):
            process.send_signal(signal.SIGINT)
        for process in (self.daemon, self.web):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _until(holds: Callable[[], bool], seconds: float, otherwise: str) -> None:
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


def let_days_arrive(platform: Platform, first: date, last: date, champion: str, together: int) -> date:
    """Days, so many `together`, until another champion has predicted two; the last day that was predicted."""
    from daily_profit_model.defs.models.registry import champion_of, last_predicted
    from daily_profit_model.lake import Lake
    from daily_profit_model.partitions import days_between
    from daily_profit_model.settings import load_settings

    lake, left = Lake(load_settings().lake_root), 2
    day = max(first, (last_predicted(lake) or date.min) + timedelta(days=1))
    before = day - timedelta(days=1)
    while day <= last and left > 0:
        for _ in range(2):  # what sensors ask for after one look may be followed by another
            _until(platform.is_idle, LONGEST_RUN, "the queue does not empty")
            time.sleep(LOOK)
        _until(platform.is_idle, LONGEST_RUN, "the queue does not empty")
        if day > first:
            platform.run("daily_outcomes", before, day - timedelta(days=1))
        newest = min(last, day + timedelta(days=together - 1))
        left -= sum(champion_of(lake, date.fromisoformat(one)).version != champion for one in days_between(day, newest))
        platform.run("daily_predictions", day, newest)
        print(f"{datetime.now(UTC):%H:%M:%S}  {day} … {newest} have arrived", flush=True)
        before, day = day, newest + timedelta(days=1)
    quiet_since, known = time.monotonic(), -1
    while time.monotonic() < quiet_since + SETTLED:
        count = platform.instance.get_runs_count()
        if count != known or not platform.is_idle():
            quiet_since, known = time.monotonic(), count
        time.sleep(2)
    return day - timedelta(days=1)


def timeline(platform: Platform) -> list[tuple[datetime, str]]:
    """What happened when, from runs and acts."""
    import dagster as dg

    from daily_profit_model.defs.automation.retraining import ALARM_TAG, REASON_TAG
    from daily_profit_model.defs.automation.sensors import days_of
    from daily_profit_model.defs.models.registry import acts
    from daily_profit_model.defs.models.shadows import shadow_acts
    from daily_profit_model.lake import Lake, read
    from daily_profit_model.modeling.shadow_contracts import SHADOW_EVALUATION
    from daily_profit_model.monitoring.drift_table import alarmed_columns
    from daily_profit_model.settings import load_settings
    from daily_profit_model.tables.alerts import MONITORING_ALERTS
    from daily_profit_model.tables.drift import MONITORING_DEGRADATION, MONITORING_DRIFT

    lake = Lake(load_settings().lake_root)
    found: list[tuple[datetime, str]] = []
    ended: dict[tuple[str, str], datetime] = {}
    for record in platform.instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS])):
        run, end = record.dagster_run, datetime.fromtimestamp(record.end_time or 0, UTC)
        ended |= {(run.job_name, day): end for day in days_of(run.tags)}
        if REASON_TAG in run.tags:
            cutoff = run.tags["dagster/partition"]
            why = f"{run.tags[REASON_TAG]}: {run.tags[ALARM_TAG]}"
            found += [(record.create_timestamp, f"training of {cutoff} asked for, because of {why}")]
            found += [(end, f"training of {cutoff} done")]
    for table, name in ((MONITORING_DRIFT, "drift"), (MONITORING_DEGRADATION, "degradation")):
        alarmed = [day for day in lake.partitions(table.name) if any(read(lake, table, [day])["is_alarm"].to_pylist())]
        if alarmed:
            rows = read(lake, table, [alarmed[0]])
            columns = len(alarmed_columns(rows)) if table is MONITORING_DRIFT else sum(rows["is_alarm"].to_pylist())
            at = ended[("daily_drift", alarmed[0])]
            found += [(ended[("daily_predictions", alarmed[0])], f"{alarmed[0]} is predicted")]
            found += [(at, f"first alarm of {name}, on {alarmed[0]}: {columns} columns")]
    for day in lake.partitions(SHADOW_EVALUATION.name):
        (row,) = read(lake, SHADOW_EVALUATION, [day]).to_pylist() or [None]
        if row and row["decision"] != "continue":
            found += [(ended[("daily_shadow_evaluation", day)], f"decision on {day}: {row['decision']}, {row['rule']}")]
            break
    for act in shadow_acts(lake).to_pylist():
        found += [
            (act["made_at"], f"models/shadows act {act['number']}: {act['act']} {act['deployment']}, {act['day']}")
        ]
    for act in acts(lake).to_pylist()[1:]:
        by = f"by {act['author']}, in force from {act['in_force_from']}"
        found += [(act["made_at"], f"models/transitions act {act['number']}: champion {act['version']} {by}")]
    for act in read(lake, MONITORING_ALERTS, lake.partitions(MONITORING_ALERTS.name)).to_pylist():
        if act["act"] == "raised":
            found += [(act["at"], f"alert [{act['severity']}] {act['title']}")]
    return sorted(found)


def faults(platform: Platform, inbox: Inbox) -> dict[str, object]:
    """What happened twice, and what did not happen; all empty when the sensors hold what they must."""
    from daily_profit_model.defs.automation.retraining import REASON_TAG
    from daily_profit_model.defs.automation.sensors import shadowed
    from daily_profit_model.defs.models.registry import acts
    from daily_profit_model.defs.models.shadows import shadow_acts
    from daily_profit_model.lake import Lake
    from daily_profit_model.settings import load_settings

    lake = Lake(load_settings().lake_root)
    runs = platform.instance.get_runs()
    keys = Counter((run.tags.get("dagster/sensor_name"), run.tags.get("dagster/run_key")) for run in runs)
    predicted, judged = (lake.partitions(f"{name}") for name in ("predictions/account_daily", "monitoring/outcomes"))
    expected = {
        "monitoring/drift": set(predicted),
        "monitoring/degradation": set(predicted),
        "predictions/shadow": set(shadowed(lake, predicted)),
        "monitoring/shadow_evaluation": set(shadowed(lake, judged)),
    }
    told = Counter(str(post["text"]) for post in inbox.posts)
    created = Counter((act["act"], act["deployment"]) for act in shadow_acts(lake).to_pylist())
    champions = Counter(act["version"] for act in acts(lake).to_pylist())
    trained = Counter(run.tags["dagster/partition"] for run in runs if REASON_TAG in run.tags)
    return {
        "run keys with two runs": [key for key, count in keys.items() if key[1] and count > 1],
        "cut-offs trained twice because of an alarm": [cutoff for cutoff, count in trained.items() if count > 1],
        "acts on deployments made twice": [act for act, count in created.items() if count > 1],
        "champions made twice": [version for version, count in champions.items() if count > 1],
        "alerts received twice": [text for text, count in told.items() if count > 1],
        "runs that did not succeed": [f"{run.job_name} {run.status.value}" for run in runs if not run.is_success],
        "days missed": {
            name: missed for name, days in expected.items() if (missed := sorted(days - {*lake.partitions(name)}))
        },
    }


@contextmanager
def firm(folder: Path, accounts: int, days: int) -> Iterator[tuple[date, date, Inbox]]:
    """The firm served, and this process's environment pointed at a platform of its own; first and last day, alerts."""
    end = datetime.now(UTC).date() - timedelta(days=1)
    start = end - timedelta(days=days - 1)
    plant_world(folder / "world", accounts, days, end)
    with (
        web_server() as inbox,
        sandbox(folder / "world", accounts, days, seed=SEED, end=end.isoformat()) as served,
        patch.dict(
            os.environ,
            environment(
                served,
                folder / "data",
                start.isoformat(),
                dpm_plans_dir=folder / "world" / "plans",
                regimes_source=f"{served.root}/regimes",
                dpm_first_training_days=FIRST_TRAINING_DAYS,
                dpm_auto_promote="true",
                dpm_alert_webhook_url=inbox.address,
                dpm_alert_webhook_severities="info,warn,error,critical",
                dpm_alert_cooldown_minutes=1,
            ),
            clear=True,
        ),
    ):
        yield start, end, inbox


def measure(folder: Path, accounts: int, days: int, together: int) -> bool:
    """Fill, switch on, let days arrive, print what happened; whether nothing was twice and nothing missed."""
    from daily_profit_model.defs.launch.instance import prepare_home
    from daily_profit_model.defs.launch.sandbox_process import free_port
    from daily_profit_model.settings import load_settings

    with firm(folder, accounts, days) as (start, end, inbox):
        champion = fill(start, end)
        prepare_home(load_settings())
        platform = Platform(folder, free_port())
        try:
            return _watched(platform, champion, start, end, inbox, together)
        finally:
            platform.stop()


def _watched(platform: Platform, champion: str, start: date, end: date, inbox: Inbox, together: int) -> bool:
    import dagster as dg

    from daily_profit_model.defs.automation.retraining import REASON_TAG
    from daily_profit_model.defs.models.registry import acts
    from daily_profit_model.lake import Lake
    from daily_profit_model.modeling.acts import cutoff_of
    from daily_profit_model.settings import load_settings

    lake = Lake(load_settings().lake_root)
    for sensor in SENSORS:
        platform.switch_on(sensor)
    on = datetime.now(UTC)
    trainings = dg.RunsFilter(job_name="weekly_training")
    killer = Killer(
        platform,
        {
            "a training is asked for": lambda: any(
                REASON_TAG in run.tags for run in platform.instance.get_runs(trainings)
            ),
            "the promotion is written": lambda: lake.file("models/transitions", "000002") is not None,
        },
    )
    killer.start()
    first = cutoff_of(champion) + timedelta(days=2)
    last = let_days_arrive(platform, first, end, champion, together)
    print(
        f"\ntraders changed on {start + timedelta(days=CHANGE)}; {first} … {last} arrived, {acts(lake).num_rows} champions"
    )
    for at, what in sorted([*timeline(platform), *((at, what) for what, at in killer.told)]):
        print(f"{at:%H:%M:%S}  {(at - on).total_seconds():7.1f} s  {what}")
    found = faults(platform, inbox)
    print()
    for name, what in found.items():
        print(f"{name:<44} {what or 'none'}")
    print(f"{'runs':<44} {platform.instance.get_runs_count()}")
    print(f"{'alerts received':<44} {len(inbox.posts)}")
    return not any(found.values()) and len(killer.told) == len(killer.moments)


def main() -> None:
    """Run it; exit code 1 when something happened twice, was missed, or no promotion came."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--accounts", type=int, default=60)
    parser.add_argument("--days", type=int, default=95)
    parser.add_argument("--together", type=int, default=1, help="days that arrive at once")
    parser.add_argument(
        "--folder", type=Path, help="keep everything there, and go on with it; default a temporary folder"
    )
    given = parser.parse_args()
    if given.folder:
        given.folder.mkdir(parents=True, exist_ok=True)
        sys.exit(not measure(given.folder.resolve(), given.accounts, given.days, given.together))
    with tempfile.TemporaryDirectory() as place:
        sys.exit(not measure(Path(place), given.accounts, given.days, given.together))


if __name__ == "__main__":
    main()
