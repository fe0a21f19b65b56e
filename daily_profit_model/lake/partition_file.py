"""Write a partition whole or not at all, and read it back. Which file counts is decided in `lake`."""

from __future__ import annotations

import contextlib
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from upath import UPath

from daily_profit_model.lake.ahead import one_ahead
from daily_profit_model.lake.content_hash import ContentHash
from daily_profit_model.lake.grown import absent_columns
from daily_profit_model.lake.lake import (
    FOOTER_KEY,
    REVISION_FORMAT,
    AsKnown,
    Lake,
    LakeError,
    PartitionFile,
    damaged,
    describe_file,
)
from daily_profit_model.tables import Table

SINGLE_FILE = "part-0.parquet"
ROW_GROUP = 2**17
"""Rows of a row group: what a writer of many rows holds at a time."""
FEW_ROWS = 10_000
"""Up to here a thread costs more than what it does beside: most files are that small."""

LEFT_AFTER_S = 3600.0
"""A temporary file that old belongs to a writer that was killed."""


class SortedRows(Protocol):
    """Rows in a contract's columns, sorted by its key, handed out batch by batch: as many as disk holds."""

    @property
    def num_rows(self) -> int: ...

    def to_batches(self) -> Iterator[pa.RecordBatch]:
        """The rows from the first to the last; may be called again."""
        ...


def write(
    lake: Lake,
    table: Table,
    partition: str,
    rows: pa.Table,
    *,
    code_version: str,
    inputs: Mapping[str, str | None] | None = None,
    facts: Mapping[str, object] | None = None,
) -> PartitionFile:
    """Write the one file of a partition; an existing one is replaced in a single rename.

    `rows` are brought to the contract's schema and sorted by its key. Raises LakeError when a
    column is missing or of another type, or when a row belongs to another partition.
    """
    path = lake.partition_folder(table.name, partition, table.partitioning) / SINGLE_FILE
    store(path, table, partition, rows, code_version, inputs or {}, facts or {})
    return describe_file(path, table.name, partition)


def write_revision(
    lake: Lake,
    table: Table,
    partition: str,
    rows: pa.Table | SortedRows,
    *,
    ingested_at: datetime,
    code_version: str,
    facts: Mapping[str, object] | None = None,
) -> tuple[PartitionFile, bool]:
    """Append a complete fetch as a revision, unless it equals the newest one.

    Returns the revision that now is the newest and whether it was stored by this call.
    """
    newest = _newest_or_aside(lake, table.name, partition)
    stamp = ingested_at.astimezone(UTC).strftime(REVISION_FORMAT)
    path = lake.partition_folder(table.name, partition, table.partitioning) / f"revision={stamp}.parquet"
    kept = {"ingested_at": ingested_at.astimezone(UTC).isoformat(), **(facts or {})}
    known = None if newest is None else newest.content_hash
    stored = store(path, table, partition, rows, code_version, {}, kept, unless=known)
    if stored is None and newest is not None:
        return newest, False
    return describe_file(path, table.name, partition), True


def _newest_or_aside(lake: Lake, table: str, partition: str) -> PartitionFile | None:
    """The newest revision; damaged ones are renamed so that no reader takes them, and kept for a look."""
    while (path := lake.file(table, partition, "newest")) is not None:
        try:
            return describe_file(path, table, partition)
        except LakeError:
            path.rename(path.parent / f".damaged-{path.name}")
    return None


def read(
    lake: Lake,
    table: Table,
    partitions: Sequence[str],
    *,
    as_known: AsKnown = "cut-off",
    columns: Sequence[str] | None = None,
) -> pa.Table:
    """The rows of the given partitions that exist, in their order; `columns` of the contract, or all of them."""
    names = list(columns or table.column_names)
    found = []
    for partition in partitions:
        path = lake.file(table.name, partition, as_known)
        if path is not None:
            found.append(_read_file(path, table, partition, names))
    return pa.concat_tables(found) if found else table.schema().empty_table().select(names)


def conform(table: Table, partition: str, rows: pa.Table) -> pa.Table:
    """`rows` in the contract's columns, types and order of key. Raises LakeError where they do not fit."""
    typed = _typed(table, partition, rows)
    places = pc.sort_indices(typed, sort_keys=[(name, "ascending") for name in table.key])
    # moving all columns costs far more than looking at the key
    is_sorted = bool(np.array_equal(places.to_numpy(), np.arange(len(places), dtype=np.uint64)))
    return typed if is_sorted else typed.take(places)


def _typed(table: Table, partition: str, rows: pa.Table) -> pa.Table:
    """`rows` in the contract's columns and types, all of this partition."""
    present = set(rows.column_names)
    if missing := [name for name in table.column_names if name not in present]:
        raise LakeError(f"{table.name} of {partition}: columns missing: {', '.join(missing)}")
    try:
        typed = rows.select(table.column_names).cast(table.schema())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise LakeError(f"{table.name} of {partition}: rows do not fit the contract: {error}") from error
    if table.partitioning != "none" and typed.num_rows:
        days = typed[table.day_column]
        own = table.partition_value(partition)
        if days.null_count or pc.min_max(days).as_py() != {"min": own, "max": own}:
            foreign = sum(day != own for day in days.to_pylist())
            raise LakeError(f"{table.name} of {partition}: {foreign} rows belong to another partition")
    return typed


def store(
    path: UPath,
    table: Table,
    partition: str,
    rows: pa.Table | SortedRows,
    code_version: str,
    inputs: Mapping[str, str | None],
    facts: Mapping[str, object],
    *,
    unless: str | None = None,
) -> str | None:
    """Write a file and return its content hash; None, and no file, when that equals `unless`."""
    with replacing(path) as place:
        found = write_rows(place.stream, table, partition, rows, code_version=code_version, inputs=inputs, facts=facts)
        if found == unless:
            return None
        place.keep()
    return found


def write_rows(
    stream: BinaryIO,
    table: Table,
    partition: str,
    rows: pa.Table | SortedRows,
    *,
    code_version: str,
    inputs: Mapping[str, str | None] | None = None,
    facts: Mapping[str, object] | None = None,
) -> str:
    """Write a partition's file into `stream`, with its footer, and return its content hash. Raises LakeError."""
    footer = {
        "table": table.name,
        "partition": partition,
        "contract_version": table.version,
        "code_version": code_version,
        "inputs": dict(sorted((inputs or {}).items())),
        "facts": dict(facts or {}),
    }
    schema = table.schema()
    content = ContentHash(schema)
    stored = pa.schema([schema.field(name) for name in table.stored_names])
    # of fractions a dictionary costs a third of the writing, and spares a sixth of a file of trades at most;
    # their statistics cost as much, and no reader looks for rows by them
    repeating = [field.name for field in stored if not pa.types.is_floating(field.type)]
    with (
        ThreadPoolExecutor(1) as beside,
        pq.ParquetWriter(
            stream,
            stored,
            compression="zstd",
            store_schema=True,
            use_dictionary=repeating,
            write_statistics=repeating,
        ) as writer,
    ):
        groups = _row_groups(table, partition, rows)
        for group in groups if rows.num_rows <= FEW_ROWS else one_ahead(groups):
            own = group.select(table.stored_names)
            if group.num_rows <= FEW_ROWS:
                content.update(group)
                writer.write_table(own, row_group_size=ROW_GROUP)
            else:
                hashed = beside.submit(content.update, group)
                writer.write_table(own, row_group_size=ROW_GROUP)
                hashed.result()
        found = content.hexdigest()
        described = json.dumps({**footer, "content_hash": found}, sort_keys=True, default=str)
        writer.add_key_value_metadata({FOOTER_KEY: described.encode()})
    return found


def _row_groups(table: Table, partition: str, rows: pa.Table | SortedRows) -> Iterator[pa.Table]:
    """The rows in pieces of ROW_GROUP, wherever the batches end, so that equal rows make equal files."""
    if isinstance(rows, pa.Table):
        ordered = conform(table, partition, rows)
        for first in range(0, ordered.num_rows, ROW_GROUP):
            yield ordered.slice(first, ROW_GROUP).combine_chunks()
        return
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in rows.to_batches():
        waiting.append(batch)
        count += batch.num_rows
        while count >= ROW_GROUP:
            together = pa.Table.from_batches(waiting)
            yield _typed(table, partition, together.slice(0, ROW_GROUP)).combine_chunks()
            waiting, count = together.slice(ROW_GROUP).to_batches(), count - ROW_GROUP
    if count:
        yield _typed(table, partition, pa.Table.from_batches(waiting)).combine_chunks()


@dataclass(frozen=True)
class _Place:
    """A file that is being written under another name; `keep` says that it is whole."""

    stream: BinaryIO
    keep: Callable[[], None]


@contextlib.contextmanager
def replacing(path: UPath) -> Iterator[_Place]:
    """Temporary name beside the place, fsync, rename: a reader sees the old file or the new one.

    What was not said to be kept leaves nothing. Temporary names of writers that were killed are
    passed over by readers, and removed by the next writer there that comes an hour later.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_left_ones(path.parent)
    kept: list[bool] = []
    temporary = path.parent / f".{path.name}.{uuid.uuid4().hex}.tmp"
    try:
        with temporary.open("wb") as stream:
            yield _Place(stream, lambda: kept.append(True))
            if kept and _is_local(path):
                stream.flush()
                os.fsync(stream.fileno())
        if kept and _is_local(path):
            os.replace(str(temporary), str(path))
            fsync_folder(Path(str(path.parent)))
        elif kept:
            temporary.rename(path)  # an object store shows an object only when it is complete
    finally:
        temporary.unlink(missing_ok=True)


def _remove_left_ones(folder: UPath) -> None:
    for entry in folder.iterdir():
        if entry.name.startswith(".") and entry.name.endswith(".tmp"):
            with contextlib.suppress(FileNotFoundError):
                if entry.stat().st_mtime < time.time() - LEFT_AFTER_S:
                    entry.unlink()


def _is_local(path: UPath) -> bool:
    return path.protocol in ("", "file")


def fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_file(path: UPath, table: Table, partition: str, names: list[str]) -> pa.Table:
    stored = [name for name in names if name in table.stored_names]
    try:
        with path.open("rb") as stream:
            file = pq.ParquetFile(stream)
            absent = absent_columns(path, table, partition, stored, file.schema_arrow.names)
            there = [name for name in stored if name not in absent]
            rows = file.read(columns=there).select(there).replace_schema_metadata(None)
    except (OSError, KeyError, ValueError) as error:
        raise damaged(path, table.name, partition, error) from error
    if table.partitioning in names:
        value = pa.scalar(table.partition_value(partition), table.column(table.partitioning).type)
        rows = rows.append_column(table.partitioning, pa.repeat(value, rows.num_rows))
    for name in absent:
        rows = rows.append_column(name, pa.nulls(rows.num_rows, table.column(name).type))
    schema = table.schema()
    return rows.select(names).cast(pa.schema([schema.field(name) for name in names]))
