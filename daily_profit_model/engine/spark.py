"""Run a query on Spark over the lake: the same texts as `run`, the same partitions in and out.

A stage is made for all of its days at once and stays with Spark, which spills; the rows of one day at a time come
to this process, which stores them as it stores DuckDB's.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from daily_profit_model.engine.inputs import Inputs
from daily_profit_model.engine.query import WANTED, Query, Stage
from daily_profit_model.engine.sweep import needs
from daily_profit_model.lake import Lake, LakeError
from daily_profit_model.lake.grown import is_kept
from daily_profit_model.lake.scratch import folder
from daily_profit_model.tables import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def run_days(
    query: Query, lake: Lake, table: Table, partitions: Sequence[str], *, master: str
) -> Iterator[tuple[str, pa.Table]]:
    """The partitions of `query` in their order, in the contract's columns, made by the cluster at `master`.

    Raises MissingInput when a source lacks a day that it must have, LakeError when Spark is not installed or fails.
    """
    session = _session(master)
    from pyspark.errors import PySparkException

    try:
        yield from _run(session, query, lake, table, partitions)
    except PySparkException as error:
        raise LakeError(f"{table.name}: Spark failed: {' '.join(str(error).split())[:500]}") from error


def _run(
    session: SparkSession, query: Query, lake: Lake, table: Table, partitions: Sequence[str]
) -> Iterator[tuple[str, pa.Table]]:
    inputs = Inputs(lake, query.sources, partitions)
    outputs = [date.fromisoformat(partition).toordinal() for partition in partitions]
    needed = needs(query, outputs)
    for source in query.sources:
        _stored(session, inputs, source.view, source.table).createOrReplaceTempView(source.view)
    for name, frame in query.frames.items():
        session.createDataFrame(frame).createOrReplaceTempView(name)
    for stage in query.stages:
        _made(session, query, stage, sorted(needed[stage.name])).createOrReplaceTempView(stage.name)
    rows = _made(session, query, query.final, outputs)
    days = [date.fromisoformat(partition) for partition in partitions]
    if foreign := rows.where(~rows[table.day_column].isin(days)).count():
        raise LakeError(f"{table.name}: {foreign} rows belong to none of {partitions[0]} … {partitions[-1]}")
    for partition, day in zip(partitions, days, strict=True):
        own = rows.where(rows[table.day_column] == day).toArrow()
        yield partition, own.select(table.column_names).cast(table.schema())


def _made(session: SparkSession, query: Query, stage: Stage, days: Sequence[int]) -> DataFrame:
    from daily_profit_model.engine.spark_sql import in_spark

    wanted = [(date.fromordinal(day),) for day in days]
    session.createDataFrame(wanted, "date date").createOrReplaceTempView(WANTED)
    values = {"first_day": wanted[0][0], "last_day": wanted[-1][0], **query.parameters}
    # made here and now, as its days are, and without the plan that led to it: plans of stages over stages multiply
    return session.sql(in_spark(stage.sql, values)).localCheckpoint()


def _stored(session: SparkSession, inputs: Inputs, view: str, table: Table) -> DataFrame:
    files = inputs.files(view)
    if not files:
        return session.createDataFrame(table.schema().empty_table())
    if table.partitioning == "none":
        return session.read.parquet(*files).select(table.column_names)
    absent = inputs.absent_columns(view) if is_kept(table) else ()
    reader = session.read.option("basePath", str(inputs.folder(table))).option("mergeSchema", bool(absent))
    rows = reader.parquet(*files)
    if absent:  # from some files or from all of them
        contract = session.createDataFrame(table.schema().empty_table())
        rows = rows.unionByName(contract.select(sorted(absent)), allowMissingColumns=True)
    return rows.withColumn(table.partitioning, rows[table.partitioning].cast("date")).select(table.column_names)


@functools.cache
def _session(master: str) -> Any:
    """The session of this process. Raises LakeError when Spark is not installed."""
    try:
        from pyspark.sql import SparkSession

        from daily_profit_model.engine.spark_sql import MACROS
    except ImportError as error:
        raise LakeError(
            "DPM_ENGINE=spark needs pyspark, sqlglot and Java 17: uv sync --extra spark installs the first two"
        ) from error
    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # projections that are merged repeat what they share, and a window's columns are merged dozens of times
        "spark.sql.optimizer.excludedRules": "org.apache.spark.sql.catalyst.optimizer.CollapseProject",
        "spark.sql.codegen.wholeStage": "false",
    }
    if master.startswith("local"):
        settings |= {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
        settings |= {"spark.sql.shuffle.partitions": "8"}
        # not where the process was started
        settings |= {"spark.local.dir": str(folder()), "spark.sql.warehouse.dir": str(folder() / "warehouse")}
    builder = SparkSession.builder.appName("daily-profit-model").master(master)
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("FATAL")
    for macro in MACROS:
        session.sql(macro)
    return session
