"""Which partitions were made or read lately, by Dagster's record: what `dpm run` repeats, it repeats once a day (UTC).

The newest days are read again because the service corrects them (DPM_CORRECTION_DAYS). A re-reading that
brings nothing new leaves no file, but it is recorded as a materialisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import dagster as dg

from daily_profit_model.defs.all_tables import TABLES
from daily_profit_model.defs.table_asset import asset_key


def not_made_since(
    instance: dg.DagsterInstance, tables: Sequence[str], partitions: Sequence[str], instant: datetime
) -> list[str]:
    """Those of `partitions` of which any of `tables` was not made (of a raw table: read) at or after `instant`."""
    made = [_made_since(instance, table, partitions, instant) for table in tables]
    return [partition for partition in partitions if not all(partition in of_table for of_table in made)]


def _made_since(instance: dg.DagsterInstance, table: str, partitions: Sequence[str], instant: datetime) -> set[str]:
    wanted = dg.AssetRecordsFilter(
        asset_key=asset_key(TABLES[table]),
        asset_partitions=list(partitions),
        after_timestamp=instant.timestamp(),
    )
    found: set[str] = set()
    cursor = None
    while partitions:
        page = instance.fetch_materializations(wanted, limit=1000, cursor=cursor)
        for record in page.records:
            made = record.asset_materialization
            if made is not None and record.partition_key is not None and not _was_kept(made):
                found.add(record.partition_key)
        if not page.has_more:
            break
        cursor = page.cursor
    return found


def _was_kept(made: dg.AssetMaterialization) -> bool:
    """A raw partition that was complete and left alone: nothing was received for it."""
    return "revision_stored" in made.metadata and "received" not in made.metadata
