"""monitoring/alerts in the graph: an asset that no run makes, with the checks that yesterday's partitions are there.

A partition that does not exist has no page on which a check could fail; so these stand here, one a layer.
"""

from collections import Counter
from collections.abc import Iterator

import dagster as dg

from daily_profit_model.defs.monitoring.service_levels import missing_of, promised_of
from daily_profit_model.defs.table_asset import OWNERS, asset_key, column_schema
from daily_profit_model.settings import load_settings
from daily_profit_model.tables.alerts import MONITORING_ALERTS

ALERTS = dg.AssetSpec(
    key=asset_key(MONITORING_ALERTS),
    description=MONITORING_ALERTS.description,
    group_name=MONITORING_ALERTS.name.split("/")[0],
    owners=OWNERS,
    kinds={"parquet"},
    metadata={
        "dagster/column_schema": column_schema(MONITORING_ALERTS),
        "dagster/table_name": MONITORING_ALERTS.name,
        "contract_version": MONITORING_ALERTS.version,
        "key": ", ".join(MONITORING_ALERTS.key),
    },
)

LAYERS = Counter(deadline.table.split("/")[0] for deadline in promised_of(load_settings()))
"""Layers with deadlines, and how many tables of them have one."""


def check_name(layer: str) -> str:
    return f"{layer}_in_time"


@dg.multi_asset_check(
    name="deadlines_kept",
    specs=[
        dg.AssetCheckSpec(
            check_name(layer),
            asset=ALERTS.key,
            description=f"Of {tables} tables of {layer} the partition of the newest deadline is there.",
        )
        for layer, tables in LAYERS.items()
    ],
    required_resource_keys={"lake", "settings", "notifier"},
)
def deadlines_kept(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
    missing = missing_of(context.resources.lake, context.resources.settings, context.resources.notifier.log.now())
    for layer, tables in LAYERS.items():
        absent = [breach.finding.value for breach in missing if breach.event.startswith(f"missing:{layer}/")]
        yield dg.AssetCheckResult(
            check_name=check_name(layer),
            passed=not absent,
            description="; ".join(absent) or None,
            metadata={"tables": tables, "missing": len(absent)},
        )
