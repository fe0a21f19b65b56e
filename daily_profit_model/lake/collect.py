"""What of the lake goes: raw revisions replaced long ago, and temporary files of writers that were killed.

Whoever reads opens a file right after having asked which one counts. An open file stays readable when its name
goes, and only files go that nobody has been told of for longer than GRACE. A reader that slept that long in
between gets a LakeError that says to run again.

Reading a partition as of an instant answers as before, from `now - retention` on and for the two choices that have
no instant, "cut-off" and "newest". Rejected rows and the logins of test accounts are kept beside their tables as
revisions of their own, stored only where they differ, and read by the same instants: the rule holds for each of
these tables alone, and so for all of them together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from upath import UPath

from daily_profit_model.lake.lake import Lake, LakeError, revision_of
from daily_profit_model.lake.partition_file import LEFT_AFTER_S
from daily_profit_model.lake.storage import stored_file, table_folders, tables_in
from daily_profit_model.tables import Table

GRACE = timedelta(seconds=LEFT_AFTER_S)
"""What was replaced or written to more recently may be in somebody's hands."""


@dataclass(frozen=True)
class CollectedTable:
    """What went of one table, or with a dry run would go; bytes are those of files on disk."""

    table: str
    revisions: int = 0
    revision_bytes: int = 0
    temporary_files: int = 0
    temporary_bytes: int = 0
    damaged_files: int = 0
    """Set aside as damaged by an earlier write; they stay for a look."""
    unsafe_partitions: int = 0
    """All their revisions stay, because one that must be left could not be read."""

    @property
    def files_removed(self) -> int:
        return self.revisions + self.temporary_files

    @property
    def bytes_removed(self) -> int:
        return self.revision_bytes + self.temporary_bytes


@dataclass(frozen=True)
class Collected:
    """What a collection of the lake did, or with a dry run would do."""

    tables: tuple[CollectedTable, ...] = ()
    unknown: tuple[str, ...] = ()
    """Tables in the lake that no contract knows; they are never touched."""

    @property
    def files_removed(self) -> int:
        return sum(table.files_removed for table in self.tables)

    @property
    def bytes_removed(self) -> int:
        return sum(table.bytes_removed for table in self.tables)


def collect(
    lake: Lake,
    tables: Iterable[Table],
    *,
    now: datetime,
    retention: timedelta,
    grace: timedelta = GRACE,
    dry_run: bool = False,
) -> Collected:
    """Collect those `tables` that have files in the lake; `now` has a time zone."""
    known = {table.name: table for table in tables}
    present = tables_in(lake)
    collected = [
        _collect_table(lake, known[name], now - max(retention, grace), now - grace, dry_run)
        for name in present
        if name in known
    ]
    return Collected(tuple(collected), tuple(name for name in present if name not in known))


def outlived(lake: Lake, table: str, partition: str, until: datetime) -> list[UPath]:
    """The revisions of a partition that do not count at any instant from `until` on, oldest first.

    The newest stays, and the one that counts as known at the partition's cut-off: the features of the day rest on it.
    """
    files = lake.files(table, partition)
    replaced = [older for older, newer in pairwise(files) if _is_replaced(older, newer, until=until)]
    known = lake.file(table, partition, "cut-off") if replaced else None
    return [path for path in replaced if path != known]


def _is_replaced(older: UPath, newer: UPath, *, until: datetime) -> bool:
    since = revision_of(newer)
    return revision_of(older) is not None and since is not None and since <= until


def _collect_table(
    lake: Lake, table: Table, replaced_until: datetime, written_until: datetime, dry_run: bool
) -> CollectedTable:
    revisions: list[int] = []
    unsafe = 0
    for partition in lake.partitions(table.name) if table.revisions else ():
        going = outlived(lake, table.name, partition, replaced_until)
        if going and not _is_readable(lake, table.name, partition):
            unsafe += 1
            continue
        revisions += _remove(going, dry_run)
    hidden = [
        entry for folder in table_folders(lake, table.name) for entry in folder.iterdir() if entry.name.startswith(".")
    ]
    files = [file for entry in hidden if (file := stored_file(entry)) is not None]
    left = [file.path for file in files if file.is_temporary and file.modified and file.modified < written_until]
    temporary = _remove(left, dry_run)
    return CollectedTable(
        table=table.name,
        revisions=len(revisions),
        revision_bytes=sum(revisions),
        temporary_files=len(temporary),
        temporary_bytes=sum(temporary),
        damaged_files=sum(file.is_set_aside for file in files),
        unsafe_partitions=unsafe,
    )


def _is_readable(lake: Lake, table: str, partition: str) -> bool:
    """Whether what must be left is whole by its footer: a damaged newest revision would make the one before count."""
    try:
        return all(lake.describe(table, partition, as_known) is not None for as_known in ("newest", "cut-off"))
    except LakeError:
        return False


def _remove(paths: Sequence[UPath], dry_run: bool) -> list[int]:
    """The bytes of each file that went; another collector may have been faster."""
    removed = []
    for path in paths:
        try:
            size = path.stat().st_size
            if not dry_run:
                path.unlink()
        except FileNotFoundError:
            continue
        removed.append(size)
    return removed
