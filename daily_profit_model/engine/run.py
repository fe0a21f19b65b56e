"""Run a query on DuckDB over the lake. Nothing here knows what the tables mean."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import date

import duckdb
import numpy as np
import pyarrow as pa

from daily_profit_model.engine.query import MissingInput, Query, Source
from daily_profit_model.lake import Lake, LakeError
from daily_profit_model.lake.reach import reach
from daily_profit_model.tables import Table


def run(query: Query, lake: Lake, partitions: Sequence[str]) -> pa.Table:
    """The rows of `query` for the given output partitions (ascending days).

    Raises MissingInput when a source lacks a day that it must have.
    """
    bounds = {"first_day": date.fromisoformat(partitions[0]), "last_day": date.fromisoformat(partitions[-1])}
    with _session() as connection:
        reach(connection, lake)
        for source in query.sources:
            _create_view(connection, lake, source, partitions)
        for name, frame in query.frames.items():
            connection.register(name, frame)
        wanted = {name: value for name, value in {**bounds, **query.parameters}.items() if f"${name}" in query.sql}
        return connection.sql(query.sql, params=wanted).to_arrow_table()


def run_table(query: Query, lake: Lake, table: Table, partitions: Sequence[str]) -> dict[str, pa.Table]:
    """The rows of `query` cut into the output's partitions, each in the contract's columns."""
    rows = run(query, lake, partitions).select(table.column_names).cast(table.schema())
    ordered = rows.sort_by(table.day_column)
    days = ordered[table.day_column].to_numpy()
    cut = {}
    for partition in partitions:
        day = np.datetime64(partition)
        first, last = np.searchsorted(days, day, "left"), np.searchsorted(days, day, "right")
        cut[partition] = ordered.slice(first, last - first)
    if (kept := sum(part.num_rows for part in cut.values())) != rows.num_rows:
        raise LakeError(
            f"{table.name}: {rows.num_rows - kept} rows belong to none of {partitions[0]} … {partitions[-1]}"
        )
    return cut


@functools.cache
def _scratch() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={"autoinstall_known_extensions": False})


def _session() -> duckdb.DuckDBPyConnection:
    """A session of its own on this process's scratch database: opening a database takes 25 ms, a session none.

    Temporary views and registered frames are seen by their session alone, so threads do not meet.
    """
    session = _scratch().cursor()
    session.execute("set timezone = 'UTC'")
    return session


def _create_view(connection: duckdb.DuckDBPyConnection, lake: Lake, source: Source, partitions: Sequence[str]) -> None:
    files = []
    for day in source.days_of_range(partitions):
        path = lake.file(source.table.name, day, source.as_known)
        if path is not None:
            files.append(str(path))
        elif not source.optional and _must_be_there(source, day, lake.partitions(source.table.name), partitions):
            raise MissingInput(
                f"{source.table.name} of {day} is missing, and {partitions[0]} … {partitions[-1]} needs it; "
                f"fill it first: dpm run --start-date {day} --end-date {day}"
            )
    if not files:
        connection.register(source.view, source.table.schema().empty_table())
        return
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    hive = source.table.partitioning
    typed = f", hive_partitioning = true, hive_types = {{'{hive}': date}}" if hive != "none" else ""
    try:
        connection.execute(
            f"create temp view {source.view} as select {', '.join(source.table.column_names)} "
            f"from read_parquet([{listed}]{typed})"
        )
    except duckdb.Error as error:
        reason = " ".join(str(error).split())
        raise LakeError(
            f"{source.table.name} cannot be read ({reason}); delete the file and fill the day again"
        ) from error


def _must_be_there(source: Source, day: str, present: Sequence[str], partitions: Sequence[str]) -> bool:
    """A history may begin late, but it has no gap; an output's own day is no history."""
    if not present:
        return not source.is_own_past
    return day >= present[0] or (day in partitions and not source.is_own_past)
