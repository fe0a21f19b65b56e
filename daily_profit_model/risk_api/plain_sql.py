"""The SQL of the first reading: every row by its plain types at once, and which rows need a second look.

The second look, field by field, and what is wrong with a row stand in `rows_sql`; `decode` runs both.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

from daily_profit_model.risk_api.rows_sql import (
    IDENTITY,
    LARGEST,
    LARGEST_INT,
    problems,
    quoted,
    text_of,
    upstream,
    value_of,
)
from daily_profit_model.tables.contract import DAY, FLOAT, INT, TIMESTAMP, Column, Table

LAYOUTS = """
select
  date,
  json_keys(row) as names,
  count(*) as records
from received
join plain using (page, place)
group by
  date,
  names"""
"""Which fields the rows of `received` have, by the day of their row in `plain`: (date, names, records)."""


def plain_shape(table: Table) -> str:
    """The structure that `from_json` is asked for at first: numbers as numbers, all else as text."""
    kinds = {column.source: "DOUBLE" if column.type in (FLOAT, INT) else "VARCHAR" for column in upstream(table)}
    return json.dumps(kinds)


def plain(table: Table, days: Sequence[date]) -> str:
    """The relation `received` (page, place, row) as rows of the table, each marked when it needs a second look.

    Columns: page, place (in the page, from 1), the table's columns, and
    present      how many of the contract's fields hold a value,
    is_doubtful  something is missing, unreadable or impossible, or belongs to none of `days`,
    text         hash of the row as received,
    identity     hash of the natural key, null counting as a value; `text` where a part of it cannot be read.
    """
    values = ",\n    ".join(f"{_plain_value(column)} as {quoted(column.name)}" for column in table.columns)
    received = [quoted(str(column.source)) for column in upstream(table)]
    key = [table.column(name) for name in table.key if table.column(name).source]
    identity = ", ".join(quoted(column.name) for column in key)
    broken = " or ".join(_unread(column) for column in key if column.type in (INT, DAY, TIMESTAMP))
    unread = " or ".join(_unread(column) for column in upstream(table) if column.type in (INT, DAY, TIMESTAMP))
    return f"""
select
  * exclude (has_unread, has_broken_key),
  case when has_broken_key then text else hash({identity}) end as identity,
  coalesce(has_unread or {" or ".join(_doubts(table, days))}, false) as is_doubtful
from (
  select
    page,
    place,
    {values},
    {unread} as has_unread,
    {" + ".join(f"({name} is not null)::int" for name in received)} as present,
    {broken} as has_broken_key,
    text
  from (
    select
      page,
      place,
      hash(row) as text,
      unnest(from_json(row, '{plain_shape(table)}'))
    from received
  )
)"""


def unread(table: Table) -> str:
    """Rows (page, place) of `received` in which a field of a number holds something that is none."""
    numbers = [column for column in upstream(table) if column.type in (FLOAT, INT)]
    shape = json.dumps({column.source: "VARCHAR" for column in numbers})
    return f"""
select
  page,
  place
from (
  select
    page,
    place,
    unnest(from_json(row, '{shape}'))
  from received
)
where {" or ".join(f"({text_of(column)} is not null and ({value_of(column)}) is null)" for column in numbers)}"""


def _doubts(table: Table, days: Sequence[date]) -> list[str]:
    """Conditions of `plain` rows; each is null where what it looks at is null."""
    found = []
    for column in upstream(table):
        name = quoted(column.name)
        if column.required or column.name in IDENTITY:
            found.append(f"{name} is null")
        if column.type == FLOAT:
            found.append(f"abs({name}) > {LARGEST:.0f}")  # NaN is greater than every number here
    impossible = [problem.condition for problem in problems(table) if problem.is_of_values]
    if table.column("date").source:
        asked = ", ".join(f"date '{day}'" for day in days)
        impossible.append(f"date not in ({asked})")
    return [*found, *impossible]


def _unread(column: Column) -> str:
    came = text_of(column) if column.type in (DAY, TIMESTAMP) else quoted(str(column.source))
    absurd = f" or abs({came}) > {LARGEST:.0f}" if column.type == INT else ""
    return f"(({came} is not null and ({_plain_value(column)}) is null){absurd})"


def _plain_value(column: Column) -> str:
    """The column's value where the field came as `plain_shape` asks for it."""
    if column.source is None:
        return value_of(column)
    field = quoted(column.source)
    if column.type == FLOAT:
        return field
    if column.type == INT:
        return f"case when {field} = floor({field}) and abs({field}) <= {LARGEST_INT} then {field}::bigint end"
    return value_of(column)
