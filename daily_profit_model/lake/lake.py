"""Where partitions lie and which revision of them counts. Writing them belongs to `partition_file`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import pyarrow.parquet as pq
from upath import UPath

CUT_OFF_HOUR = 6
"""A day's cut-off is 06:00 UTC of the next day (DESIGN.md): what was known then may be used."""

AsKnown = Literal["cut-off", "newest"] | datetime
"""Which revision of a raw partition counts: the newest by the partition's own cut-off (when the day
was filled later: the first fetch, as it was last read), the newest of all, or the newest at an instant (one with a time
zone; none if the partition was not there yet). A file that is no revision always counts."""

READ_AGAIN_WITHIN = timedelta(milliseconds=1)
"""A revision that follows another so closely is the same fetch read again (see `reread`): no fetch is that quick."""

PARTITIONINGS = ("date", "cutoff", "number")
"""What the name of a partition's folder may begin with, before its `=`."""

REVISION_FORMAT = "%Y%m%dT%H%M%S.%fZ"
FOOTER_KEY = b"dpm"


class LakeError(Exception):
    """Something about a partition is not as it must be; the message is one line."""


@dataclass(frozen=True)
class PartitionFile:
    """One complete file of a partition, as its footer describes it."""

    table: str
    partition: str
    path: UPath
    rows: int
    bytes: int
    content_hash: str
    code_version: str
    contract_version: int
    inputs: Mapping[str, str | None] = field(default_factory=dict)
    """`table@partition` of everything read to make it → its content hash then (None: it was absent)."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """What the producer wants kept beside the rows: counts, times of ingestion."""
    revision: datetime | None = None


def cut_off(day: date) -> datetime:
    """The instant (UTC) up to which something may be known in order to count for `day`."""
    return datetime(day.year, day.month, day.day, CUT_OFF_HOUR, tzinfo=UTC) + timedelta(days=1)


@dataclass(frozen=True)
class Lake:
    """A folder or object store holding `{layer}/{table}/date=YYYY-MM-DD/*.parquet`."""

    root: UPath

    def table_folder(self, table: str) -> UPath:
        return self.root / table

    def partition_folder(self, table: str, partition: str, partitioning: str = "date") -> UPath:
        if partitioning == "none":
            return self.table_folder(table)
        return self.table_folder(table) / f"{partitioning}={partition}"

    def partitions(self, table: str) -> list[str]:
        """The partitions of `table` that hold at least one complete file, ascending."""
        folder = self.table_folder(table)
        if not folder.exists():
            return []
        found = []
        for entry in folder.iterdir():
            name, equals, value = entry.name.partition("=")
            if equals and name in PARTITIONINGS and _complete_files(entry):
                found.append(value)
        return sorted(found)

    def files(self, table: str, partition: str) -> list[UPath]:
        """The complete files of a partition, oldest revision first."""
        for partitioning in PARTITIONINGS:
            folder = self.partition_folder(table, partition, partitioning)
            if folder.exists():
                return _complete_files(folder)
        return []

    def file(self, table: str, partition: str, as_known: AsKnown = "cut-off") -> UPath | None:
        """The file that counts for a partition, or None when there is none."""
        files = self.files(table, partition)
        if isinstance(as_known, datetime):
            known = [path for path in files if (revision_of(path) or as_known) <= as_known]
            return known[-1] if known else None
        if len(files) <= 1 or as_known == "newest":
            return files[-1] if files else None
        limit = cut_off(date.fromisoformat(partition))
        known = [path for path in files if (revision_of(path) or limit) <= limit]
        return (known or first_fetch(files))[-1]

    def describe(self, table: str, partition: str, as_known: AsKnown = "cut-off") -> PartitionFile | None:
        """The footer of the file that counts for a partition, or None when there is none."""
        path = self.file(table, partition, as_known)
        return None if path is None else describe_file(path, table, partition)


def describe_file(path: UPath, table: str, partition: str) -> PartitionFile:
    """Read a partition file's footer. Raises LakeError when the file is damaged or not ours."""
    try:
        with path.open("rb") as stream:
            metadata = pq.read_metadata(stream)
        footer = json.loads((metadata.metadata or {})[FOOTER_KEY])
    except (OSError, KeyError, ValueError) as error:
        raise damaged(path, table, partition, error) from error
    return PartitionFile(
        table=table,
        partition=partition,
        path=path,
        rows=metadata.num_rows,
        bytes=path.stat().st_size,
        content_hash=footer["content_hash"],
        code_version=footer["code_version"],
        contract_version=footer["contract_version"],
        inputs=footer["inputs"],
        facts=footer["facts"],
        revision=revision_of(path),
    )


def damaged(path: UPath, table: str, partition: str, error: Exception) -> LakeError:
    """What is said of a file that cannot be read: one line, with the way out."""
    if isinstance(error, FileNotFoundError):
        return LakeError(f"{table} of {partition}: {path} was removed before it could be read; run again")
    reason = " ".join(str(error).split())
    return LakeError(
        f"{table} of {partition}: {path} cannot be read ({reason}); delete the file and fill the day again"
    )


def revision_of(path: UPath) -> datetime | None:
    """The instant in a revision's file name, or None for a file that is no revision."""
    name = path.name.removesuffix(".parquet")
    if not name.startswith("revision="):
        return None
    return datetime.strptime(name.removeprefix("revision="), REVISION_FORMAT).replace(tzinfo=UTC)


def first_fetch(files: Sequence[UPath]) -> list[UPath]:
    """The first of a partition's `files` (oldest revision first), and those that are the same fetch read again."""
    first = revision_of(files[0]) if files else None
    if first is None:
        return list(files[:1])
    return [path for path in files if (revision_of(path) or first) - first < READ_AGAIN_WITHIN]


def _complete_files(folder: UPath) -> list[UPath]:
    """Files under their final names; a writer's temporary file starts with a dot."""
    return sorted(
        (path for path in folder.iterdir() if path.name.endswith(".parquet") and not path.name.startswith(".")),
        key=lambda path: path.name,
    )
