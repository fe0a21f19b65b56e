"""What follows from new data: yesterday's outcomes once its data are complete, then today's predictions, their drift and
the shadows beside them; what corrections and new accounts make out of date; and a look at whether the data can be
trusted. What follows from drift stands in `retraining`, from the shadows' evaluation in `decided_shadows`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from daily_profit_model.defs.automation.jobs import (
    daily_corrections,
    daily_data,
    daily_drift,
    daily_outcomes,
    daily_predictions,
    daily_reconciliation,
    daily_segments,
    daily_shadow_evaluation,
    daily_shadows,
    late_accounts,
)
from daily_profit_model.defs.automation.requests import requests_for
from daily_profit_model.defs.calendars import RANGE_END_TAG, RANGE_START_TAG
from daily_profit_model.defs.models.registry import champion_of
from daily_profit_model.defs.models.shadows import Active
from daily_profit_model.lake import Lake, LakeError, PartitionFile, changes_since_written
from daily_profit_model.lake.staleness import HashLookup
from daily_profit_model.modeling.shadow_contracts import PREDICTIONS_SHADOW
from daily_profit_model.partitions import days_between
from daily_profit_model.settings import load_settings
from daily_profit_model.staging.trades import resolvable_days
from daily_profit_model.tables.drift import MONITORING_DRIFT
from daily_profit_model.tables.monitoring import MONITORING_OUTCOMES
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model.tables.segments import SEGMENT_PERFORMANCE, TRAILING_DAYS
from daily_profit_model.tables.staging import STAGING_TRADES

PARTITION_TAG = "dagster/partition"


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[daily_data],
    request_jobs=[daily_outcomes, daily_predictions, late_accounts, daily_reconciliation],
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Yesterday's data are complete and checked: judge its predictions; without any, predict today. "
    "Then resolve trades whose account has appeared, and reconcile yesterday.",
)
def yesterday_is_complete(context: dg.RunStatusSensorContext) -> list[dg.RunRequest] | dg.SkipReason:
    yesterday = newest_day(context.dagster_run.tags, datetime.now(UTC).date())
    if yesterday is None:
        return dg.SkipReason("the run's data are not yesterday's")
    requests = after_data(Lake(load_settings().lake_root), yesterday, context.dagster_run.run_id)
    for skipped in (request for request in requests if isinstance(request, dg.SkipReason)):
        context.log.info(skipped.skip_message)
    return [request for request in requests if isinstance(request, dg.RunRequest)]


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[daily_outcomes],
    request_job=daily_predictions,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Calibration has learnt from yesterday's outcomes: predict today.",
)
def yesterday_is_judged(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
    yesterday = newest_day(context.dagster_run.tags, datetime.now(UTC).date())
    if yesterday is None:
        return dg.SkipReason("the run's outcomes are not yesterday's")
    return request_predictions(yesterday, context.dagster_run.run_id)


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[daily_corrections],
    request_jobs=[daily_outcomes, daily_reconciliation],
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Days have been read again: judge the predictions of those that were corrected, and reconcile them.",
)
def corrections_are_read(context: dg.RunStatusSensorContext) -> list[dg.RunRequest]:
    days, run_id = days_of(context.dagster_run.tags), context.dagster_run.run_id
    outdated = outdated_outcomes(Lake(load_settings().lake_root), days)
    return [
        *requests_for(daily_outcomes.name, outdated, run_id),
        *requests_for(daily_reconciliation.name, days, run_id),
    ]


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[daily_predictions],
    request_jobs=[daily_drift, daily_shadows],
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Days have been predicted: look whether they have drifted, and whether the champion does worse; and let "
    "the shadows that are active on them predict them, too.",
)
def days_are_predicted(context: dg.RunStatusSensorContext) -> list[dg.RunRequest]:
    run, days = context.dagster_run, days_of(context.dagster_run.tags)
    return [
        *requests_for(daily_drift.name, days, run.run_id),
        *requests_for(daily_shadows.name, shadowed(Lake(load_settings().lake_root), days), run.run_id),
    ]


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[daily_outcomes, daily_shadows],
    request_jobs=[daily_shadow_evaluation, daily_drift, daily_segments],
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="What came of days is known, and shadows have predicted them: compare these with the champion. Where "
    "the days after have been looked at already, look again whether the champion does worse, and how segments did over "
    "the days before.",
)
def days_are_judged(context: dg.RunStatusSensorContext) -> list[dg.RunRequest]:
    run, days = context.dagster_run, days_of(context.dagster_run.tags)
    lake = Lake(load_settings().lake_root)
    is_outcome = run.job_name == daily_outcomes.name
    again = looked_at_before(lake, days) if is_outcome else []
    rolled = rolled_over(lake, days) if is_outcome else []
    return [
        *requests_for(daily_shadow_evaluation.name, comparable(lake, days), run.run_id),
        *requests_for(daily_drift.name, again, run.run_id),
        *requests_for(daily_segments.name, rolled, run.run_id),
    ]


def after_data(lake: Lake, yesterday: date, run_id: str) -> list[dg.RunRequest | dg.SkipReason]:
    """What follows once the data of `yesterday` are complete; predictions by way of outcomes, where there are some."""
    day = yesterday.isoformat()
    was_predicted = lake.file(PREDICTIONS_ACCOUNT_DAILY.name, day) is not None
    late = resolvable_days(lake, lake.partitions(STAGING_TRADES.name))
    return [
        *(
            requests_for(daily_outcomes.name, [day], run_id)
            if was_predicted
            else [request_predictions(yesterday, run_id)]
        ),
        *requests_for(late_accounts.name, late, run_id),
        *requests_for(daily_reconciliation.name, [day], run_id),
    ]


def newest_day(tags: Mapping[str, str], today: date) -> date | None:
    """The last day of a run's partitions if it is yesterday or later, else None.

    A backfill of old days asks for nothing: past predictions were served and stay as they are.
    """
    days = days_of(tags)
    day = date.fromisoformat(days[-1]) if days else None
    return day if day is not None and day >= today - timedelta(days=1) else None


def days_of(tags: Mapping[str, str]) -> list[str]:
    """The partitions of a run, ascending."""
    last = tags.get(RANGE_END_TAG) or tags.get(PARTITION_TAG)
    if not last:
        return []
    return days_between(date.fromisoformat(tags.get(RANGE_START_TAG, last)), date.fromisoformat(last))


def outdated_outcomes(lake: Lake, days: Sequence[str]) -> list[str]:
    """Those of `days` whose judged predictions no longer say what the newest metrics say."""
    hashes = HashLookup(lake)
    files = [lake.describe(MONITORING_OUTCOMES.name, day) for day in days]
    return [
        file.partition for file in files if file is not None and changes_since_written(file, hashes, file.code_version)
    ]


def shadowed(lake: Lake, days: Sequence[str]) -> list[str]:
    """Those of `days` on which a deployment is active."""
    active = Active(lake)
    return [day for day in days if active.on(date.fromisoformat(day))]


def comparable(lake: Lake, days: Sequence[str]) -> list[str]:
    """The days whose evaluation follows from `days`: the first of them with an active deployment and all that came
    after, as each rests on those before it; outcomes and the shadows' predictions must both be there."""
    judged = {*lake.partitions(MONITORING_OUTCOMES.name)} & {*lake.partitions(PREDICTIONS_SHADOW.name)}
    first = min((day for day in shadowed(lake, days) if day in judged), default=None)
    return [] if first is None else shadowed(lake, sorted(day for day in judged if day >= first))


def looked_at_before(lake: Lake, judged: Sequence[str]) -> list[str]:
    """The days whose drift and degradation rest on other outcomes of `judged` than those known by now: the first day
    after them of which that is so and all that came after it, as sums go on from day to day."""
    hashes = HashLookup(lake)
    after = {(date.fromisoformat(day) + timedelta(days=1)).isoformat() for day in judged}
    files = [lake.describe(MONITORING_DRIFT.name, day) for day in sorted(after)]
    first = next((file.partition for file in files if file is not None and _rests_on_others(file, hashes)), None)
    return [] if first is None else sorted(day for day in lake.partitions(MONITORING_DRIFT.name) if day >= first)


def rolled_over(lake: Lake, judged: Sequence[str]) -> list[str]:
    """The days whose rolling columns (monitoring/segment_performance) rest on other outcomes of `judged` than those known
    by now."""
    if not judged:
        return []
    last = date.fromisoformat(judged[-1]) + timedelta(days=TRAILING_DAYS - 1)
    days = days_between(date.fromisoformat(judged[0]), last)
    hashes = HashLookup(lake)
    files = [lake.describe(SEGMENT_PERFORMANCE.name, day) for day in days]
    return [file.partition for file in files if file is not None and _rests_on_others(file, hashes)]


def _rests_on_others(file: PartitionFile, hashes: HashLookup) -> bool:
    outcomes = {name: then for name, then in file.inputs.items() if name.startswith(f"{MONITORING_OUTCOMES.name}@")}
    return any(hashes(MONITORING_OUTCOMES.name, name.partition("@")[2]) != then for name, then in outcomes.items())


def request_predictions(yesterday: date, run_id: str) -> dg.RunRequest | dg.SkipReason:
    """A run for the day after `yesterday`, if a champion is in force on it."""
    day = yesterday + timedelta(days=1)
    try:
        champion_of(Lake(load_settings().lake_root), day)
    except LakeError as error:
        return dg.SkipReason(str(error))
    key = f"daily_predictions:{day}:{run_id}"
    return dg.RunRequest(job_name=daily_predictions.name, partition_key=day.isoformat(), run_key=key)


SENSORS = (yesterday_is_complete, yesterday_is_judged, corrections_are_read, days_are_predicted, days_are_judged)
