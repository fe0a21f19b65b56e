"""What was served is frozen: the partition that counts stays, and every other content of it is kept beside it.

Which tables are served, their contracts say (`Table.is_served`). A partition's one file under its usual name is what
counts. Each other content that it had, or was later found to have, lies in a file beside it that is named after the
content hash and that no reader of Parquet folders takes for a part of the table. So a hash, wherever it was
recorded, leads to its rows for ever. When a content may take the place of another is `reopened`'s and the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from daily_profit_model.lake.content_hash import content_hash
from daily_profit_model.lake.lake import Lake, LakeError, PartitionFile, damaged, describe_file
from daily_profit_model.lake.partition_file import conform, replacing, store, write
from daily_profit_model.lake.staleness import Change, changes_since_written
from daily_profit_model.lake.storage import KEPT_SUFFIX
from daily_profit_model.tables import Table

KEPT_PREFIX = ".version="
"""Before the hash, with KEPT_SUFFIX after it. Hive readers pass over names that begin with a dot, and globs over names that do not end in .parquet."""


@dataclass(frozen=True)
class ServedWrite:
    """What became of rows made for a served partition."""

    file: PartitionFile
    """The one that counts now."""
    other: PartitionFile | None = None
    """The version kept beside it by this write; None: there was no other content."""
    is_replaced: bool = False
    """True: `other` is what counted before. False: `other` is what was made now, and what was served stays."""


def write_served(
    lake: Lake,
    table: Table,
    partition: str,
    rows: pa.Table,
    *,
    code_version: str,
    inputs: Mapping[str, str | None],
    may_replace: Callable[[PartitionFile], bool],
) -> ServedWrite:
    """Store a served partition; another content than the one that counts replaces it only if `may_replace` says so.

    Either way both contents can be read afterwards (`read_version`). Raises LakeError as `write` does.
    """
    before = _described(lake, table, partition)
    made = None if before is None else content_hash(conform(table, partition, rows))
    if before is None or before.content_hash == made:
        return ServedWrite(write(lake, table, partition, rows, code_version=code_version, inputs=inputs))
    if may_replace(before):
        kept = _keep(lake, before)  # first: killed in between, nothing is lost
        file = write(lake, table, partition, rows, code_version=code_version, inputs=inputs)
        return ServedWrite(file, kept, is_replaced=True)
    path = _place(before.path.parent, made or "")
    store(path, table, partition, rows, code_version, inputs, {})
    return ServedWrite(before, describe_file(path, table.name, partition))


def reopened(
    file: PartitionFile, current_hash: Callable[[str, str], str | None], served: Collection[str]
) -> list[Change]:
    """Why a served partition may be made anew though its day is over: it was made before its inputs were complete.

    An input that was absent is there now, or one that is itself served (`served`: names of tables) was made anew.
    That anything else has changed since, such as features by a later correction, is no reason.
    """
    changes = changes_since_written(file, current_hash, file.code_version)
    return [change for change in changes if change.then is None or change.what.rpartition("@")[0] in served]


def is_over(partition: str, today: date) -> bool:
    """Whether the day of a partition is over, and with it the time in which it may be served better."""
    return date.fromisoformat(partition) < today


def versions(lake: Lake, table: str, partition: str) -> Iterator[PartitionFile]:
    """Every content of a served partition: the one that counts, then the others by their hashes."""
    counting = lake.describe(table, partition)
    if counting is not None:
        yield counting
        for path in sorted(counting.path.parent.iterdir(), key=lambda entry: entry.name):
            if path.name.startswith(KEPT_PREFIX) and path.name.endswith(KEPT_SUFFIX):
                yield describe_file(path, table, partition)


def read_version(lake: Lake, table: str, partition: str, wanted: str) -> pa.Table:
    """The rows of a served partition whose content hash is `wanted`, in the columns that they were stored with.

    Raises LakeError when there is no such version, or when its rows are not what the hash says.
    """
    for file in versions(lake, table, partition):
        if file.content_hash == wanted:
            return read_checked(file)
    raise LakeError(f"{table} of {partition}: the version {wanted[:16]}… is not in the lake")


def read_checked(file: PartitionFile) -> pa.Table:
    """All rows of a file, hashed once more. Raises LakeError when they are not what its footer says."""
    rows = read_whole(file)
    if content_hash(rows) != file.content_hash:
        raise LakeError(
            f"{file.table} of {file.partition}: {file.path} was changed: its rows are not those of its hash"
        )
    return rows


def read_whole(file: PartitionFile) -> pa.Table:
    """All rows of a file in the columns that it has, whatever the table's contract says by now. Raises LakeError."""
    try:
        with file.path.open("rb") as stream:
            rows = pq.ParquetFile(stream).read()
    except (OSError, KeyError, ValueError) as error:
        raise damaged(file.path, file.table, file.partition, error) from error
    return rows.cast(pa.schema([pa.field(field.name, _as_made(field.type)) for field in rows.schema]))


def _as_made(kind: pa.DataType) -> pa.DataType:
    """Parquet calls the items of a list otherwise than Arrow does, and a content hash covers names."""
    return pa.list_(kind.value_type) if pa.types.is_list(kind) else kind


def _described(lake: Lake, table: Table, partition: str) -> PartitionFile | None:
    try:
        return lake.describe(table.name, partition)
    except LakeError:  # nobody can read it, so nothing that was served is lost
        return None


def _keep(lake: Lake, file: PartitionFile) -> PartitionFile:
    """A copy of the file under the name of its content."""
    path = _place(file.path.parent, file.content_hash)
    with replacing(path) as place:
        place.stream.write(file.path.read_bytes())
        place.keep()
    return describe_file(path, file.table, file.partition)


def _place(folder: UPath, content: str) -> UPath:
    return folder / f"{KEPT_PREFIX}{content}{KEPT_SUFFIX}"
