"""When things happen by the clock (UTC). What follows from new data stands in `sensors`."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from daily_profit_model.defs.automation.jobs import (
    daily_bars,
    daily_corrections,
    daily_data,
    daily_feeds,
    daily_quality,
    nightly_collection,
    weekly_training,
)
from daily_profit_model.defs.automation.requests import requests_for
from daily_profit_model.defs.automation.retraining import training_of
from daily_profit_model.defs.calendars import CUT_OFFS
from daily_profit_model.partitions import correction_window
from daily_profit_model.settings import load_settings

DAY_KEY = "%Y-%m-%d"


def _day_before(context: dg.ScheduleEvaluationContext) -> str:
    """The key of the day (UTC) before the one on which the schedule fires."""
    return (context.scheduled_execution_time.astimezone(UTC) - timedelta(days=1)).strftime(DAY_KEY)


@dg.schedule(
    job=daily_bars,
    cron_schedule="45 5 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="05:45 UTC, before yesterday's data, whose prices are checked against them: yesterday's bars.",
)
def every_morning_before(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    if not load_settings().market_api_base_url:
        return dg.SkipReason("no service of market bars is known: MARKET_API_BASE_URL is not set")
    yesterday = _day_before(context)
    return dg.RunRequest(partition_key=yesterday, run_key=f"{daily_bars.name}:{yesterday}")


@dg.schedule(
    job=daily_data,
    cron_schedule="0 6 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="06:00 UTC, the cut-off of yesterday: yesterday's data. Today's predictions follow by sensor.",
)
def every_morning(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    yesterday = _day_before(context)
    return dg.RunRequest(partition_key=yesterday, run_key=f"daily_data:{yesterday}")


@dg.schedule(
    job=daily_feeds,
    cron_schedule="15 0 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="00:15 UTC, when yesterday's last call is over and logged: how yesterday's calls went.",
)
def every_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    yesterday = _day_before(context)
    return dg.RunRequest(partition_key=yesterday, run_key=f"daily_feeds:{yesterday}")


@dg.schedule(
    job=nightly_collection,
    cron_schedule="0 2 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="02:00 UTC, when no data are expected: collect lake, spools and cache, then measure the lake.",
)
def every_night_at_two(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    return request_collection(context.scheduled_execution_time, datetime.now(UTC))


def request_collection(scheduled: datetime, now: datetime) -> dg.RunRequest | dg.SkipReason:
    """A run for the day (UTC) of the schedule, unless that is over: the lake of now is not that day's."""
    day = scheduled.astimezone(UTC).date()
    if day != now.date():
        return dg.SkipReason(f"{day} is over: nobody can tell any more what the lake took then")
    return dg.RunRequest(partition_key=day.isoformat(), run_key=f"{nightly_collection.name}:{day}")


@dg.schedule(
    job=daily_corrections,
    cron_schedule="30 6 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="06:30 UTC, after yesterday's data: the DPM_CORRECTION_DAYS days before yesterday are read again.",
)
def every_morning_again(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
    settings = load_settings()
    today = context.scheduled_execution_time.astimezone(UTC).date()
    window = correction_window(today - timedelta(days=1), settings.dpm_correction_days)
    days = [day for day in window if day >= settings.dpm_start_date.isoformat()]
    if not days:
        return dg.SkipReason("no day is to be read again: DPM_CORRECTION_DAYS is 0, or the history begins yesterday")
    return list(requests_for(daily_corrections.name, days, today.isoformat()))


@dg.schedule(
    job=weekly_training,
    cron_schedule="0 7 * * 1",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Mondays 07:00 UTC: yesterday's cut-off, when its outcomes are known. In force from Tuesday on.",
)
def every_monday(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    cutoff = _day_before(context)
    if cutoff not in CUT_OFFS.get_partition_keys(context.scheduled_execution_time):
        return dg.SkipReason(f"{cutoff} has too few days of history before it")
    asked = training_of(context.instance, cutoff)
    if asked is not None and asked.status not in (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED):
        return dg.SkipReason(f"an alarm has asked for {cutoff} already: run {asked.run_id}")
    return dg.RunRequest(partition_key=cutoff, run_key=f"weekly_training:{cutoff}")


@dg.schedule(
    job=daily_quality,
    cron_schedule="0 9 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="09:00 UTC, when the checks of yesterday's tables are done: their scores, profiles and pages.",
)
def every_morning_at_nine(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    yesterday = _day_before(context)
    return dg.RunRequest(partition_key=yesterday, run_key=f"daily_quality:{yesterday}")


SCHEDULES = (
    every_night,
    every_night_at_two,
    every_morning_before,
    every_morning,
    every_morning_again,
    every_monday,
    every_morning_at_nine,
)
