"""`dpm sla` on a lake and an instance: deadlines by partitions, runtimes and failures by recorded runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.events import StepMaterializationData  # the time of a stored event is nowhere public
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, TickData, TickStatus
from dagster._utils.error import SerializableErrorInfo

from daily_profit_model.defs.all_tables import TABLES
from daily_profit_model.defs.freshness import freshness_of
from daily_profit_model.defs.launch.sla import show_sla
from daily_profit_model.defs.monitoring.service_levels import judge, promised_of
from daily_profit_model.defs.raw.assets import FETCHED
from daily_profit_model.defs.table_asset import asset_key
from daily_profit_model.lake import Lake, write, write_revision
from daily_profit_model.monitoring.deadlines import MORNING_FEEDS
from daily_profit_model.settings import Settings, load_settings
from daily_profit_model.tables.raw import RAW_MARKET_BARS, RAW_QUARANTINE
from daily_profit_model_tests.defs.test_graph import build_definitions

DAY = "2026-06-01"
SEVEN = datetime(2026, 6, 2, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """A lake with everything that is due on the morning of its second day; there is no model yet."""
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DPM_START_DATE", DAY)
    monkeypatch.setenv("DAGSTER_HOME", "")  # so that it is as before afterwards
    loaded = load_settings()
    lake = Lake(loaded.lake_root)
    for deadline in promised_of(loaded):
        table = TABLES[deadline.table]
        if table.revisions:
            write_revision(lake, table, DAY, table.schema().empty_table(), ingested_at=SEVEN, code_version="1")
        elif not deadline.is_served:
            write(lake, table, DAY, table.schema().empty_table(), code_version="1")
    return loaded


@pytest.fixture
def runs_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """A lake of which nothing is due yet."""
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DPM_START_DATE", "2026-06-02")
    return load_settings()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


def ran(
    instance: dg.DagsterInstance,
    started: datetime,
    seconds: float | None,
    *,
    job: str = "daily_data",
    failed: bool = False,
) -> None:
    """Record a run of one partition; seconds None: it is under way."""
    tags = {"dagster/partition": DAY}
    run = instance.add_run(dg.DagsterRun(job_name=job, run_id=dg.DagsterRun(job_name=job).run_id, tags=tags))
    ends = dg.DagsterEventType.RUN_FAILURE if failed else dg.DagsterEventType.RUN_SUCCESS
    events = [(dg.DagsterEventType.RUN_START, started)]
    events += [] if seconds is None else [(ends, started + timedelta(seconds=seconds))]
    for kind, at in events:
        instance.run_storage.handle_run_event(run.run_id, dg.DagsterEvent(kind.value, job), at)


def breaches(
    settings: Settings, instance: dg.DagsterInstance, now: datetime, since: datetime | None = None
) -> list[str]:
    return [breach.event for breach in judge(settings, instance, now=now, since=since).breaches]


def test_the_command_reads_the_instance_of_the_ui(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert show_sla(settings, now=SEVEN, recent=False, as_json=False) == 0
    assert capsys.readouterr().out.endswith("\nkept\n")


def test_a_morning_with_its_partitions_keeps_what_is_promised_and_the_next_one_without_does_not(
    settings: Settings,
    instance: dg.DagsterInstance,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("daily_profit_model.defs.launch.sla.stored_instance", lambda _: instance)
    assert show_sla(settings, now=SEVEN, recent=True, as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["kept"]
    assert show_sla(settings, now=SEVEN + timedelta(days=1), recent=False, as_json=True) == 1
    told = json.loads(capsys.readouterr().out)
    assert not told["kept"]
    assert "raw/accounts of 2026-06-02 is missing" in [finding["value"] for finding in told["findings"]]


def test_check_recent_finds_the_day_that_is_missing_before_the_newest(
    settings: Settings,
    instance: dg.DagsterInstance,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("daily_profit_model.defs.launch.sla.stored_instance", lambda _: instance)
    monkeypatch.setenv("DPM_START_DATE", "2026-05-31")
    earlier = load_settings()
    assert show_sla(earlier, now=SEVEN, recent=False, as_json=False) == 0
    capsys.readouterr()
    assert show_sla(earlier, now=SEVEN, recent=True, as_json=False) == 1
    said = capsys.readouterr().out
    assert "raw/accounts of 2026-05-31 is missing (limit: by 2026-06-01 06:30 UTC); dpm run makes it" in said
    assert said.endswith("\nbroken\n")


def test_a_job_is_judged_by_its_own_runs_and_says_so_until_it_has_enough(
    runs_alone: Settings, instance: dg.DagsterInstance
) -> None:
    for day in range(10, 6, -1):
        ran(instance, SEVEN - timedelta(days=day), 200.0)
    ran(instance, SEVEN - timedelta(days=5), 9000.0, job="weekly_training")
    told = [finding.value for finding in judge(runs_alone, instance, now=SEVEN).findings]
    assert "daily_data: 4 of 5 runs from which the expected runtime is learnt" in told
    ran(instance, SEVEN - timedelta(days=6), 200.0)
    ran(instance, SEVEN - timedelta(days=1), 301.0)
    (slow,) = breaches(runs_alone, instance, SEVEN)
    assert slow.startswith("slow:daily_data:")
    ran(instance, SEVEN - timedelta(hours=1), 100.0)
    assert breaches(runs_alone, instance, SEVEN) == []
    assert breaches(runs_alone, instance, SEVEN, SEVEN - timedelta(days=2)) == [slow]


def test_a_run_that_hangs_is_a_breach_while_it_is_under_way(runs_alone: Settings, instance: dg.DagsterInstance) -> None:
    for day in range(9, 3, -1):
        ran(instance, SEVEN - timedelta(days=day), 200.0)
    ran(instance, SEVEN - 6 * MINUTE, None)
    assert len(breaches(runs_alone, instance, SEVEN)) == 1
    assert breaches(runs_alone, instance, SEVEN - 2 * MINUTE) == []


def test_too_many_failures_are_a_breach_whoever_started_the_runs(
    runs_alone: Settings, instance: dg.DagsterInstance
) -> None:
    for hour in range(1, 10):
        ran(instance, SEVEN - timedelta(hours=hour), 1.0)
    ran(instance, SEVEN - timedelta(hours=10), 1.0, job="__ASSET_JOB", failed=True)
    assert breaches(runs_alone, instance, SEVEN) == []
    ran(instance, SEVEN - timedelta(hours=11), 1.0, failed=True)
    assert breaches(runs_alone, instance, SEVEN) == ["failure_rate"]


def ticked(instance: dg.DagsterInstance, name: str, error: str | None, at: datetime, *, is_on: bool = True) -> None:
    """Record a tick of a sensor, as the daemon does; `error` None: it went well."""
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "all"), name)
    key = origin.get_id(), origin.get_selector().get_id()
    if instance.get_instigator_state(*key) is None:
        status = InstigatorStatus.RUNNING if is_on else InstigatorStatus.STOPPED
        instance.add_instigator_state(InstigatorState(origin, InstigatorType.SENSOR, status))
    told = (
        SerializableErrorInfo("the sensor's wrapper", [], None, SerializableErrorInfo(error, [], None))
        if error
        else None
    )
    status = TickStatus.FAILURE if error else TickStatus.SKIPPED
    instance.create_tick(
        TickData(key[0], name, InstigatorType.SENSOR, status, at.timestamp(), error=told, selector_id=key[1])
    )


def test_a_sensor_that_is_on_and_raised_is_a_breach_until_it_works_again_or_since_the_last_look(
    runs_alone: Settings, instance: dg.DagsterInstance
) -> None:
    ticked(instance, "days_are_predicted", "OSError: no space left", SEVEN - 10 * MINUTE)
    ticked(instance, "switched_off", "OSError: no space left", SEVEN - 10 * MINUTE, is_on=False)
    (breach,) = judge(runs_alone, instance, now=SEVEN).breaches
    assert breach.event == "automation:days_are_predicted"
    assert breach.finding.value.endswith("2026-06-02 06:50 UTC: OSError: no space left")
    ticked(instance, "days_are_predicted", None, SEVEN - 9 * MINUTE)
    assert breaches(runs_alone, instance, SEVEN) == []
    assert breaches(runs_alone, instance, SEVEN, SEVEN - 11 * MINUTE) == [breach.event]
    assert breaches(runs_alone, instance, SEVEN + 2 * 60 * MINUTE, SEVEN + 51 * MINUTE) == []


def test_a_sensor_that_failed_last_before_the_days_that_are_looked_at_is_none(
    runs_alone: Settings, instance: dg.DagsterInstance
) -> None:
    ticked(instance, "of_a_daemon_that_was_stopped", "OSError: no space left", SEVEN)
    limit = timedelta(days=runs_alone.dpm_sla_days)
    assert [one.event for one in judge(runs_alone, instance, now=SEVEN + limit - MINUTE).breaches] != []
    told = judge(runs_alone, instance, now=SEVEN + limit + MINUTE).breaches
    assert not [one for one in told if one.event.startswith("automation")]


def test_a_partition_that_came_late_is_a_breach_and_history_that_was_filled_later_is_none(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    first, again = SEVEN - 29 * MINUTE, SEVEN + MINUTE
    for at in (first, again):
        made = dg.AssetMaterialization(["raw", "accounts"], partition=DAY)
        data = StepMaterializationData(made)
        event = dg.DagsterEvent(dg.DagsterEventType.ASSET_MATERIALIZATION.value, "", event_specific_data=data)
        instance.store_event(dg.EventLogEntry(None, "info", "", "a-run", at.timestamp(), dagster_event=event))
    assert breaches(settings, instance, SEVEN) == []  # nothing had ever run
    ran(instance, SEVEN - timedelta(days=1), 1.0)
    assert breaches(settings, instance, SEVEN) == ["late:raw/accounts:2026-06-01"]
    late = judge(settings, instance, now=SEVEN).findings[0]
    assert late.value == "raw/accounts of 2026-06-01 came at 2026-06-02 06:31 UTC"


def test_every_table_with_a_deadline_has_a_freshness_policy_from_the_cut_off_to_it() -> None:
    graph = build_definitions().resolve_asset_graph()
    with_policy = {name for name, table in TABLES.items() if graph.get(asset_key(table)).freshness_policy is not None}
    assert with_policy == {deadline.table for deadline in promised_of(load_settings())}
    policy: Any = freshness_of(TABLES["raw/accounts"])
    assert (policy.deadline_cron, policy.timezone, policy.lower_bound_delta) == (
        "30 6 * * *",
        "UTC",
        timedelta(minutes=30),
    )


def test_every_fetched_table_has_a_deadline_but_the_optional_bars() -> None:
    fetched = {table.name for table in (*FETCHED, RAW_QUARANTINE) if table is not RAW_MARKET_BARS}
    assert set(MORNING_FEEDS) == fetched
