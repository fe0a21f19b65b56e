"""What follows from new data: yesterday's outcomes once its data are complete, then today's predictions."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from daily_profit_model.defs.automation.jobs import daily_data, daily_outcomes, daily_predictions
from daily_profit_model.defs.models.registry import champion_of
from daily_profit_model.lake import Lake, LakeError
from daily_profit_model.settings import load_settings
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[daily_data],
    request_jobs=[daily_outcomes, daily_predictions],
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Yesterday's data are complete and checked: judge its predictions; without any, predict today.",
)
def yesterday_is_complete(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
    yesterday = newest_day(context.dagster_run.tags, datetime.now(UTC).date())
    if yesterday is None:
        return dg.SkipReason("the run's data are not yesterday's")
    was_predicted = Lake(load_settings().lake_root).file(PREDICTIONS_ACCOUNT_DAILY.name, yesterday.isoformat())
    if was_predicted is None:
        return request_predictions(yesterday, context.dagster_run.run_id)
    key = f"daily_outcomes:{yesterday}:{context.dagster_run.run_id}"
    return dg.RunRequest(job_name=daily_outcomes.name, partition_key=yesterday.isoformat(), run_key=key)


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


def newest_day(tags: Mapping[str, str], today: date) -> date | None:
    """The last day of a run's partitions if it is yesterday or later, else None.

    A backfill of old days asks for nothing: past predictions were served and stay as they are.
    """
    partition = tags.get("dagster/asset_partition_range_end") or tags.get("dagster/partition")
    day = date.fromisoformat(partition) if partition else None
    return day if day is not None and day >= today - timedelta(days=1) else None


def request_predictions(yesterday: date, run_id: str) -> dg.RunRequest | dg.SkipReason:
    """A run for the day after `yesterday`, if a champion is in force on it."""
    day = yesterday + timedelta(days=1)
    try:
        champion_of(Lake(load_settings().lake_root), day)
    except LakeError as error:
        return dg.SkipReason(str(error))
    key = f"daily_predictions:{day}:{run_id}"
    return dg.RunRequest(job_name=daily_predictions.name, partition_key=day.isoformat(), run_key=key)


SENSORS = (yesterday_is_complete, yesterday_is_judged)
