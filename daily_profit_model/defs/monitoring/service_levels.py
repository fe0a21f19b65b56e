"""What the platform keeps of what is promised of it: runs and times from Dagster's records, partitions from the lake.

Verdicts are those of `monitoring.deadlines` and `monitoring.sla`; `dpm sla` tells them, and the sensor `promises_are_kept` raises alerts by them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.scheduler.instigation import TickStatus  # by which ticks are asked for

from daily_profit_model.defs.automation.jobs import JOBS
from daily_profit_model.defs.models.registry import first_in_force, known_changes
from daily_profit_model.lake import Lake
from daily_profit_model.monitoring import deadlines, sla
from daily_profit_model.monitoring.deadlines import Deadline
from daily_profit_model.monitoring.health import Finding
from daily_profit_model.monitoring.sla import Breach, FailedTick, Run
from daily_profit_model.settings import Settings

_UNDER_WAY = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
_PARTITION_TAG = "dagster/partition"
_ENDED_TICKS = [TickStatus.SUCCESS, TickStatus.SKIPPED, TickStatus.FAILURE]
_LATE_TICK = timedelta(hours=1)
"""By which a tick may fail after its own time: one of a schedule that was down has the time that it was due."""
_RUNS_A_JOB = 200
"""Newest runs of a job that are looked at: of a month even where each is repeated a few times a day."""


@dataclass(frozen=True)
class Judged:
    """What was looked at, and what of it breaks a promise."""

    findings: Sequence[Finding]
    breaches: Sequence[Breach]


def judge(settings: Settings, instance: dg.DagsterInstance, *, now: datetime, since: datetime | None = None) -> Judged:
    """Every finding and breach as of `now`, in the order in which they are told.

    `since`: judge the deadlines, the ends of runs and the ticks after it; None: the newest deadline, and the newest run
    and tick of each.
    """
    days = settings.dpm_sla_days
    runs = runs_of(instance)
    findings: list[Finding] = []
    breaches: list[Breach] = []
    for found in (
        _of_deadlines(settings, instance, now, since),
        _of_jobs(runs, _judged_runs(runs, since), now),
        sla.failing_automation(failed_ticks(instance, since, now - timedelta(days=days))),
    ):
        for told in found:
            findings.append(told.finding if isinstance(told, Breach) else told)
            breaches += [told] if isinstance(told, Breach) else []
    rate, breach = sla.failure_rate(
        ended_since(instance, now - timedelta(days=days)), settings.dpm_sla_failure_rate, now, days
    )
    return Judged([*findings, rate], [*breaches, *([breach] if breach else [])])


def runs_of(instance: dg.DagsterInstance) -> list[Run]:
    """The newest runs of each job over one partition, under way or ended; runs over ranges cannot be compared."""
    found = []
    for job in JOBS:
        records = instance.get_run_records(
            dg.RunsFilter(job_name=job.name, statuses=[*_UNDER_WAY, *_ENDED]), limit=_RUNS_A_JOB
        )
        found += [_run(record) for record in records if _PARTITION_TAG in record.dagster_run.tags]
    return found


def ended_since(instance: dg.DagsterInstance, since: datetime) -> list[Run]:
    """All runs that have ended since, of schedules, sensors, backfills and persons; cancelled ones aside."""
    return [_run(record) for record in instance.get_run_records(dg.RunsFilter(statuses=_ENDED, updated_after=since))]


def failed_ticks(instance: dg.DagsterInstance, since: datetime | None, oldest: datetime) -> list[FailedTick]:
    """The ticks of sensors and schedules after `since`, and an hour before, that failed; None: the newest of each, if it
    failed and is not before `oldest`, as those of a daemon that was stopped for good. One that is switched off fails no
    more."""
    found = []
    for state in instance.all_instigator_state():
        if not state.is_running:
            continue
        after = oldest if since is None else max(oldest, since - _LATE_TICK)
        newest = instance.get_ticks(
            state.instigator_origin_id,
            state.selector_id,
            after=after.timestamp(),
            limit=1 if since is None else None,
            statuses=_ENDED_TICKS if since is None else [TickStatus.FAILURE],
        )
        for tick in newest:
            if tick.is_failure:
                error = tick.error.cause or tick.error if tick.error else None
                message = error.message if error else "no error was recorded"
                found.append(FailedTick(state.instigator_name, datetime.fromtimestamp(tick.timestamp, UTC), message))
    return found


def promised_of(settings: Settings) -> tuple[Deadline, ...]:
    """The deadlines, with the settings' times."""
    return deadlines.deadlines(settings.dpm_sla_raw_by, settings.dpm_sla_predictions_by)


def missing_of(lake: Lake, settings: Settings, now: datetime, since: datetime | None = None) -> list[Breach]:
    """The partitions that are not there though their deadline has passed at `now`."""
    promised = promised_of(settings)
    present = {deadline.table: lake.partitions(deadline.table) for deadline in promised}
    due = deadlines.due_since(promised, now, settings.dpm_start_date, since)
    return deadlines.missing(due, present, first_in_force(known_changes(lake)))


def _of_deadlines(
    settings: Settings, instance: dg.DagsterInstance, now: datetime, since: datetime | None
) -> Iterator[Finding | Breach]:
    due = deadlines.due_since(promised_of(settings), now, settings.dpm_start_date, since)
    if not due:
        yield Finding("deadline", "ok", f"nothing is due yet: the history begins on {settings.dpm_start_date}")
        return
    missing = missing_of(Lake(settings.lake_root), settings, now, since)
    late = deadlines.late(due, _first_made(instance, due), _first_run(instance))
    yield from (*missing, *late)
    if not missing and not late:
        yield Finding(
            "deadline", "ok", f"{len(due)} partitions were due, the newest at {due[-1].at:%Y-%m-%d %H:%M} UTC"
        )


def _of_jobs(runs: Sequence[Run], judged: Sequence[Run], now: datetime) -> Iterator[Finding | Breach]:
    breaches = sla.slow(runs, judged, now)
    yield from breaches
    for job in JOBS:
        own = [run for run in runs if run.job == job.name]
        if any(breach.event.startswith(f"slow:{job.name}:") for breach in breaches) or not own:
            continue
        expected = sla.expected_seconds(own)
        if expected is None:
            done = sum(bool(run.succeeded) for run in own)
            value = f"{job.name}: {done} of {sla.RUNS_TO_LEARN} runs from which the expected runtime is learnt"
            yield Finding("runtime", "ok", value)
        else:
            last = max(own, key=lambda run: run.started)
            value = f"{job.name}: {last.seconds(now):,.0f} s, expected {expected:,.0f} s"
            yield Finding("runtime", "ok", value, f"{sla.SLOW:.0%}")


def _judged_runs(runs: Sequence[Run], since: datetime | None) -> list[Run]:
    """The runs that ended after `since` or are under way; None: the newest of each job, and those under way."""
    if since is not None:
        return [run for run in runs if run.ended is None or run.ended > since]
    newest = {run.job: run for run in sorted(runs, key=lambda run: run.started)}
    return [*newest.values(), *(run for run in runs if run.ended is None and run is not newest[run.job])]


def _first_made(instance: dg.DagsterInstance, due: Sequence[deadlines.Due]) -> dict[tuple[str, str], datetime]:
    """When each due partition was first materialised, as far as the event log knows."""
    made = {}
    for one in due:
        key = dg.AssetKey(one.deadline.table.split("/"))
        wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[one.partition])
        records = instance.fetch_materializations(wanted, limit=1, ascending=True).records
        for record in records:
            made[one.deadline.table, one.partition] = datetime.fromtimestamp(record.timestamp, UTC)
    return made


def _first_run(instance: dg.DagsterInstance) -> datetime | None:
    """When the platform's first run began; None: there was none."""
    for record in instance.get_run_records(limit=1, ascending=True):
        return _began(record)
    return None


def _run(record: dg.RunRecord) -> Run:
    status = record.dagster_run.status
    ended = record.end_time if status in _ENDED else None
    return Run(
        record.dagster_run.run_id,
        record.dagster_run.job_name,
        _began(record),
        None if ended is None else datetime.fromtimestamp(ended, UTC),
        None if ended is None else status == dg.DagsterRunStatus.SUCCESS,
    )


def _began(record: dg.RunRecord) -> datetime:
    """When it started; of a run that failed before it could, when it was asked for."""
    return datetime.fromtimestamp(record.start_time or record.create_timestamp.timestamp(), UTC)
