"""The monitoring layer, on the tables' own quality: what each day looks like, how much of what must hold does, and the
pages that show it.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pyarrow as pa

from daily_profit_model.defs.all_rules import RULES
from daily_profit_model.defs.all_tables import TABLES
from daily_profit_model.defs.resources.lake_io import Made
from daily_profit_model.defs.resources.plots import plot_metadata
from daily_profit_model.defs.table_asset import code_version_of, on, table_asset
from daily_profit_model.engine import Source
from daily_profit_model.lake import Lake, read
from daily_profit_model.quality.page import page, page_path, write_page
from daily_profit_model.quality.profiles import code_version, profiles
from daily_profit_model.quality.results import WEIGHTS, scores
from daily_profit_model.settings import Settings
from daily_profit_model.tables import Table
from daily_profit_model.tables.quality import (
    MONITORING_PROFILES,
    MONITORING_QUALITY,
    rule_results_of,
)

JUDGED = tuple(
    TABLES[name] for name in dict.fromkeys(rule.table for rule in RULES) if TABLES[name].partitioning == "date"
)
"""Tables with rules and a partition a day."""

PROFILED = tuple(TABLES[name] for name in dict.fromkeys(rule.table for rule in RULES if rule.frame.past_days))
"""Tables whose days are compared with their past."""

DRAWN_DAYS = 60


@table_asset(
    MONITORING_PROFILES,
    code_version=code_version_of(code_version()),
    deps=[on(table) for table in PROFILED],
    kinds=("duckdb", "parquet"),
    required_resource_keys={"lake"},
)
def profiles_of_tables(context: dg.AssetExecutionContext) -> Made:
    """Each profile was made when a rule first asked for it; one that was not is made now."""
    lake: Lake = context.resources.lake
    sources = [Source(table, as_known="newest" if table.revisions else "cut-off", optional=True) for table in PROFILED]

    def days() -> Iterator[tuple[str, pa.Table]]:
        for day in context.partition_keys:
            yield day, pa.concat_tables([profiles(lake, table, [day]) for table in PROFILED])

    return Made(days(), sources)


@table_asset(
    MONITORING_QUALITY,
    code_version=code_version_of(str(WEIGHTS), "1"),
    deps=[on(table) for table in JUDGED],
    required_resource_keys={"lake", "settings"},
)
def quality(context: dg.AssetExecutionContext) -> Made:
    """The score of every table, a curve of them all, and a page a table for the newest day of the run."""
    lake: Lake = context.resources.lake
    settings: Settings = context.resources.settings
    sources = [Source(rule_results_of(table), optional=True) for table in JUDGED]
    metadata: dict[str, dict[str, Any]] = {}

    def days() -> Iterator[tuple[str, pa.Table]]:
        for day in context.partition_keys:
            rows = scores(pa.concat_tables([read(lake, source.table, [day]) for source in sources]))
            metadata[day] = _numbers(rows)
            if day == context.partition_keys[-1]:  # one picture and one set of pages a run: they show the days before
                metadata[day] |= _picture(lake, rows, day, settings)
                metadata[day] |= {f"page_{table.view_name}": _page(lake, table, day, settings) for table in JUDGED}
            yield day, rows

    return Made(days(), sources, metadata=metadata)


def _page(lake: Lake, table: Table, day: str, settings: Settings) -> dg.MetadataValue:
    path = page_path(settings.reports_dir, table)
    write_page(path, page(lake, table, [rule for rule in RULES if rule.table == table.name], day))
    return dg.MetadataValue.path(str(path))


def _numbers(rows: pa.Table) -> dict[str, Any]:
    """What the UI draws over time: a table's score, and how many rules fail in all."""
    found: dict[str, Any] = {"failed_errors": 0, "failed_warnings": 0}
    for row in rows.to_pylist():
        found["failed_errors"] += row["failed_errors"]
        found["failed_warnings"] += row["failed_warnings"]
        if row["score"] is not None:
            found[f"score_{row['table'].replace('/', '_')}"] = row["score"]
    return found


def _picture(lake: Lake, rows: pa.Table, day: str, settings: Settings) -> dict[str, dg.MetadataValue]:
    from daily_profit_model.quality.plots import plot_scores

    before = Source(MONITORING_QUALITY, first=1 - DRAWN_DAYS, last=-1).days(day)
    drawn = pa.concat_tables([read(lake, MONITORING_QUALITY, before), rows])
    return plot_metadata("scores_over_time", plot_scores(drawn), settings.reports_dir / "quality" / f"{day}.png")
