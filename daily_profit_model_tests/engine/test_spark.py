"""The engine that is chosen, and how a text becomes Spark's. That both give the same is features/test_compare's."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from daily_profit_model.engine import Query, runner_of, spark
from daily_profit_model.engine.spark_sql import in_spark
from daily_profit_model.lake import Lake, LakeError
from daily_profit_model.tables import Column, Table
from daily_profit_model.tables.contract import DAY, INT

TABLE = Table("staging/numbers", "For tests.", ("date",), (Column("date", DAY, "Day"), Column("n", INT, "Number")))
DAYS = ["2026-03-01"]
SQL = "select date '2026-03-01' as date, 7::bigint as n"


def test_parameters_stand_in_the_text_as_values() -> None:
    text = in_spark(
        "select * from t where date >= $first_day and n < $most", {"first_day": date(2026, 3, 1), "most": 7}
    )
    assert text == "SELECT * FROM t WHERE date >= CAST('2026-03-01' AS DATE) AND n < 7"


def test_a_parameter_without_a_value_is_named() -> None:
    with pytest.raises(ValueError, match=r"\$most"):
        in_spark("select $most", {})


def test_the_weekday_begins_on_monday_and_instants_are_milliseconds() -> None:
    assert in_spark("select isodow(d), epoch_ms(t) from x", {}) == "SELECT (WEEKDAY(d) + 1), UNIX_MILLIS(t) FROM x"


def test_a_query_that_is_not_portable_runs_on_duckdb_whatever_engine_is_chosen(lake: Lake) -> None:
    ((day, rows),) = runner_of("spark", "spark://nowhere:1")(Query(SQL, ()), lake, TABLE, DAYS)
    assert (day, rows["n"].to_pylist()) == (DAYS[0], [7])


def test_without_pyspark_it_is_said_how_to_get_it(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtins, "__import__", _without_pyspark(builtins.__import__))
    spark._session.cache_clear()
    with pytest.raises(LakeError, match=r"uv sync --extra spark") as refused:
        list(runner_of("spark", "local[1]")(Query(SQL, (), is_portable=True), lake, TABLE, DAYS))
    assert "\n" not in str(refused.value)


def _without_pyspark(importing: Callable[..., Any]) -> Callable[..., Any]:
    def found(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("pyspark"):
            raise ImportError(name)
        return importing(name, *rest, **more)

    return found


def test_both_engines_give_the_contract_s_types(lake: Lake) -> None:
    ((_, rows),) = runner_of("duckdb", "")(Query(SQL, ()), lake, TABLE, DAYS)
    assert rows.schema == pa.schema([("date", DAY), ("n", INT)])
