"""Run a query on DuckDB over the lake, a stretch of days at a time. Nothing here knows what the tables mean."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from daily_profit_model.engine.inputs import Inputs
from daily_profit_model.engine.query import WANTED, Query
from daily_profit_model.engine.sweep import Statement, read_for, sweep
from daily_profit_model.lake import Lake, LakeError
from daily_profit_model.lake.ahead import one_ahead
from daily_profit_model.lake.reach import reach
from daily_profit_model.lake.scratch import new_database, session_on
from daily_profit_model.tables import Table

MEMORY_LIMIT_MB = min(5_000, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2_000_000)
"""Of this process's database, which spills beyond it: at most half of a small machine's memory."""

warnings.filterwarnings("ignore", "Arrow output on a DB-API result makes an extra copy", UserWarning)
"""It is made on purpose where `copies` says so."""

ROWS_AT_ONCE = 300_000
"""Rows of the first source that a statement is given: enough to be worth its planning, few enough for memory."""


def run(query: Query, lake: Lake, partitions: Sequence[str], *, copies: bool = False) -> pa.Table:
    """The rows of `query` for the given output partitions (ascending days).

    `copies`: the rows are few, so that to copy them takes less than to plan the statement twice, as DuckDB does where
    it hands them out without a copy. Raises MissingInput when a source lacks a day that it must have.
    """
    return pa.concat_tables([rows for _, rows in _stretches(query, lake, partitions, copies=copies)])


def run_table(query: Query, lake: Lake, table: Table, partitions: Sequence[str]) -> dict[str, pa.Table]:
    """The rows of `query` cut into the output's partitions, each in the contract's columns."""
    return dict(run_days(query, lake, table, partitions))


def run_days(query: Query, lake: Lake, table: Table, partitions: Sequence[str]) -> Iterator[tuple[str, pa.Table]]:
    """The partitions of `query` in their order, each as soon as it is made, in the contract's columns.

    Memory holds two stretches of days, however many `partitions` there are: one is made while the other is used.
    """
    for days, rows in one_ahead(_stretches(query, lake, partitions)):
        yield from _cut(rows.select(table.column_names).cast(table.schema()), table, days)


def _stretches(
    query: Query, lake: Lake, partitions: Sequence[str], *, copies: bool = False
) -> Iterator[tuple[list[str], pa.Table]]:
    """Some partitions after the other, with their rows."""
    inputs = Inputs(lake, query.sources, partitions)
    outputs = [date.fromisoformat(partition).toordinal() for partition in partitions]
    with session_on(_database()) as session:
        reach(session, lake)
        for name, frame in query.frames.items():
            session.register(name, frame)
        kept = _Kept(session, read_for(query))
        for statements in sweep(query, outputs, inputs.days_of(ROWS_AT_ONCE)):
            kept.forget(before=min(statement.days[0] for statement in statements))
            for statement in statements:
                rows = _made(session, inputs, query, statement, kept, copies=copies)
                if rows is not None:
                    yield [date.fromordinal(day).isoformat() for day in statement.days], rows


def _made(
    session: duckdb.DuckDBPyConnection,
    inputs: Inputs,
    query: Query,
    statement: Statement,
    kept: _Kept,
    *,
    copies: bool,
) -> pa.Table | None:
    """The rows of the output's own statement; those of a stage are kept."""
    parameters = _prepare(session, inputs, query, statement)
    try:
        if statement.is_output:
            return _rows(session, statement.stage.sql, parameters, copies=copies)
        kept.add(statement, parameters)
        return None
    except duckdb.InvalidInputException as error:  # so DuckDB says that a file lacks a column of the first one
        reads = sorted(statement.stage.reads)
        if inputs.read_by_name(*reads):
            return _made(session, inputs, query, statement, kept, copies=copies)
        raise LakeError(f"a statement over {', '.join(reads)} failed: {' '.join(str(error).split())}") from error


def _rows(session: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, Any], *, copies: bool) -> pa.Table:
    if not copies:
        return session.sql(sql, params=parameters).to_arrow_table()
    session.execute(sql, parameters)
    return session.to_arrow_table()


def _prepare(
    session: duckdb.DuckDBPyConnection, inputs: Inputs, query: Query, statement: Statement
) -> Mapping[str, Any]:
    """Creates the views of the sources that a statement reads, and returns the parameters that it names."""
    days = [date.fromordinal(day) for day in statement.days]
    session.register(WANTED, pa.table({"date": pa.array(days, pa.date32())}))
    for name, lags in statement.stage.reads.items():
        inputs.show(session, name, sorted({day - lag for day in statement.days for lag in lags}))
    parameters = {"first_day": days[0], "last_day": days[-1], **query.parameters}
    return {name: value for name, value in parameters.items() if f"${name}" in statement.stage.sql}


class _Kept:
    """The stages' rows in memory: a table for each statement, and a view over those of one stage."""

    def __init__(self, session: duckdb.DuckDBPyConnection, read_for_days: Mapping[str, int]) -> None:
        self._session = session
        self._read_for_days = read_for_days
        self._tables: dict[str, list[tuple[str, int]]] = {}
        self._made = 0

    def add(self, statement: Statement, parameters: Mapping[str, Any]) -> None:
        """Make the days of a statement and keep them."""
        stage = statement.stage
        self._made += 1
        name = f"{stage.name}_made_{self._made}"
        self._session.execute(f"create temp table {name} as {stage.sql}", parameters).fetchall()
        self._tables.setdefault(stage.name, []).append((name, statement.days[-1]))
        self._show(stage.name)

    def forget(self, before: int) -> None:
        """Drop the tables of which no statement for `before` and later days reads a day."""
        for stage, tables in self._tables.items():
            old = [name for name, last in tables if last + self._read_for_days[stage] < before]
            if old:
                self._tables[stage] = [(name, last) for name, last in tables if name not in old]
                self._show(stage)
                for name in old:
                    self._session.execute(f"drop table {name}").fetchall()

    def _show(self, stage: str) -> None:
        tables = [name for name, _ in self._tables[stage]]
        if not tables:
            return
        union = " union all ".join(f"from {name}" for name in tables)
        self._session.execute(f"create or replace temp view {stage} as {union}").fetchall()


def _cut(rows: pa.Table, table: Table, partitions: Sequence[str]) -> Iterator[tuple[str, pa.Table]]:
    by_day = [table.day_column, *(name for name in table.key if name != table.day_column)]
    ordered = rows.sort_by([(name, "ascending") for name in by_day])
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
    yield from cut.items()


@functools.cache
def _database() -> duckdb.DuckDBPyConnection:
    return new_database(f"{MEMORY_LIMIT_MB}MB")
