"""Dagster's view of the calendars in `partitions`. A partition exists when it can be made, so that a missing
one is one that is missing: the graph is green exactly when nothing is to be done.
"""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from daily_profit_model.partitions import first_cut_off
from daily_profit_model.settings import load_settings
from daily_profit_model.tables import Table

RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"

_START = load_settings().dpm_start_date
_FIRST_CUT_OFF = first_cut_off(_START, load_settings().dpm_first_training_days)
_FIRST_SERVED = (_FIRST_CUT_OFF + timedelta(days=2)).isoformat()
"""The first model is in force from here on: trained on the morning after its cut-off, serving the next one."""

DAILY = dg.DailyPartitionsDefinition(start_date=_START.isoformat())
"""Complete days: from the start to yesterday. Raw, staging and features share this object, else range runs
would be cut into chunks."""

CUT_OFFS = dg.TimeWindowPartitionsDefinition(
    start=_FIRST_CUT_OFF.isoformat(), fmt="%Y-%m-%d", cron_schedule="0 0 * * 0", end_offset=1
)
"""Sundays with enough history before them. A cut-off's key is the last day whose outcome it may see."""

SERVED_DAYS = dg.DailyPartitionsDefinition(start_date=_FIRST_SERVED, end_offset=1)
"""Days that are predicted, today included: its predictions are made this morning."""

JUDGED_DAYS = dg.DailyPartitionsDefinition(start_date=_FIRST_SERVED)
"""Predicted days that are over, so that their outcomes can be known."""

SHADOW_DEPLOYMENTS = dg.DynamicPartitionsDefinition(name="shadow_deployments")
"""The shadow deployments by name: a partition each of models/shadows, added by the act that creates it."""

WEEKS_OF_HISTORY = 2600
"""More cut-offs than any history has, for what looks back at all of them."""

MEASURED_DAYS = dg.DailyPartitionsDefinition(start_date=_START.isoformat(), end_offset=1)
"""Days on which the platform measures itself, today included. Of all calendars this one alone has days that can no
longer be made: what was not measured then is not known."""


_BY_LAYER = {
    "raw": DAILY,
    "staging": DAILY,
    "features": DAILY,
    "training": CUT_OFFS,
    "models": CUT_OFFS,
    "predictions": SERVED_DAYS,
    "monitoring": JUDGED_DAYS,
}

_BY_TABLE = {
    "monitoring/reconciliation": DAILY,
    "monitoring/feed_health": DAILY,
    "monitoring/profiles": DAILY,
    "monitoring/quality": DAILY,
    "monitoring/storage": MEASURED_DAYS,
    "monitoring/interval_calibration": SERVED_DAYS,
    "monitoring/drift": SERVED_DAYS,
    "monitoring/degradation": SERVED_DAYS,
}
"""Tables that tell of the data and not of predictions: they have every day that the data have, or that is. And the
calibration of a day, which its predictions need; and drift and
degradation, which are looked for on the morning itself."""


def calendar_of(table: Table) -> dg.TimeWindowPartitionsDefinition:
    """The partitions of a table: those of its layer, unless it has a calendar of its own."""
    return _BY_TABLE.get(table.name) or _BY_LAYER[table.name.split("/")[0]]


def range_tags(first: str, last: str) -> dict[str, str]:
    """The tags that make a run one over the partitions `first` … `last`."""
    return {RANGE_START_TAG: first, RANGE_END_TAG: last}


def look_back(days: int, last: int = 0) -> dg.TimeWindowPartitionMapping:
    """D depends on the days D-days+1+last … D+last of the upstream asset."""
    return dg.TimeWindowPartitionMapping(
        start_offset=last - days + 1, end_offset=last, allow_nonexistent_upstream_partitions=True
    )


def day_before() -> dg.TimeWindowPartitionMapping:
    """D depends on D-1."""
    return look_back(1, last=-1)


def cut_off_before() -> dg.TimeWindowPartitionMapping:
    """A weekly cut-off depends on the one a week before."""
    return dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1, allow_nonexistent_upstream_partitions=True)


def cut_offs_up_to() -> dg.TimeWindowPartitionMapping:
    """A weekly cut-off depends on itself and on any before it."""
    return dg.TimeWindowPartitionMapping(
        start_offset=-WEEKS_OF_HISTORY, end_offset=0, allow_nonexistent_upstream_partitions=True
    )
