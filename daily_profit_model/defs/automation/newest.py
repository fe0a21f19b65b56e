"""The newest days of a table as sensors see them: by content, so that what was looked at once is not looked at again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from daily_profit_model.lake import Lake
from daily_profit_model.tables import Table


def newest_day(lake: Lake, table: Table) -> str | None:
    """The newest partition of a table; None: there is none."""
    return max(lake.partitions(table.name), default=None)


def seen_now(lake: Lake, tables: Sequence[Table]) -> dict[str, str]:
    """`table@day` → content hash of the newest partition of each table that has one."""
    found = ((table, newest_day(lake, table)) for table in tables)
    return {f"{table.name}@{day}": hashed for table, day in found if day and (hashed := _hash(lake, table, day))}


def days_not_seen(lake: Lake, table: Table, seen: Mapping[str, str], window_days: int) -> dict[str, str]:
    """Days with rows that are not what was seen (`table@day` → hash), ascending, with their hash.

    They are looked for from `window_days` before the newest that was seen on, by the data's own days: a backfill of
    older ones tells nobody. Where nothing was seen yet, the newest day alone.
    """
    known = [key.rpartition("@")[2] for key in seen if key.startswith(f"{table.name}@")]
    days = sorted(lake.partitions(table.name))
    since = (
        (date.fromisoformat(max(known)) - timedelta(days=window_days)).isoformat() if known else max(days, default="")
    )
    found = {day: _hash(lake, table, day) for day in days if day >= since}
    return {day: hashed for day, hashed in found.items() if hashed and seen.get(f"{table.name}@{day}") != hashed}


def _hash(lake: Lake, table: Table, day: str) -> str | None:
    file = lake.describe(table.name, day)
    return None if file is None else file.content_hash
