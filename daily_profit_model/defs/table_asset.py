"""How a table of the lake becomes an asset: one policy for key, group, owners, column schema and backfills."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import dagster as dg

from daily_profit_model.defs.calendars import calendar_of
from daily_profit_model.defs.freshness import freshness_of
from daily_profit_model.quality.page import page_path
from daily_profit_model.settings import load_settings
from daily_profit_model.tables import Table
from daily_profit_model.tables.quality import WITHOUT_RULES

OWNERS = ["team:risk-data"]
DAYS_A_RUN = 400
"""Longest range of a backfill in one run; beyond it a backfill is cut into several."""

_REPORTS = load_settings().reports_dir.absolute()

CodeVersion = str
Lineage = Mapping[str, Iterable[tuple[str, str]]]
"""Column → the columns it is made from, as (table, column)."""


def table_asset(
    table: Table,
    *,
    code_version: CodeVersion,
    deps: Iterable[dg.AssetDep] = (),
    kinds: Iterable[str] = ("parquet",),
    days_a_run: int = DAYS_A_RUN,
    lineage: Lineage | None = None,
    **kwargs: Any,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """`@dg.asset` for `table`, stored by the lake's I/O manager."""
    decorator: Callable[[Callable[..., Any]], dg.AssetsDefinition] = dg.asset(
        key=asset_key(table),
        group_name=table.name.split("/")[0],
        owners=OWNERS,
        kinds=set(kinds),
        description=table.description,
        metadata={
            "dagster/column_schema": column_schema(table),
            "dagster/table_name": table.name,
            "contract_version": table.version,
            "key": ", ".join(table.key),
            **({"dagster/column_lineage": column_lineage(lineage)} if lineage else {}),
            **quality_page(table),
        },
        deps=list(deps),
        code_version=code_version,
        partitions_def=calendar_of(table),
        backfill_policy=dg.BackfillPolicy.multi_run(days_a_run),
        freshness_policy=freshness_of(table),
        io_manager_key="lake_io",
        **kwargs,
    )
    return decorator


def asset_key(table: Table) -> dg.AssetKey:
    return dg.AssetKey(table.name.split("/"))


def quality_page(table: Table) -> dict[str, dg.MetadataValue]:
    """Where the page of a judged daily table lies, once monitoring/quality was made."""
    if table.partitioning != "date" or table.name in WITHOUT_RULES:
        return {}
    return {"quality_page": dg.MetadataValue.path(str(page_path(_REPORTS, table)))}


def on(table: Table, partition_mapping: dg.PartitionMapping | None = None) -> dg.AssetDep:
    """Lineage: this asset reads `table`, by default the same day of it."""
    return dg.AssetDep(asset_key(table), partition_mapping=partition_mapping)


def column_schema(table: Table) -> dg.TableSchema:
    """The contract as the UI shows it; units stand in brackets before the description."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                str(column.type),
                description=f"[{column.unit}] {column.description}" if column.unit else column.description,
                constraints=dg.TableColumnConstraints(nullable=not column.required),
            )
            for column in table.columns
        ]
    )


def column_lineage(lineage: Lineage) -> dg.TableColumnLineage:
    """The lineage as the UI shows it."""
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(dg.AssetKey(table.split("/")), name) for table, name in sources]
            for column, sources in lineage.items()
        }
    )


def code_version_of(*texts: str) -> CodeVersion:
    """A code version that changes with any of the given texts (SQL, a catalogue's hash, a hand-set number)."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]
