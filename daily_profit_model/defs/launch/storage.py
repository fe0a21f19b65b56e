"""`dpm lake`: what the tables of the lake take on disk, and collecting what nobody needs any more."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table as Grid

from daily_profit_model.defs.all_tables import LAKE_TABLES
from daily_profit_model.defs.collection import CollectedLake, collect_lake
from daily_profit_model.lake import CollectedTable, Lake
from daily_profit_model.lake.storage import TableStorage, measure_table, tables_in
from daily_profit_model.settings import Settings

_KNOWN = frozenset(table.name for table in LAKE_TABLES)


def show_storage(settings: Settings, *, now: datetime, as_json: bool) -> None:
    """Print what each table takes, and how much of it `dpm lake gc` would remove."""
    lake = Lake(settings.lake_root)
    collectable = {table.table: table for table in collect_lake(settings, now=now, dry_run=True).lake.tables}
    console = Console(stderr=True)
    names = track(tables_in(lake), "measuring", console=console, transient=True, disable=not console.is_terminal)
    tables = [_state(measure_table(lake, name), collectable.get(name)) for name in names]
    total = sum(state["bytes"] for state in tables)
    if as_json:
        print(json.dumps({"lake": str(lake.root), "bytes": total, "tables": tables}, indent=2))
        return
    grid = Grid(title=f"lake {lake.root}: {total / 1e6:,.1f} MB", title_justify="left")
    for name in ("table", "partitions", "files", "superseded", "temporary", "damaged", "rows", "MB", "collectable MB"):
        grid.add_column(name, justify="left" if name == "table" else "right", no_wrap=True)
    for state in tables:
        grid.add_row(
            state["table"] if state["has_contract"] else f"{state['table']} (no contract)",
            *(f"{state[name]:,}" for name in ("partitions", "files", "superseded_files")),
            *(f"{state[name] or ''}" for name in ("temporary_files", "damaged_files")),
            f"{state['rows']:,}",
            *(f"{state[name] / 1e6:,.1f}" for name in ("bytes", "collectable_bytes")),
        )
    Console(highlight=False, width=max(Console().width, 132)).print(grid)


def collect_and_tell(
    settings: Settings, *, now: datetime, retention_days: int | None, dry_run: bool, as_json: bool
) -> None:
    """Collect the lake and what killed fetches left, and print what went, or would go."""
    done = collect_lake(settings, now=now, retention_days=retention_days, dry_run=dry_run)
    if as_json:
        print(json.dumps(_as_dict(done, dry_run), indent=2))
        return
    if dry_run:
        print("dry run: nothing is removed")
    for table in done.lake.tables:
        if told := _told(table):
            print(f"{table.table:<28} {told}")
    for name in done.lake.unknown:
        print(f"{name:<28} no contract knows this table; it is left alone")
    left = done.leftovers
    if left.spools or left.scratch_folders or left.spools_in_use:
        held = f"; {left.spools_in_use} in use stay" if left.spools_in_use else ""
        print(f"{'killed fetches':<28} {left.spools} spools, {left.scratch_folders} scratch folders{held}")
    print(f"{'all':<28} {done.bytes_removed / 1e6:,.1f} MB")


def _state(taken: TableStorage, collectable: CollectedTable | None) -> dict[str, Any]:
    return {
        **asdict(taken),
        "has_contract": taken.table in _KNOWN,
        "collectable_files": collectable.files_removed if collectable else 0,
        "collectable_bytes": collectable.bytes_removed if collectable else 0,
    }


def _told(table: CollectedTable) -> str:
    """What happened to a table, in words; empty when nothing is to be said."""
    parts = [
        f"{table.revisions} revisions" if table.revisions else "",
        f"{table.temporary_files} temporary files" if table.temporary_files else "",
        f"{table.bytes_removed / 1e6:,.1f} MB" if table.files_removed else "",
        f"{table.damaged_files} damaged files stay" if table.damaged_files else "",
        f"{table.unsafe_partitions} partitions are left alone: their newest revision cannot be read"
        if table.unsafe_partitions
        else "",
    ]
    return ", ".join(part for part in parts if part)


def _as_dict(done: CollectedLake, dry_run: bool) -> dict[str, object]:
    return {
        "tables": [asdict(table) for table in done.lake.tables if _told(table)],
        "unknown": list(done.lake.unknown),
        "leftovers": asdict(done.leftovers),
        "bytes_removed": done.bytes_removed,
        "dry_run": dry_run,
    }
