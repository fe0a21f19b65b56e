"""What the lake takes, every night as an asset; in the nightly job after everything has gone that may go."""

from datetime import UTC, date, datetime

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.defs.all_tables import LAKE_TABLES
from daily_profit_model.defs.collection import collect_cache, collect_lake
from daily_profit_model.defs.resources.lake_io import Made
from daily_profit_model.defs.table_asset import table_asset
from daily_profit_model.lake import Lake
from daily_profit_model.monitoring.storage import refuse_other_days
from daily_profit_model.monitoring.storage import storage as storage_of
from daily_profit_model.settings import Settings
from daily_profit_model.tables.storage import MONITORING_STORAGE

COLLECT_TAG = "dpm/collect"
"""Run tag: collect before measuring. The job nightly_collection sets it; materialising by hand removes nothing."""

CODE_VERSION = "1"
KNOWN = frozenset(table.name for table in LAKE_TABLES)


@table_asset(MONITORING_STORAGE, code_version=CODE_VERSION, required_resource_keys={"lake", "settings"})
def storage(context: dg.AssetExecutionContext) -> Made:
    """Depends on no asset: it tells of whatever lies in the lake."""
    lake: Lake = context.resources.lake
    now = now_utc()
    refuse_other_days(list(context.partition_keys), now.date())
    removed = collect(context.resources.settings, now) if context.run.tags.get(COLLECT_TAG) == "true" else {}
    rows = storage_of(lake, date.fromisoformat(context.partition_key), KNOWN)
    metadata = {**lake_metadata(rows), **removed}
    return Made([(context.partition_key, rows)], metadata={context.partition_key: metadata})


def collect(settings: Settings, now: datetime) -> dict[str, int]:
    """Collect lake, spools and cache by the settings; what went, as metadata."""
    taken, cached = collect_lake(settings, now=now), collect_cache(settings, now=now)
    tables, leftovers = taken.lake.tables, taken.leftovers
    return {
        "removed_revisions": sum(table.revisions for table in tables),
        "removed_revision_bytes": sum(table.revision_bytes for table in tables),
        "removed_temporary_files": sum(table.temporary_files for table in tables),
        "removed_spools": leftovers.spools,
        "removed_scratch_folders": leftovers.scratch_folders,
        "removed_cache_entries": cached.expired + cached.over_size,
        "removed_bytes": taken.bytes_removed + cached.bytes_removed,
        "unsafe_partitions": sum(table.unsafe_partitions for table in tables),
        "cache_bytes": cached.bytes_left,
    }


def lake_metadata(rows: pa.Table) -> dict[str, int | str]:
    """Sums over all tables, drawn over time by the UI, and the tables that no contract knows."""
    sums = ("files", "bytes", "superseded_files", "superseded_bytes", "temporary_files", "damaged_files")
    unknown = rows.filter(pc.invert(rows["has_contract"]))["table"].to_pylist()
    return {
        **{f"lake_{name}": pc.sum(rows[name], min_count=0).as_py() for name in sums},
        "tables_without_contract": ", ".join(unknown) or "none",
    }


def now_utc() -> datetime:
    return datetime.now(UTC)
