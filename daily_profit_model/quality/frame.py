"""The rows that rules judge, as data: SQL over lake tables, or counts from the footers of files.

Derived columns that a rule needs are computed here; nothing is filtered out that should be counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from daily_profit_model.engine import Query, Source
from daily_profit_model.tables import Table


@dataclass(frozen=True)
class Frame:
    """A named set of rows a day. Rules that share a frame share one read and one validation."""

    name: str
    table: Table
    """The table it is about: a day of it must be in the lake."""
    key: tuple[str, ...]
    """Columns that say which row it is, shown with a violation."""
    query: Query | None = None
    """None: counts from the newest footers of `footers`, a row a day and table (see `load`)."""
    footers: tuple[Table, ...] = ()
    day: str = "date"
    """The column that holds the partition."""
    measures: bool = False
    """True: its rows are measurements, so a value is worth showing; else the share of bad rows is."""
    arrivals: bool = False
    """True: when the first revision of the day and of the two weeks before was stored (see `load`)."""
    past_days: int = 0
    """Above 0: `query` reads the view `profiles`: those of the table's days and of so many days before them."""


def rows_of(table: Table, columns: Sequence[str] = (), **derived: str) -> Frame:
    """The table's own rows: its key, `columns`, and `derived` columns as SQL expressions."""
    plain = dict.fromkeys((table.day_column, *table.key, *columns))
    select = [*(f'"{name}"' for name in plain), *(f"{sql} as {name}" for name, sql in derived.items())]
    text = f"""
select {", ".join(select)}
from {table.view_name}
where {table.day_column} between $first_day and $last_day
"""
    query = Query(text, (newest(table),))
    return Frame(f"{table.name} rows", table, table.key, query, day=table.day_column)


def footer_counts(table: Table, *tables: Table) -> Frame:
    """What the newest fetch of `tables` (by default of `table` itself) counted, a row a day and table."""
    return Frame(f"{table.name} counts", table, ("table",), footers=tables or (table,), measures=True)


def arrivals(table: Table) -> Frame:
    """When the days of a fetched table came, a row a day."""
    return Frame(f"{table.name} arrivals", table, ("date",), arrivals=True, measures=True)


def newest(table: Table, first: int = 0, last: int = 0) -> Source:
    """`table` as known now: checks judge the newest revision, not that of the cut-off."""
    return Source(table, first=first, last=last, as_known="newest" if table.revisions else "cut-off")
