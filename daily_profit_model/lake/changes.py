"""What a newer revision of a partition says differently: rows added, removed and changed, and in which columns.

Which revision counts is decided in `lake`, when one is stored in `partition_file`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

import duckdb

from daily_profit_model.lake.grown import columns_in
from daily_profit_model.lake.lake import Lake, PartitionFile, damaged, describe_file, revision_of
from daily_profit_model.lake.reach import reach
from daily_profit_model.lake.scratch import new_database, session_on
from daily_profit_model.tables import Table

MEMORY_LIMIT = "256MB"
"""Of the comparison; partitions of any size pass within it, by way of the disk."""


@dataclass(frozen=True)
class RevisionChanges:
    """How `newer` differs from `older`, row by row under the table's key."""

    table: str
    partition: str
    older: datetime | None
    newer: datetime | None
    added: int
    removed: int
    changed: int
    columns: Mapping[str, int] = field(default_factory=dict)
    """Columns that differ in changed rows → in how many of them; the most frequent first."""

    def metadata(self) -> dict[str, object]:
        """The changes as metadata of a materialisation."""
        return {
            "rows_added": self.added,
            "rows_removed": self.removed,
            "rows_changed": self.changed,
            "changed_columns": dict(self.columns),
        }


def changes_of(lake: Lake, table: Table, older: PartitionFile, newer: PartitionFile) -> RevisionChanges:
    """What `newer` says differently from `older`, both files of one partition of `table`.

    Rows are told apart by the table's key, a null counting as a value; a column that one of the files
    does not have is null there. Memory is bounded whatever the number of rows. Raises LakeError when a
    file cannot be read.
    """
    names = table.stored_names
    key = [name for name in table.key if name in names]
    rest = [name for name in names if name not in table.key]
    with session_on(_database()) as session:
        reach(session, lake)
        for view, file in (("older", older), ("newer", newer)):
            _create_view(session, view, file, names)
        added, removed, changed, *counts = session.sql(_comparison(key, rest)).fetchall()[0]
    differing = sorted(
        ((name, count) for name, count in zip(rest, counts, strict=True) if count), key=lambda found: -found[1]
    )
    return RevisionChanges(
        table.name, newer.partition, older.revision, newer.revision, added, removed, changed, dict(differing)
    )


def revision_before(lake: Lake, newer: PartitionFile) -> PartitionFile | None:
    """The revision that `newer` replaced, or None when it was the first of its partition."""
    earlier = [path for path in lake.files(newer.table, newer.partition) if path.name < newer.path.name]
    return describe_file(earlier[-1], newer.table, newer.partition) if earlier else None


def corrections_since(lake: Lake, table: Table, since: datetime) -> Iterator[tuple[PartitionFile, PartitionFile]]:
    """Every revision of `table` stored at or after `since` that replaced an older one, as (older, newer).

    Ascending by partition and instant. `since` has a time zone; before the retention of `collect` revisions between
    the two may be gone.
    """
    for partition in lake.partitions(table.name):
        files = lake.files(table.name, partition)
        for earlier, later in pairwise(files):
            stored = revision_of(later)
            if stored is not None and stored >= since:
                yield describe_file(earlier, table.name, partition), describe_file(later, table.name, partition)


def _comparison(key: list[str], rest: list[str]) -> str:
    """One row: added, removed, changed, then for each of `rest` in how many rows it differs."""
    same_row = " and ".join(f"older.{name} is not distinct from newer.{name}" for name in map(_quoted, key))
    differs = [f"older.{name} is distinct from newer.{name}" for name in map(_quoted, rest)]
    in_both = "older.is_row and newer.is_row"
    counts = "".join(f",\n    count(*) filter (where {in_both} and {condition})" for condition in differs)
    return f"""
select
    count(*) filter (where older.is_row is null) as added,
    count(*) filter (where newer.is_row is null) as removed,
    count(*) filter (where {in_both} and ({" or ".join(differs) or "false"})) as changed{counts}
from older
full join newer
    on {same_row}
"""


def _create_view(session: duckdb.DuckDBPyConnection, view: str, file: PartitionFile, names: list[str]) -> None:
    there = columns_in(file.path, file.table, file.partition)
    listed = ", ".join(_quoted(name) if name in there else f"null as {_quoted(name)}" for name in names)
    path = str(file.path).replace("'", "''")
    try:
        session.execute(f"create temp view {view} as select true as is_row, {listed} from read_parquet('{path}')")
    except duckdb.Error as error:
        raise damaged(file.path, file.table, file.partition, error) from error


def _quoted(name: str) -> str:
    return f'"{name}"'


@functools.cache
def _database() -> duckdb.DuckDBPyConnection:
    return new_database(MEMORY_LIMIT, preserve_insertion_order=False)
