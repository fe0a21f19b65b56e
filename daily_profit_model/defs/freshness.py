"""The deadlines of `monitoring.deadlines` as the UI shows them: an asset is fresh when something of it was made between the
cut-off and its deadline. That the right partition is there is looked at by the checks of monitoring/alerts.
"""

from __future__ import annotations

from datetime import time, timedelta

import dagster as dg

from daily_profit_model.lake.lake import CUT_OFF_HOUR
from daily_profit_model.monitoring.deadlines import deadlines
from daily_profit_model.settings import load_settings
from daily_profit_model.tables import Table

_SETTINGS = load_settings()
_BY = {
    deadline.table: deadline.by for deadline in deadlines(_SETTINGS.dpm_sla_raw_by, _SETTINGS.dpm_sla_predictions_by)
}


def freshness_of(table: Table) -> dg.FreshnessPolicy | None:
    """The policy of a table with a deadline; None: nothing is promised of it."""
    return _policy(_BY[table.name]) if table.name in _BY else None


def _policy(by: time) -> dg.FreshnessPolicy:
    since_cut_off = timedelta(hours=by.hour - CUT_OFF_HOUR, minutes=by.minute)
    window = since_cut_off if since_cut_off > timedelta() else timedelta(days=1)
    return dg.FreshnessPolicy.cron(deadline_cron=f"{by.minute} {by.hour} * * *", lower_bound_delta=window)
