"""The I/O manager: runs what an asset returns, stores it a file a partition, and says so in metadata.

How files are written belongs to `lake`, how SQL is run to `engine`; what rows mean to the assets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import dagster as dg
import pyarrow as pa

from daily_profit_model.defs.models.registry import hash_lookup, now_utc
from daily_profit_model.defs.resources import progress
from daily_profit_model.defs.resources.blocked import PartitionsBlocked, blocked, message
from daily_profit_model.engine import Query, Runner, Source, inputs_of, run_days
from daily_profit_model.lake import Lake, LakeError, PartitionFile, SortedRows, combined_hash, write, write_revision
from daily_profit_model.lake.changes import changes_of, revision_before
from daily_profit_model.lake.served import is_over, reopened, write_served
from daily_profit_model.lake.staleness import HashLookup
from daily_profit_model.quality.rule import Rule
from daily_profit_model.settings import load_settings
from daily_profit_model.tables import Table

if TYPE_CHECKING:
    import pandas as pd


DATA_VERSION_TAG = "dagster/data_version"

REPLACE_SERVED_TAG = "dpm/replace_served"
"""A run with this tag set to `true` replaces what was served; the versions before are kept beside."""


@dataclass(frozen=True)
class Fetched:
    """One day of a raw table as fetched: its rows, what is kept beside them, and counts for footer and metadata."""

    rows: pa.Table | SortedRows
    beside: Sequence[tuple[Table, pa.Table]] = ()
    """Tables without an asset of their own, such as the rejected rows."""
    facts: Mapping[str, object] = field(default_factory=dict)
    metadata: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadAgain:
    """One day of a raw table whose fetch was read again: the revision that was stored while that was done."""

    file: PartitionFile
    metadata: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Fetches:
    """Days of a raw table, each stored as soon as it arrives. None: the partition stays as it is."""

    days: Iterable[tuple[str, Fetched | ReadAgain | None]]


@dataclass(frozen=True)
class Made:
    """Partitions made in Python from `sources`, each stored as soon as it arrives."""

    days: Iterable[tuple[str, pa.Table | pd.DataFrame]]
    sources: Sequence[Source] = ()
    inputs: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    """Further inputs by partition, such as the model in force."""
    metadata: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Metadata by partition, plots for instance; filled while `days` is consumed."""


class LakeIOManager(dg.IOManager):
    """Stores Query, Made and Fetches; loading goes through the lake, so that a range is read once."""

    def __init__(
        self,
        lake: Lake,
        tables: Mapping[str, Table],
        run_days: Runner = run_days,
        *,
        rules: Mapping[str, Sequence[Rule]] | None = None,
        now: Callable[[], datetime] = now_utc,
    ) -> None:
        """`rules`: those of each table that has any."""
        self.lake = lake
        self.tables = tables
        self.run_days = run_days
        self._rules = rules or {}
        self._now = now

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        table = self.tables["/".join(context.asset_key.path)]
        partitions = list(context.asset_partition_keys)
        code_version = _code_version(context)
        started = time.monotonic()
        hashes = {}
        stored: dict[str, dict[str, Any]] = {}
        refused = blocked(self.lake, _sources(obj), partitions, {} if table.is_report else self._rules)
        wanted = [partition for partition in partitions if partition not in refused]
        force = context.step_context.dagster_run.tags.get(REPLACE_SERVED_TAG) == "true"
        for partition, file, more in self._stored(table, wanted, code_version, obj, force) if wanted else ():
            now = time.monotonic()
            stored[partition] = _metadata(file, now - started, more)
            context.step_context.add_asset_metadata(
                stored[partition], asset_key=context.asset_key, partition_key=partition
            )
            if "version_beside" in more:
                context.log.warning(
                    f"{table.name} of {partition} was served and stays; what was made now lies beside it, "
                    f"as version {more['version_beside']}"
                )
            hashes[partition] = file.content_hash
            progress.stored(table.name, partition, file.rows)
            started = now
        if refused:
            self._record(context, stored, hashes)
            raise PartitionsBlocked(message(table, refused))
        if missing := [partition for partition in partitions if partition not in hashes]:
            raise LakeError(f"{table.name}: nothing was made for {', '.join(missing[:5])}")
        version = next(iter(hashes.values())) if len(hashes) == 1 else combined_hash(hashes)
        context.step_context.set_data_version(context.asset_key, dg.DataVersion(version))

    def _record(
        self, context: dg.OutputContext, stored: Mapping[str, Mapping[str, Any]], hashes: Mapping[str, str]
    ) -> None:
        """Tell the graph of what a step has stored that fails for the sake of other partitions."""
        for partition, metadata in stored.items():
            made = dg.AssetMaterialization(
                context.asset_key,
                partition=partition,
                metadata={**metadata, "run": context.run_id},
                tags={DATA_VERSION_TAG: hashes[partition]},
            )
            context.step_context.instance.report_runless_asset_event(made)

    def load_input(self, context: dg.InputContext) -> pa.Table:
        from daily_profit_model.lake import read

        table = self.tables["/".join(context.asset_key.path)]
        return read(self.lake, table, list(context.asset_partition_keys))

    def _stored(
        self, table: Table, partitions: Sequence[str], code_version: str, obj: object, force: bool
    ) -> Iterator[tuple[str, PartitionFile, Mapping[str, Any]]]:
        if isinstance(obj, Query):
            yield from self._store_query(table, partitions, code_version, obj, force)
        elif isinstance(obj, Fetches):
            yield from self._store_fetches(table, code_version, obj)
        elif isinstance(obj, Made):
            hashes = HashLookup(self.lake)
            read_now = {partition: inputs_of(obj.sources, partition, hashes) for partition in partitions}
            for partition, rows in obj.days:
                if partition not in read_now:
                    continue  # blocked: its rows come from what must not be used
                inputs = {**read_now[partition], **obj.inputs.get(partition, {})}
                file, more = self._write(table, partition, _arrow(rows), code_version, inputs, force)
                # what is said of rows that do not count would be taken for the partition's
                own = {} if "version_beside" in more else obj.metadata.get(partition, {})
                yield partition, file, {**own, **more}
        else:
            raise TypeError(f"{table.name}: an asset returns Query, Made or Fetches, not {type(obj).__name__}")

    def _store_query(
        self, table: Table, partitions: Sequence[str], code_version: str, query: Query, force: bool
    ) -> Iterator[tuple[str, PartitionFile, Mapping[str, Any]]]:
        chunks = [[partition] for partition in partitions] if query.fold else [list(partitions)]
        hashes = HashLookup(self.lake)
        for chunk in chunks:
            # before they are read: what is replaced meanwhile must look replaced, not read
            inputs = {partition: inputs_of(query.sources, partition, hashes) for partition in chunk}
            for partition, rows in self.run_days(query, self.lake, table, chunk):
                file, more = self._write(table, partition, rows, code_version, inputs[partition], force)
                hashes.learn(table.name, partition, file.content_hash)
                yield partition, file, more

    def _write(
        self,
        table: Table,
        partition: str,
        rows: pa.Table,
        code_version: str,
        inputs: Mapping[str, str | None],
        force: bool,
    ) -> tuple[PartitionFile, Mapping[str, Any]]:
        """The partition that counts now, and what its metadata say of another version of it."""
        if not table.is_served:
            return write(self.lake, table, partition, rows, code_version=code_version, inputs=inputs), {}
        served = {other.name for other in self.tables.values() if other.is_served}

        def may_replace(before: PartitionFile) -> bool:
            return (
                force
                or not is_over(partition, self._now().date())
                or bool(reopened(before, hash_lookup(self.lake), served))
            )

        stored = write_served(
            self.lake, table, partition, rows, code_version=code_version, inputs=inputs, may_replace=may_replace
        )
        if stored.other is None:
            return stored.file, {}
        older, newer = (stored.other, stored.file) if stored.is_replaced else (stored.file, stored.other)
        what = "replaced_version" if stored.is_replaced else "version_beside"
        changes = changes_of(self.lake, table, older, newer).metadata()
        return stored.file, {what: stored.other.content_hash, **changes}

    def _store_fetches(
        self, table: Table, code_version: str, fetches: Fetches
    ) -> Iterator[tuple[str, PartitionFile, Mapping[str, Any]]]:
        for partition, fetched in fetches.days:
            if fetched is None:
                file = self.lake.describe(table.name, partition, "newest")
                if file is None:
                    raise LakeError(f"{table.name} of {partition} is not there, though it was said to be complete")
                yield partition, file, {"revision_stored": False}
                continue
            if isinstance(fetched, ReadAgain):
                changes = self._changes(table, fetched.file)
                yield partition, fetched.file, {**fetched.metadata, **changes, "revision_stored": True}
                continue
            now = self._now()
            for table_beside, rows in fetched.beside:
                # first: where a revision is, what it left out is already kept
                write_revision(self.lake, table_beside, partition, rows, ingested_at=now, code_version=code_version)
            file, stored = write_revision(
                self.lake,
                table,
                partition,
                fetched.rows,
                ingested_at=now,
                code_version=code_version,
                facts=fetched.facts,
            )
            changes = self._changes(table, file) if stored else {}
            yield partition, file, {**fetched.facts, **fetched.metadata, **changes, "revision_stored": stored}

    def _changes(self, table: Table, file: PartitionFile) -> Mapping[str, object]:
        older = revision_before(self.lake, file)
        return {} if older is None else changes_of(self.lake, table, older, file).metadata()


def _sources(obj: object) -> Sequence[Source]:
    return obj.sources if isinstance(obj, (Query, Made)) else ()


def _arrow(rows: pa.Table | pd.DataFrame) -> pa.Table:
    return rows if isinstance(rows, pa.Table) else pa.Table.from_pandas(rows, preserve_index=False)


def _code_version(context: dg.OutputContext) -> str:
    version = context.step_context.job_def.asset_layer.get(context.asset_key).code_version
    return version or "unversioned"


def _metadata(file: PartitionFile, seconds: float, more: Mapping[str, Any]) -> dict[str, Any]:
    facts = {
        "dagster/row_count": file.rows,
        "bytes": file.bytes,
        "seconds": round(seconds, 3),
        "content_hash": file.content_hash,
        "path": dg.MetadataValue.path(str(file.path)),
        **more,
    }
    return {name: value for name, value in facts.items() if value is not None}


@dg.resource(description="The lake: partitions as Parquet files")
def lake_resource(_: dg.InitResourceContext) -> Lake:
    return Lake(load_settings().lake_root)
