"""When things happen by the clock (UTC). What follows from new data stands in `sensors`."""

from datetime import UTC, timedelta

import dagster as dg

from daily_profit_model.defs.automation.jobs import daily_data, weekly_training
from daily_profit_model.defs.calendars import CUT_OFFS

DAY_KEY = "%Y-%m-%d"


@dg.schedule(
    job=daily_data,
    cron_schedule="0 6 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="06:00 UTC, the cut-off of yesterday: yesterday's data. Today's predictions follow by sensor.",
)
def every_morning(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    yesterday = (context.scheduled_execution_time.astimezone(UTC) - timedelta(days=1)).strftime(DAY_KEY)
    return dg.RunRequest(partition_key=yesterday, run_key=f"daily_data:{yesterday}")


@dg.schedule(
    job=weekly_training,
    cron_schedule="0 7 * * 1",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Mondays 07:00 UTC: yesterday's cut-off, when its outcomes are known. In force from Tuesday on.",
)
def every_monday(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    cutoff = (context.scheduled_execution_time.astimezone(UTC) - timedelta(days=1)).strftime(DAY_KEY)
    if cutoff not in CUT_OFFS.get_partition_keys(context.scheduled_execution_time):
        return dg.SkipReason(f"{cutoff} has too few days of history before it")
    return dg.RunRequest(partition_key=cutoff, run_key=f"weekly_training:{cutoff}")


SCHEDULES = (every_morning, every_monday)
