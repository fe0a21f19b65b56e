"""The columns on which each column of the feature query rests, read out of its SQL. No tests here.

A column rests on the columns that its expression names, stage by stage down to the tables; an aggregate also on
those by which its rows were chosen. The keys by which rows are joined tell whose a value is, and do not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp

from daily_profit_model.engine import WANTED, Query

Columns = frozenset[tuple[str, str]]
"""(table, column) of the tables that the query reads."""
NOTHING: Columns = frozenset()


@dataclass(frozen=True)
class Relation:
    """What each column of a statement rests on, and the choice of its rows."""

    columns: dict[str, Columns]
    chosen_by: Columns = NOTHING


def lineage(query: Query) -> dict[str, Columns]:
    """Column of the query's output → what it rests on. Raises KeyError for a column that no source has."""
    there = {WANTED: Relation({"date": NOTHING})}
    for source in query.sources:
        own = {name: frozenset({(source.table.name, name)}) for name in source.table.column_names}
        there[source.view] = Relation(own)
    for stage in query.stages:
        there[stage.name] = _of(sqlglot.parse_one(stage.sql, read="duckdb"), there)
    return _of(sqlglot.parse_one(query.sql, read="duckdb"), there).columns


def _of(select: Any, there: dict[str, Relation]) -> Relation:
    if not isinstance(select, exp.Select):
        raise TypeError(f"no plain select: {select.sql()[:80]}")
    there = dict(there)
    for cte in select.ctes:
        there[cte.alias] = _of(cte.this, there)
    first: Any = select.find(exp.From)
    joins = [join.this for join in select.args.get("joins") or ()]
    named = {each.alias_or_name: _source(each, there) for each in (first.this, *joins)}
    where = select.args.get("where")
    chosen_by = frozenset().union(
        *(relation.chosen_by for relation in named.values()), _read(where, named) if where else NOTHING
    )
    columns: dict[str, Columns] = {}
    for projection in select.expressions:
        if isinstance(projection, exp.Star):
            left_out = {each.name for each in projection.args.get("except_") or projection.args.get("except") or ()}
            for relation in named.values():
                columns |= {name: found for name, found in relation.columns.items() if name not in left_out}
            continue
        columns[projection.alias_or_name] = _read(projection, named)
        if projection.find(exp.AggFunc, exp.Window):
            columns[projection.alias_or_name] |= chosen_by
    return Relation(columns, chosen_by)


def _source(source: Any, there: dict[str, Relation]) -> Relation:
    if isinstance(source, exp.Subquery):
        return _of(source.this, there)
    if isinstance(source, exp.Values):
        return Relation({column.name: NOTHING for column in source.args["alias"].columns})
    return there[source.name]


def _read(expression: Any, named: dict[str, Relation]) -> Columns:
    found: set[tuple[str, str]] = set()
    for column in expression.find_all(exp.Column):
        # a name before the dot that is no source is a structure, and the column is that
        name = column.table if column.table and column.table not in named else column.name
        asked = [named[column.table]] if column.table in named else list(named.values())
        having = [relation.columns[name] for relation in asked if name in relation.columns]
        if not having:
            raise KeyError(f"no source has {column.sql()}")
        found.update(*having)
    return frozenset(found)
