"""What follows from drift and degradation: a training that says why, and its challenger beside the champion.

Conditions stand in `monitoring.retraining`; here is where their rows come from, and that nothing is asked for twice.
What was asked for is read from the runs themselves, so a cursor that was lost, or a daemon killed before it could write
one, changes nothing: the run is there, and its key is taken.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta

import dagster as dg
import pyarrow as pa

from daily_profit_model.defs.automation.jobs import weekly_training
from daily_profit_model.defs.automation.newest import newest_day, seen_now
from daily_profit_model.defs.automation.sensors import PARTITION_TAG
from daily_profit_model.defs.calendars import CUT_OFFS
from daily_profit_model.defs.models.deployments import create
from daily_profit_model.defs.models.registry import known_changes, last_predicted, transitions
from daily_profit_model.defs.models.shadows import all_deployments, tell_shadow
from daily_profit_model.lake import Lake, read
from daily_profit_model.modeling.acts import ALIASES, cutoff_of, first_day_open, holder
from daily_profit_model.modeling.contracts import MODELS_CHAMPION, MODELS_NET_PROFIT
from daily_profit_model.modeling.shadows import Deployment
from daily_profit_model.monitoring.retraining import (
    Alarm,
    Retraining,
    confirmed_degradation,
    confirmed_drift,
    retraining_for,
)
from daily_profit_model.partitions import weekly_cut_offs
from daily_profit_model.settings import load_settings
from daily_profit_model.tables import Table
from daily_profit_model.tables.drift import MONITORING_DEGRADATION, MONITORING_DRIFT

REASON_TAG = "dpm/reason"
"""Of a training that an alarm asked for: `drift`, `degradation`, or both."""
ALARM_TAG = "dpm/alarm"
"""Of the same: since when, and which column or loss, of the alarm that has stood longest."""
MODEL_TAG = "dpm/champion"
"""Of the same: the version that scored the days of the alarm."""

AUTHOR = "sensor"
PLANNED_DAYS = 60
"""Days after which a deployment is decided in any case, as `dpm shadow create` takes by default."""

_WATCHED = (MONITORING_DRIFT, MONITORING_DEGRADATION)
_ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
UNFINISHED = [status for status in dg.DagsterRunStatus if status not in _ENDED]


@dg.sensor(
    job=weekly_training,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Drift or degradation is confirmed: train the newest weekly cut-off, once it does not lie before the "
    "alarm; at most once in DPM_RETRAIN_COOLDOWN_DAYS, and not where it is trained already.",
)
def champion_falls_behind(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    settings = load_settings()
    lake = Lake(settings.lake_root)
    cursor = json.dumps(seen_now(lake, _WATCHED))
    if cursor == context.cursor:
        return dg.SensorResult(cursor=cursor, skip_reason=dg.SkipReason("nothing new is known of drift or degradation"))
    found = retraining_for(
        standing_alarms(lake),
        cut_offs=known_cut_offs(lake),
        trained={*lake.partitions(MODELS_NET_PROFIT.name), *on_their_way(context.instance)},
        asked=asked_for(context.instance, lake),
        cooldown_days=settings.dpm_retrain_cooldown_days,
    )
    if isinstance(found, str):
        return dg.SensorResult(cursor=cursor, skip_reason=dg.SkipReason(found))
    return dg.SensorResult(cursor=cursor, run_requests=[request_retraining(found)])


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="A version that follows an alarm has passed the gate as challenger: deploy it as a shadow, once.",
)
def challenger_is_trained(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    settings = load_settings()
    lake = Lake(settings.lake_root)
    cursor = json.dumps(seen_now(lake, (*_WATCHED, MODELS_CHAMPION)))
    if cursor == context.cursor:
        return dg.SensorResult(cursor=cursor, skip_reason=dg.SkipReason("the gate has decided nothing new"))
    challenger = newest_challenger(lake)
    if challenger is None:
        return dg.SensorResult(cursor=cursor, skip_reason=dg.SkipReason("no version challenges the champion"))
    run = training_of(context.instance, cutoff_of(challenger).isoformat())
    why = why_shadowed(challenger, run, standing_alarms(lake), all_deployments(lake))
    if why is None:
        skipped = dg.SkipReason(f"{challenger} follows no alarm, or is or was deployed, or another that follows it is")
        return dg.SensorResult(cursor=cursor, skip_reason=skipped)
    act = create(
        lake,
        settings.models_dir,
        challenger,
        traffic=0,
        days=PLANNED_DAYS,
        first_day=None,
        reason=why,
        author=AUTHOR,
    )
    tell_shadow(context.instance, act)
    return dg.SensorResult(cursor=cursor, skip_reason=dg.SkipReason(f"{act['deployment']} scores from {act['day']} on"))


def standing_alarms(lake: Lake) -> list[Alarm]:
    """The confirmed alarms of the newest day of drift and of degradation, those that have stood longest first."""
    drift, degradation = (_newest_rows(lake, table) for table in _WATCHED)
    return sorted([*confirmed_drift(drift), *confirmed_degradation(degradation)], key=lambda alarm: alarm.first_day)


def known_cut_offs(lake: Lake) -> list[str]:
    """The weekly cut-offs whose outcomes are known: the newest predicted day was predicted from the day before it."""
    day = newest_day(lake, MONITORING_DRIFT)
    first = CUT_OFFS.get_first_partition_key()
    if day is None or first is None:
        return []
    return weekly_cut_offs(date.fromisoformat(first), date.fromisoformat(day) - timedelta(days=1))


def on_their_way(instance: dg.DagsterInstance) -> set[str]:
    """The cut-offs of trainings that wait or run."""
    runs = instance.get_runs(dg.RunsFilter(job_name=weekly_training.name, statuses=UNFINISHED))
    return {run.tags[PARTITION_TAG] for run in runs if PARTITION_TAG in run.tags}


def asked_for(instance: dg.DagsterInstance, lake: Lake) -> str | None:
    """The newest cut-off whose training an alarm has asked for, without those that failed before there was a version:
    these have taught nothing, so the next cut-off need not wait for the cool-down."""
    runs = instance.get_runs(dg.RunsFilter(job_name=weekly_training.name))
    asked = [run for run in runs if REASON_TAG in run.tags]
    trained = {*lake.partitions(MODELS_NET_PROFIT.name)}
    failed = dg.DagsterRunStatus.FAILURE
    counted = (run.tags[PARTITION_TAG] for run in asked if run.status != failed or run.tags[PARTITION_TAG] in trained)
    return max(counted, default=None)


def training_of(instance: dg.DagsterInstance, cutoff: str) -> dg.DagsterRun | None:
    """The newest training of a cut-off because of an alarm, else None."""
    runs = instance.get_runs(dg.RunsFilter(job_name=weekly_training.name, tags={PARTITION_TAG: cutoff}))
    return next((run for run in runs if REASON_TAG in run.tags), None)


def request_retraining(found: Retraining) -> dg.RunRequest:
    """The run of a cut-off, with what says why. Its key is the cut-off's: no alarm asks for the same one twice."""
    first = found.alarms[0]
    return dg.RunRequest(
        partition_key=found.cutoff,
        run_key=f"{champion_falls_behind.name}:{found.cutoff}",
        tags={
            REASON_TAG: ", ".join(sorted({alarm.source for alarm in found.alarms})),
            ALARM_TAG: first.words,
            MODEL_TAG: first.version,
        },
    )


def newest_challenger(lake: Lake) -> str | None:
    """The version that challenges the champion once every decision counts; None: none that is newer than it."""
    decided = transitions(lake)["in_force_from"].to_pylist()
    if not decided:
        return None
    known, day = known_changes(lake), max(*decided, first_day_open(last_predicted(lake), None) or date.min)
    champion, challenger = (holder(known, alias, day) for alias in ALIASES)
    if champion is None or challenger is None or cutoff_of(challenger.version) <= cutoff_of(champion.version):
        return None
    return challenger.version


def why_shadowed(
    version: str, run: dg.DagsterRun | None, alarms: Sequence[Alarm], known: Sequence[Deployment]
) -> str | None:
    """Why a challenger is to run as a shadow, in one line; None: it is not.

    `run`: its training, where an alarm asked for it. One that the weekly schedule trained follows an alarm as well, if
    its cut-off does not lie before it; but of these one at a time is enough. Nothing is deployed a second time: whoever
    ended it had a reason.
    """
    if any(one.version == version for one in known):
        return None
    if run is not None:
        return f"trained because of {run.tags[REASON_TAG]}: {run.tags[ALARM_TAG]} (run {run.run_id})"
    followed = [alarm for alarm in alarms if alarm.first_day <= cutoff_of(version)]
    if not followed or any(one.until is None and cutoff_of(one.version) >= followed[0].first_day for one in known):
        return None
    return f"its cut-off follows an alarm of {followed[0].source}: {followed[0].words}"


def _newest_rows(lake: Lake, table: Table) -> pa.Table:
    day = newest_day(lake, table)
    return read(lake, table, [day] if day else [])


RETRAINING_SENSORS = (champion_falls_behind, challenger_is_trained)
