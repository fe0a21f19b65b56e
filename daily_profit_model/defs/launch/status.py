"""`dpm status`: what the lake holds, table by table, and which days are missing between the first and the last."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from rich.console import Console
from rich.table import Table as Grid

from daily_profit_model.defs.all_tables import ALL_TABLES, ASKED_FOR, NEEDS, TOLD_OF_NOW
from daily_profit_model.lake import Lake
from daily_profit_model.partitions import days_between
from daily_profit_model.settings import Settings
from daily_profit_model.tables import Table


def show_status(settings: Settings, *, as_json: bool) -> int:
    """Print the state of every table. Returns 1 when a table has holes or the lake is empty, else 0."""
    lake = Lake(settings.lake_root)
    no_gaps = {name for name, setting in NEEDS.items() if not getattr(settings, setting)}
    no_gaps |= {table.name for table in (*TOLD_OF_NOW, *ASKED_FOR)}
    tables = [table_status(lake, table, has_gaps=table.name not in no_gaps) for table in ALL_TABLES]
    holds = any(state["partitions"] for state in tables) and not any(state["missing"] for state in tables)
    if as_json:
        print(json.dumps({"lake": str(lake.root), "ok": holds, "tables": tables}, indent=2))
        return 0 if holds else 1
    grid = Grid(title=f"lake {lake.root}", title_justify="left")
    for name in ("table", "partitions", "first", "last", "rows of the last", "MB", "missing"):
        grid.add_column(name, justify="left" if name == "table" else "right", no_wrap=True)
    for state in tables:
        grid.add_row(
            state["table"],
            str(state["partitions"]),
            state["first"] or "–",
            state["last"] or "–",
            "–" if state["rows_of_last"] is None else f"{state['rows_of_last']:,}",
            f"{state['bytes'] / 1e6:.1f}",
            _few(state["missing"]),
        )
    Console(highlight=False, width=max(Console().width, 132)).print(grid)
    return 0 if holds else 1


def table_status(lake: Lake, table: Table, *, has_gaps: bool = True) -> dict[str, Any]:
    """Partitions, first and last of them, rows of the last, bytes of all, and the days missing in between.

    `has_gaps` is false for a table of which a missing day cannot be made.
    """
    partitions = lake.partitions(table.name)
    last = lake.describe(table.name, partitions[-1], "newest") if partitions else None
    missing: list[str] = []
    if partitions and table.partitioning == "date" and has_gaps:
        every = days_between(date.fromisoformat(partitions[0]), date.fromisoformat(partitions[-1]))
        missing = sorted(set(every) - set(partitions))
    return {
        "table": table.name,
        "partitions": len(partitions),
        "first": partitions[0] if partitions else None,
        "last": partitions[-1] if partitions else None,
        "rows_of_last": last.rows if last else None,
        "bytes": sum(path.stat().st_size for partition in partitions for path in lake.files(table.name, partition)),
        "missing": missing,
    }


def _few(days: list[str]) -> str:
    return "" if not days else f"{len(days)}: {', '.join(days[:3])}{' …' if len(days) > 3 else ''}"
