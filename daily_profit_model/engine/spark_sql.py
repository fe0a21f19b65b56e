"""A SQL text of this repository in Spark's dialect. sqlglot translates; here is what it does not know.

The texts are DuckDB's; what they may use is what both engines compute alike. Running them belongs to `spark`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlglot
from sqlglot import exp

MACROS = (
    "create or replace temporary function list_median(items array<double>) returns double "
    "return (select percentile(item, 0.5) from explode(items) as exploded(item))",
)
"""Definitions of the functions that Spark lacks."""


def in_spark(sql: str, parameters: Mapping[str, object]) -> str:
    """`sql` for Spark, with the values of its parameters in it. Raises ValueError for a parameter without a value."""
    tree = _parsed(sql).transform(_rewritten)
    for parameter in list(tree.find_all(exp.Placeholder, exp.Parameter)):
        if parameter.name not in parameters:
            raise ValueError(f"the SQL text asks for ${parameter.name}, which has no value")
        parameter.replace(_literal(parameters[parameter.name]))
    return str(tree.sql(dialect="spark", unsupported_level=sqlglot.ErrorLevel.RAISE, comments=False))


@functools.cache
def _parsed(sql: str) -> Any:
    return sqlglot.parse_one(sql, read="duckdb")


def _rewritten(node: Any) -> Any:
    if isinstance(node, exp.UnixToTime):  # epoch_ms of a timestamp, which sqlglot takes for its reverse
        return exp.func("unix_millis", node.this)
    if isinstance(node, exp.DayOfWeekIso):  # Monday is 1; Spark's weekday counts from 0
        return exp.paren(exp.func("weekday", node.this) + 1)
    return node


def _literal(value: Any) -> Any:
    if isinstance(value, date):
        return exp.cast(exp.Literal.string(value.isoformat()), "date")
    return exp.convert(value)
