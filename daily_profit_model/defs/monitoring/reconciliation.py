"""Reconciliation of every day as an asset: what the service counts, and what the raw tables say of one another."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pyarrow as pa

from daily_profit_model.defs.calendars import look_back
from daily_profit_model.defs.resources.lake_io import Made
from daily_profit_model.defs.resources.services import RiskApiService
from daily_profit_model.defs.table_asset import code_version_of, on, table_asset
from daily_profit_model.lake import Lake
from daily_profit_model.monitoring.reconciliation import (
    OWN_DAY,
    RECONCILED,
    REFERENCE_DAYS,
    SQL,
    final_until,
    reconcile,
    wanted_counts,
)
from daily_profit_model.settings import Settings
from daily_profit_model.tables.raw import RAW_METRICS_DAILY, RAW_METRICS_HOURLY
from daily_profit_model.tables.reconciliation import FINDINGS, MONITORING_RECONCILIATION

_LOOKS_BACK = (RAW_METRICS_DAILY, RAW_METRICS_HOURLY)


@table_asset(
    MONITORING_RECONCILIATION,
    code_version=code_version_of(SQL),
    deps=[on(table, look_back(REFERENCE_DAYS + 1) if table in _LOOKS_BACK else None) for table in RECONCILED],
    kinds=("rest", "duckdb", "parquet"),
    required_resource_keys={"lake", "settings", "risk_api"},
)
def reconciliation(context: dg.AssetExecutionContext) -> Made:
    from daily_profit_model.risk_api.counts import counts

    lake: Lake = context.resources.lake
    settings: Settings = context.resources.settings
    service: RiskApiService = context.resources.risk_api
    newest = datetime.now(UTC).date() - timedelta(days=1)
    metadata: dict[str, dict[str, int]] = {}

    def days() -> Iterator[tuple[str, pa.Table]]:
        wanted = list(context.partition_keys)
        held = counts(service.client, wanted_counts(wanted))
        final = final_until(newest, settings.dpm_correction_days)
        for day, rows in reconcile(lake, held, wanted, final_until=final):
            found = Counter(rows["finding"].to_pylist())
            metadata[day] = {finding: found[finding] for finding in FINDINGS}
            yield day, rows

    return Made(days(), OWN_DAY, metadata=metadata)
