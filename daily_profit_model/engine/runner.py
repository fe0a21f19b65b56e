"""Which engine runs a query. Both take and give the same."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Protocol

import pyarrow as pa

from daily_profit_model.engine.query import Query
from daily_profit_model.engine.run import run_days
from daily_profit_model.lake import Lake
from daily_profit_model.tables import Table


class Runner(Protocol):
    """Makes the partitions of a query in their order, in the contract's columns."""

    def __call__(
        self, query: Query, lake: Lake, table: Table, partitions: Sequence[str]
    ) -> Iterator[tuple[str, pa.Table]]: ...


def runner_of(engine: str, spark_master: str) -> Runner:
    """The runner of an engine, `duckdb` or `spark`. Spark takes the portable queries and is loaded with the first."""
    return functools.partial(_on_spark, master=spark_master) if engine == "spark" else run_days


def _on_spark(
    query: Query, lake: Lake, table: Table, partitions: Sequence[str], *, master: str
) -> Iterator[tuple[str, pa.Table]]:
    if not query.is_portable:
        return run_days(query, lake, table, partitions)
    from daily_profit_model.engine import spark

    return spark.run_days(query, lake, table, partitions, master=master)
