"""A day of any size in the order of its key within little memory: cut into pieces that are sorted one by one.

DuckDB sorts more than fits into memory as well, but what it needs for that grows with the rows: 5 million trades
took more than 400 MB. Which rows there are belongs to `decode`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import duckdb

from daily_profit_model.risk_api.rows_sql import quoted
from daily_profit_model.tables.contract import Table

PIECE_ROWS = 200_000
"""Rows that are sorted at once."""
SAMPLE = 500
"""One row in so many says where the pieces end."""

Bound = tuple[object, ...]
"""Values of the key columns that are never null, in their order."""


def pieces(scratch: duckdb.DuckDBPyConnection, table: Table, rows: str, count: int) -> list[str]:
    """SQL conditions that cut `rows` (a from clause with its where) into pieces, ascending by the table's key."""
    if count <= PIECE_ROWS:
        return ["true"]
    key = [name for name in table.key if table.column(name).required and table.column(name).source and name != "date"]
    columns = ", ".join(map(quoted, key))
    sample = scratch.execute(f"select {columns} {rows} and hash(identity) % {SAMPLE} = 0 order by {columns}").fetchall()
    step = max(1, PIECE_ROWS // SAMPLE)
    bounds: list[Bound | None] = [None, *dict.fromkeys(sample[step::step]), None]
    return [" and ".join(_within(key, low, high)) for low, high in pairwise(bounds)]


def _within(key: Sequence[str], low: Bound | None, high: Bound | None) -> Iterator[str]:
    """Conditions of low <= key < high; the plain ones among them only let files pass over what they do not need."""
    if low is not None:
        yield f"not {_before(key, low)}"
    if high is not None:
        yield _before(key, high)
    for place, name in enumerate(key):
        if low is not None:
            yield f"{quoted(name)} >= {_literal(low[place])}"
        if high is not None:
            yield f"{quoted(name)} <= {_literal(high[place])}"
        if low is None or high is None or low[place] != high[place]:
            return
    yield "true"


def _before(key: Sequence[str], bound: Bound) -> str:
    """Key < bound, column by column."""
    (name, *names), (value, *values) = key, bound
    here, limit = quoted(name), _literal(value)
    if not names:
        return f"({here} < {limit})"
    return f"({here} < {limit} or ({here} = {limit} and {_before(names, tuple(values))}))"


def _literal(value: object) -> str:
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"
