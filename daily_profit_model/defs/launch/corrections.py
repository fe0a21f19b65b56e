"""`dpm corrections`: which raw partitions have been replaced by a newer revision, and what that changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table as Grid

from daily_profit_model.defs.all_tables import ALL_TABLES
from daily_profit_model.lake import Lake
from daily_profit_model.lake.changes import RevisionChanges, changes_of, corrections_since
from daily_profit_model.settings import Settings, WrongUse
from daily_profit_model.tables import Table

LISTED_COLUMNS = 4


def list_corrections(settings: Settings, since: str, table: str, *, as_json: bool) -> None:
    """Print every revision stored since `since` that replaced an older one, the oldest first. Raises WrongUse."""
    instant, tables = instant_of(since), tables_of(table)
    lake = Lake(settings.lake_root)
    found = sorted(_corrections(lake, tables, instant), key=lambda changes: (str(changes.newer), changes.table))
    if as_json:
        print(json.dumps([_as_dict(changes) for changes in found], indent=2))
        return
    if not found:
        print(f"no revision has replaced another since {instant:%Y-%m-%d %H:%M:%S} UTC")
        return
    grid = Grid(title=f"revisions since {instant:%Y-%m-%d %H:%M:%S} UTC", title_justify="left")
    for name in ("table", "day", "ingested at (UTC)", "added", "removed", "changed", "columns (rows)"):
        grid.add_column(name, justify="right" if name in ("added", "removed", "changed") else "left")
    for changes in found:
        grid.add_row(
            changes.table,
            changes.partition,
            f"{changes.newer:%Y-%m-%d %H:%M:%S}" if changes.newer else "",
            *(f"{count:,}" for count in (changes.added, changes.removed, changes.changed)),
            _columns(changes),
        )
    Console(highlight=False, width=max(Console().width, 132)).print(grid)


def instant_of(text: str) -> datetime:
    """A day (its beginning) or an instant; without an offset it is UTC. Raises WrongUse."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise WrongUse(
            f"{text!r} is no day and no instant: write 2026-06-30, or 2026-06-30T06:00:00Z for example"
        ) from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def tables_of(name: str) -> list[Table]:
    """The table of that name, or all that keep revisions. Raises WrongUse."""
    kept = [table for table in ALL_TABLES if table.revisions]
    if not name:
        return kept
    chosen = [table for table in kept if name in (table.name, table.name.removeprefix("raw/"))]
    if not chosen:
        raise WrongUse(f"{name!r} keeps no revisions; those that do are {', '.join(table.name for table in kept)}")
    return chosen


def _corrections(lake: Lake, tables: list[Table], since: datetime) -> Iterator[RevisionChanges]:
    for table in tables:
        for older, newer in corrections_since(lake, table, since):
            yield changes_of(lake, table, older, newer)


def _columns(changes: RevisionChanges) -> str:
    listed = [f"{name} {count:,}" for name, count in list(changes.columns.items())[:LISTED_COLUMNS]]
    more = len(changes.columns) - len(listed)
    return ", ".join(listed) + (f" and {more} more" if more else "")


def _as_dict(changes: RevisionChanges) -> dict[str, object]:
    return {
        "table": changes.table,
        "date": changes.partition,
        "ingested_at": changes.newer.isoformat() if changes.newer else None,
        "replaced": changes.older.isoformat() if changes.older else None,
        **changes.metadata(),
    }
