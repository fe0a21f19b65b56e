"""The event log with open connections holds, row for row, what Dagster's own holds."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluation
from dagster._core.events import DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from daily_profit_model.defs.resources.event_log import RESULTS_AT_ONCE, PooledSqliteEventLogStorage

ASSET_CHECK_EVALUATION = DagsterEventType.ASSET_CHECK_EVALUATION
DAYS = dg.StaticPartitionsDefinition(["a", "b", "c"])
RESULTS = "asset_key, check_name, partition, run_id, execution_status, evaluation_event, evaluation_event_timestamp"
TARGETS = "evaluation_event_storage_id, materialization_event_storage_id"
EVENTS = "run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition"


@dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
def made() -> None:
    """Nothing."""


@dg.multi_asset_check(specs=[dg.AssetCheckSpec(name, asset="made", partitions_def=DAYS) for name in ("one", "two")])
def checks(context: dg.AssetCheckExecutionContext) -> Iterator[AssetCheckEvaluation | dg.Output[None]]:
    for day in context.op_execution_context.partition_keys:
        for name in ("one", "two"):
            yield AssetCheckEvaluation(
                asset_key=made.key,
                check_name=name,
                passed=day != "b",
                metadata={"observed": dg.MetadataValue.float(0.5)},
                partition=day,
            )
    yield from (dg.Output(None, f"made_{name}") for name in ("one", "two"))


@dg.asset_check(asset=made)
def of_no_partition() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


def told() -> list[EventLogEntry]:
    """What a run over a range and one without partitions tell an event log."""
    definitions = dg.Definitions([made], asset_checks=[checks, of_no_partition], executor=dg.in_process_executor)
    job = definitions.resolve_implicit_global_asset_job_def()
    tags = {"dagster/asset_partition_range_start": "a", "dagster/asset_partition_range_end": "c"}
    with dg.DagsterInstance.ephemeral() as instance:
        runs = [
            job.execute_in_process(
                instance=instance, tags=tags, asset_selection=[made.key], run_config={"loggers": {}}
            ),
            dg.Definitions(asset_checks=[of_no_partition], assets=[dg.AssetSpec("made")])
            .resolve_implicit_global_asset_job_def()
            .execute_in_process(instance=instance),
        ]
        instance.report_runless_asset_event(
            AssetCheckEvaluation(asset_key=made.key, check_name="one", passed=True, metadata={})
        )
        assert all(run.success for run in runs)
        return [entry for run in ("", *(run.run_id for run in runs)) for entry in instance.all_logs(run)]


def rows(storage: SqliteEventLogStorage, entries: list[EventLogEntry]) -> dict[str, list[tuple[object, ...]]]:
    """Everything that the databases hold after `entries`."""
    for entry in entries:
        storage.store_event(entry)
    found: dict[str, list[tuple[object, ...]]] = {}
    with storage.index_connection() as connection:
        for table, columns in {"event_logs": EVENTS, "asset_check_executions": f"{RESULTS}, {TARGETS}"}.items():
            selected = connection.exec_driver_sql(f"select {columns} from {table} order by id")
            found[table] = [tuple(row) for row in selected]
    for run in {entry.run_id for entry in entries if entry.run_id}:
        with storage.run_connection(run) as connection:
            found[run] = [tuple(row) for row in connection.exec_driver_sql(f"select {EVENTS} from event_logs")]
    return found


@pytest.mark.parametrize("planned", [True, False])
def test_what_a_run_tells_is_stored_as_by_dagsters_own_storage(tmp_path: Path, *, planned: bool) -> None:
    entries = [entry for entry in told() if planned or "PLANNED" not in str(entry.dagster_event_type)]
    with ExitStack() as stack:
        stock, pooled = (
            kind(str(tmp_path / kind.__name__)) for kind in (SqliteEventLogStorage, PooledSqliteEventLogStorage)
        )
        stack.callback(stock.dispose)
        stack.callback(pooled.dispose)
        expected = rows(stock, entries)
        assert len(expected["asset_check_executions"]) >= 7  # two checks of three partitions, and one without
        assert {row[4] for row in expected["asset_check_executions"]} >= {"SUCCEEDED", "FAILED"}
        assert rows(pooled, entries) == expected


def test_results_are_there_for_whoever_asks_next_and_after_every_hundredth_for_other_processes(tmp_path: Path) -> None:
    results = [entry for entry in told() if entry.run_id and entry.dagster_event_type == ASSET_CHECK_EVALUATION]
    with ExitStack() as stack:
        writer, other = (PooledSqliteEventLogStorage(str(tmp_path)) for _ in range(2))
        stack.callback(writer.dispose)
        stack.callback(other.dispose)

        def seen(storage: SqliteEventLogStorage) -> int:
            with storage.index_connection() as connection:
                return int(connection.exec_driver_sql("select count(*) from event_logs").scalar_one())

        for entry in islice(cycle(results), RESULTS_AT_ONCE + 3):
            writer.store_event(entry)
        assert seen(other) == RESULTS_AT_ONCE
        assert seen(writer) == seen(other) == RESULTS_AT_ONCE + 3
        writer.store_event(results[0])
        writer.dispose()
        assert seen(other) == RESULTS_AT_ONCE + 4


@pytest.mark.parametrize("refusing", ["the run's database", "the index"])
def test_results_that_could_not_be_stored_are_stored_once_by_whoever_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusing: str
) -> None:
    result = next(entry for entry in told() if entry.run_id and entry.dagster_event_type == ASSET_CHECK_EVALUATION)
    shard = result.run_id if refusing == "the run's database" else "index"
    with ExitStack() as stack:
        storage = PooledSqliteEventLogStorage(str(tmp_path))
        stack.callback(storage.dispose)
        whole = storage._transaction

        def full(asked: str) -> AbstractContextManager[Connection]:
            if asked == shard:
                raise OperationalError("insert", {}, Exception("database or disk is full"))
            return whole(asked)

        with monkeypatch.context() as disk:
            disk.setattr(storage, "_transaction", full)
            storage.store_event(result)
            storage.store_event(result)
            with pytest.raises(OperationalError, match="disk is full"), storage.index_connection():
                pass
        for connect in (storage.index_connection, partial(storage.run_connection, result.run_id)):
            with connect() as connection:
                assert connection.exec_driver_sql("select count(*) from event_logs").scalar_one() == 2


def test_the_event_log_looks_for_a_table_until_it_is_there(tmp_path: Path) -> None:
    with ExitStack() as stack:
        storage = PooledSqliteEventLogStorage(str(tmp_path))
        stack.callback(storage.dispose)
        assert [storage.has_table("asset_check_executions") for _ in range(2)] == [True, True]
        with storage.index_connection() as connection:
            assert not storage.has_table("late")
            connection.exec_driver_sql("create table late (id integer)")
        assert storage.has_table("late")
