"""When it is looked at whether yesterday is there: five minutes after the last deadline of the morning."""

from datetime import datetime, timedelta

import dagster as dg

from daily_profit_model.defs.monitoring.alerts import deadlines_kept
from daily_profit_model.defs.monitoring.service_levels import promised_of
from daily_profit_model.settings import load_settings

_LAST = max(deadline.by for deadline in promised_of(load_settings()))
_LOOK = datetime(2000, 1, 1, _LAST.hour, _LAST.minute) + timedelta(minutes=5)
"""Of any day; five minutes, so that what arrives on the minute is listed."""

DEADLINES = dg.define_asset_job(
    "daily_deadlines",
    selection=dg.AssetSelection.checks(deadlines_kept),
    description="Whether the partitions of the morning are there.",
)


@dg.schedule(
    job=DEADLINES,
    cron_schedule=f"{_LOOK.minute} {_LOOK.hour} * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="After the morning's deadlines (DPM_SLA_…): is everything there?",
)
def after_the_deadlines(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    return dg.RunRequest(run_key=f"{DEADLINES.name}:{context.scheduled_execution_time:%Y-%m-%d}")
