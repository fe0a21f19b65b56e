"""Write a partition whole or not at all, and read it back. Which file counts is decided in `lake`."""

from __future__ import annotations

import io
import json
import os
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from upath import UPath

from daily_profit_model.lake.content_hash import content_hash
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
    folder = lake.partition_folder(table.name, partition, table.partitioning)
    return _store(folder / SINGLE_FILE, table, partition, rows, code_version, inputs or {}, facts or {})


def write_revision(
    lake: Lake,
    table: Table,
    partition: str,
    rows: pa.Table,
    *,
    ingested_at: datetime,
    code_version: str,
    facts: Mapping[str, object] | None = None,
) -> tuple[PartitionFile, bool]:
    """Append a complete fetch as a revision, unless it equals the newest one.

    Returns the revision that now is the newest and whether it was stored by this call.
    """
    ordered = conform(table, partition, rows)
    newest = _newest_or_aside(lake, table.name, partition)
    if newest is not None and newest.content_hash == content_hash(ordered):
        return newest, False
    stamp = ingested_at.astimezone(UTC).strftime(REVISION_FORMAT)
    path = lake.partition_folder(table.name, partition, table.partitioning) / f"revision={stamp}.parquet"
    kept = {"ingested_at": ingested_at.astimezone(UTC).isoformat(), **(facts or {})}
    return _store(path, table, partition, ordered, code_version, {}, kept), True


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
    present = set(rows.column_names)
    if missing := [name for name in table.column_names if name not in present]:
        raise LakeError(f"{table.name} of {partition}: columns missing: {', '.join(missing)}")
    try:
        typed = rows.select(table.column_names).cast(table.schema())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise LakeError(f"{table.name} of {partition}: rows do not fit the contract: {error}") from error
    if table.partitioning != "none":
        own = pa.scalar(date.fromisoformat(partition), pa.date32())
        foreign = pc.sum(pc.cast(pc.invert(pc.equal(typed[table.day_column], own)), pa.int64())).as_py()
        if foreign:
            raise LakeError(f"{table.name} of {partition}: {foreign} rows belong to another partition")
    return typed.sort_by([(name, "ascending") for name in table.key]) if typed.num_rows > 1 else typed


def _store(
    path: UPath,
    table: Table,
    partition: str,
    rows: pa.Table,
    code_version: str,
    inputs: Mapping[str, str | None],
    facts: Mapping[str, object],
) -> PartitionFile:
    ordered = conform(table, partition, rows)
    footer = {
        "table": table.name,
        "partition": partition,
        "contract_version": table.version,
        "content_hash": content_hash(ordered),
        "code_version": code_version,
        "inputs": dict(sorted(inputs.items())),
        "facts": dict(facts),
    }
    stored = ordered.select(table.stored_names)
    encoded = json.dumps(footer, sort_keys=True, default=str).encode()
    stored = stored.replace_schema_metadata({FOOTER_KEY: encoded})
    _replace(path, stored)
    return describe_file(path, table.name, partition)


def _replace(path: UPath, rows: pa.Table) -> None:
    """Temporary name beside the place, fsync, rename: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    pq.write_table(rows, buffer, compression="zstd", store_schema=True)
    if path.protocol not in ("", "file"):
        path.write_bytes(buffer.getvalue())  # an object store shows an object only when it is complete
        return
    place = Path(str(path))
    temporary = place.with_name(f".{place.name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "wb") as stream:
            stream.write(buffer.getbuffer())
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, place)
    finally:
        temporary.unlink(missing_ok=True)
    _fsync_folder(place.parent)


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_file(path: UPath, table: Table, partition: str, names: list[str]) -> pa.Table:
    stored = [name for name in names if name in table.stored_names]
    try:
        with path.open("rb") as stream:
            rows = pq.ParquetFile(stream).read(columns=stored).select(stored).replace_schema_metadata(None)
    except (OSError, KeyError, ValueError) as error:
        raise damaged(path, table.name, partition, error) from error
    if table.partitioning in names:
        own = pa.repeat(pa.scalar(date.fromisoformat(partition), pa.date32()), rows.num_rows)
        rows = rows.append_column(table.partitioning, own)
    schema = pa.schema([table.schema().field(name) for name in names])
    return rows.select(names).cast(schema)
