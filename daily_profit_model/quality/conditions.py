"""SQL that names what is wrong with a row, so that a family of statements is one column and one expectation.

The expectation is `absent`: nothing is named; a violating row's sample shows the names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from daily_profit_model.engine import Source
from daily_profit_model.quality.frame import newest
from daily_profit_model.tables import Table
from daily_profit_model.tables.contract import FLOAT

CENT = 0.01
"""USD. Money is rounded to it, and a sum of numbers that are off by half of it each may be off by a few."""

HASH = "^[0-9a-f]{64}$"
"""A full sha256, hexadecimal."""


def named(wrong: Mapping[str, str]) -> str:
    """SQL: the names whose condition holds, joined by commas; null: none. A condition of null does not hold."""
    cases = ", ".join(f"case when {condition} then '{name}' end" for name, condition in wrong.items())
    return f"nullif(concat_ws(', ', {cases}), '')"


def missing(columns: Sequence[str]) -> str:
    """SQL: the names of the columns that are null; null: all are there."""
    return named({column: f"{column} is null" for column in columns})


def disordered(columns: Sequence[str], tolerance: float) -> str:
    """SQL: the neighbours of which the first is larger than the second by more than `tolerance`; null: none."""
    pairs = pairwise(columns)
    return named({f"{low} > {high}": f"{low} > {high} + {tolerance}" for low, high in pairs})


def not_finite(columns: Sequence[str]) -> str:
    """SQL: the names of the columns that are infinite or not a number; null: none."""
    names, values = ", ".join(f"'{column}'" for column in columns), ", ".join(columns)
    # a condition for each would take three times as long to plan
    wrong = f"list_transform([{values}], lambda value: coalesce(not isfinite(value), false))"
    return f"nullif(array_to_string(list_where([{names}], {wrong}), ', '), '')"


def figures_not_finite(table: Table) -> str:
    """SQL: those of all figures of `table`."""
    return not_finite([column.name for column in table.columns if column.type == FLOAT])


def beyond(column: str, low: float | None = None, high: float | None = None) -> str:
    """SQL: the column lies outside `low` … `high`."""
    parts = [] if low is None else [f"{column} < {low}"]
    return " or ".join(parts if high is None else [*parts, f"{column} > {high}"])


def if_there(table: Table, first: int = 0, last: int = 0) -> Source:
    """`table` as known now, and empty on days that are not in the lake: its frame judges what both sides have."""
    return replace(newest(table, first, last), optional=True)
