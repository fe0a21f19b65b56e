"""Dagster's SQLite event log with connections that stay open: the same files, 10 times cheaper events.

The stock storage opens and closes a connection per statement, and closing the last connection of a
WAL database checkpoints it to disk, so that every event costs some 50 ms. Here a connection a database
stays open, and a commit waits for the operating system instead of the disk (PRAGMA synchronous=NORMAL:
a killed process loses nothing, a power cut at most the newest events; data lie in the lake, fsynced).

Results of checks are the most of all events: 200 rules over 60 days are 12,000. The stock storage makes
the text of each three times, its statements anew and four transactions, and the text of a planned check
once a partition. Here texts and statements are made once, and results are stored RESULTS_AT_ONCE together.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dagster._core.events import DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import bindparam, create_engine
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.event import listen
from sqlalchemy.pool import QueuePool

OPEN_SHARDS = 8
"""Databases kept open at once: the index and the newest runs'."""
RESULTS_AT_ONCE = 100
"""Results of checks stored together. Other processes see them that much later, and a killed one loses as many,
of a step that has not succeeded."""

_EXECUTIONS = AssetCheckExecutionsTable.c
_EVALUATED = (
    AssetCheckExecutionsTable.update()
    .where(
        _EXECUTIONS.asset_key == bindparam("of_asset_key"),
        _EXECUTIONS.check_name == bindparam("of_check_name"),
        _EXECUTIONS.run_id == bindparam("of_run_id"),
        _EXECUTIONS.partition.is_not_distinct_from(bindparam("of_partition")),
    )
    .values(
        {
            name: bindparam(name)
            for name in (
                "execution_status",
                "evaluation_event",
                "evaluation_event_timestamp",
                "evaluation_event_storage_id",
                "materialization_event_storage_id",
            )
        }
    )
)
"""What was planned for a check, run and partition becomes what the check said."""


class PooledSqliteEventLogStorage(SqliteEventLogStorage):
    """`SqliteEventLogStorage` that keeps the connections of its newest databases."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._tables_seen: set[str] = set()
        self._waiting: list[tuple[EventLogEntry, dict[str, Any]]] = []
        self._not_in_index: list[tuple[EventLogEntry, dict[str, Any]]] = []
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> PooledSqliteEventLogStorage:
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        """A transaction. Results that wait are stored before it, so that whoever asks here finds them."""
        with self._db_lock:
            self._store_results()
            with self._transaction(shard) as connection:
                yield connection

    @contextmanager
    def _transaction(self, shard: str) -> Iterator[Connection]:
        with self._engine(shard).connect() as connection, connection.begin():
            yield connection

    def _engine(self, shard: str) -> Engine:
        """The open engine of a shard. Called under the lock, so one connection a shard is enough."""
        if shard in self._engines:
            self._engines.move_to_end(shard)
            return self._engines[shard]
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=2,  # setting up a database opens a second one
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        )
        listen(engine, "connect", _do_not_wait_for_the_disk)
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        self._engines[shard] = engine
        while len(self._engines) > OPEN_SHARDS:
            self._engines.popitem(last=False)[1].dispose()
        return engine

    def store_event(self, event: EventLogEntry) -> None:
        """The result of a run's check waits for more of them; any other event is stored at once, after them."""
        if event.dagster_event_type != DagsterEventType.ASSET_CHECK_EVALUATION or not event.run_id:
            super().store_event(event)
            return
        row = self._event_to_row(event)  # what cannot be written as text is told of the event that it is
        with self._db_lock:
            self._waiting.append((event, row))
            if len(self._waiting) >= RESULTS_AT_ONCE:
                self._store_results()

    def _store_results(self) -> None:
        """Store what waits, in one transaction a database. Called under the lock.

        What fails to be stored (a full disk, a database that others hold) waits on, and whoever comes next tries again.
        """
        for run in dict.fromkeys(row["run_id"] for _, row in self._waiting):
            of_run = [(event, row) for event, row in self._waiting if row["run_id"] == run]
            with self._transaction(run) as connection:
                connection.execute(SqlEventLogStorageTable.insert(), [row for _, row in of_run])
            self._not_in_index += of_run
            self._waiting = [(event, row) for event, row in self._waiting if row["run_id"] != run]
        if not self._not_in_index:
            return
        with self._transaction(INDEX_SHARD_NAME) as connection:
            for event, row in self._not_in_index:
                stored = connection.execute(SqlEventLogStorageTable.insert(), row)
                of, result = _execution(event, row, stored.lastrowid)
                planned = connection.execute(_EVALUATED, {**result, **{f"of_{name}": of[name] for name in of}})
                if not planned.rowcount:
                    connection.execute(AssetCheckExecutionsTable.insert(), {**of, **result})
        self._not_in_index = []

    def _store_asset_check_evaluation_planned(self, event: EventLogEntry, event_id: int | None) -> None:
        planned: Any = event.get_dagster_event().event_specific_data
        partitions = planned.partitions_subset.get_partition_keys() if planned.partitions_subset else [None]
        row = self._event_to_row(event)
        same = {
            "asset_key": planned.asset_key.to_string(),
            "check_name": planned.check_name,
            "run_id": event.run_id,
            "execution_status": AssetCheckExecutionRecordStatus.PLANNED.value,
            "evaluation_event": row["event"],
            "evaluation_event_timestamp": row["timestamp"],
            "evaluation_event_storage_id": event_id,
        }
        with self.index_connection() as connection:
            rows = [{**same, "partition": partition} for partition in partitions]
            connection.execute(AssetCheckExecutionsTable.insert(), rows)

    def has_table(self, table_name: str) -> bool:
        """A table that is there stays. Dagster asks for every check result, over a connection of its own,
        which is a third of what storing the result takes."""
        if table_name not in self._tables_seen and super().has_table(table_name):
            self._tables_seen.add(table_name)
        return table_name in self._tables_seen

    def dispose(self) -> None:
        with self._db_lock:
            self._store_results()
        while self._engines:
            self._engines.popitem()[1].dispose()
        super().dispose()


def _do_not_wait_for_the_disk(connection: Any, _: object) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")


def _execution(event: EventLogEntry, row: Mapping[str, Any], event_id: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of which check, run and partition an event is the result, and what it says."""
    said: Any = event.get_dagster_event().event_specific_data
    target = said.target_materialization_data
    status = AssetCheckExecutionRecordStatus.SUCCEEDED if said.passed else AssetCheckExecutionRecordStatus.FAILED
    of = {
        "asset_key": said.asset_key.to_string(),
        "check_name": said.check_name,
        "run_id": event.run_id,
        "partition": said.partition,
    }
    result = {
        "execution_status": status.value,
        "evaluation_event": row["event"],
        "evaluation_event_timestamp": row["timestamp"],
        "evaluation_event_storage_id": event_id,
        "materialization_event_storage_id": target.storage_id if target else None,
    }
    return of, result
