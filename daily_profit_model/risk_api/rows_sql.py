"""The SQL that turns JSON rows into typed columns and says what is wrong with each row.

Only text is made here; `decode` runs it. Every documented form of a value is read at this place.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from daily_profit_model.tables.contract import DAY, FLOAT, INT, TEXT, TIMESTAMP, Column, Table

LARGEST = 1e15
"""A number beyond this in size makes its row bad (RISK_API.md)."""
LARGEST_INT = 2**53
"""Whole numbers are read by way of double, which is exact up to here, beyond what is not absurd."""

IDS = ("account_id", "login", "plan_id", "trader_id", "position", "ticket")
"""Text that the service sometimes sends as a number."""

BLANKS = " \t\r\n"
"""What does not count at the ends of a text."""

IDENTITY = ("account_id", "login", "platform", "broker")
"""Where one of them is null, the row is a test account's."""

TEST = -1
"""The `problem` of a test account's row; above 0 it is a position in `problems(table)`, from 1."""


@dataclass(frozen=True)
class Problem:
    """A reason for which a row is rejected: its code, the field to show, and when it holds."""

    reason: str
    field: str | None
    condition: str
    is_of_values: bool = False
    """True: decided by what the values say, not by whether they could be read."""


def shape(table: Table) -> str:
    """The structure that `from_json` is asked for: every upstream field as text."""
    return json.dumps(dict.fromkeys((column.source for column in table.columns if column.source), "VARCHAR"))


def sql_types(table: Table) -> list[tuple[str, str]]:
    """The table's columns as (name, SQL type)."""
    return [(column.name, _sql_type(column.type)) for column in table.columns]


def records(table: Table) -> str:
    """Rows (nth, upstream fields as text) of the relation `received` (nth, row)."""
    return f"""
select
  nth,
  unnest(from_json(row, '{shape(table)}'))
from received"""


def typed(table: Table, day: date | None) -> str:
    """Rows (nth, the table's columns, what judging needs) of the relation `records`.

    Without a `day` a row of any day is one of the day asked for. Judging is a query of its own: together with the casts it takes twice as long to plan.
    """
    columns = ",\n  ".join(f"{value_of(column)} as {quoted(column.name)}" for column in table.columns)
    own = f"date '{day}'" if day else value_of(table.column("date"))
    return f"""
select
  nth,
  {columns},
  {_raw_columns(table)},
  {own} as day_asked,
  {_no_field(table)} as is_empty,
  {_test_account(table)} as is_test
from records"""


def judged(table: Table) -> str:
    """Rows (nth, problem) of the rows of `typed` that are not good."""
    cases = "\n    ".join(
        f"when {problem.condition} then {number}" for number, problem in enumerate(problems(table), start=1)
    )
    return f"""
select
  nth,
  problem
from (
  select
    nth,
    case
    when is_test and not is_empty then {TEST}
    {cases}
    end as problem
  from typed
)
where problem is not null"""


def identity(table: Table) -> str:
    """A hash of the row's natural key, null counting as a value."""
    return f"hash({', '.join(quoted(column.name) for column in _key(table))})"


def has_broken_key(table: Table) -> str:
    """Whether a part of the key of a row of `typed` is there and cannot be read."""
    parts = [column for column in _key(table) if column.type in (INT, DAY, TIMESTAMP)]
    return " or ".join(f"({raw_name(part)} is not null and {quoted(part.name)} is null)" for part in parts) or "false"


def _key(table: Table) -> list[Column]:
    return [table.column(name) for name in table.key if table.column(name).source]


def problems(table: Table) -> list[Problem]:
    """Every reason for which a row of `table` can be rejected, in the order in which they are tried."""
    found = [Problem("not_a_record", None, "is_empty")]
    upstream = [column for column in table.columns if column.source]
    for column in upstream:
        if column.required:
            name, raw = quoted(column.name), raw_name(column)
            found.append(Problem("missing_required", column.source, f"{raw} is null"))
            if column.type == INT:
                found.append(_out_of_range(column))
            if column.type != FLOAT:
                found.append(Problem(_unreadable(column), column.source, f"{name} is null"))
    for column in upstream:
        if column.type == FLOAT or (column.type == INT and not column.required):
            found.append(_out_of_range(column))
        if column.type == FLOAT:
            name = quoted(column.name)
            if column.required:
                found.append(Problem("unreadable_number", column.source, f"{name} is null"))
    names = set(table.column_names)
    if "side" in names:
        found.append(Problem("unknown_side", "side", "side not in ('buy', 'sell')", is_of_values=True))
        found.append(Problem("non_positive_lots", "lots", "lots <= 0", is_of_values=True))
    if "close_time" in names:
        found.append(Problem("closed_before_opened", "closeTime", "close_time < open_time", is_of_values=True))
    if "hour" in names:
        found.append(Problem("hour_out_of_range", "hour", "hour not between 0 and 23", is_of_values=True))
    if table.column("date").source:
        found.append(Problem("wrong_day", table.column("date").source, "date <> day_asked"))
    return found


def upstream(table: Table) -> list[Column]:
    return [column for column in table.columns if column.source]


def _out_of_range(column: Column) -> Problem:
    number = quoted(column.name) if column.type == FLOAT else _number_name(column)
    # NaN is greater than every number here, so it is caught as well
    return Problem("out_of_range", column.source, f"not abs({number}) <= {LARGEST:.0f}")


def is_there(column: Column, relation: str) -> str:
    """Whether a column's field was received with something in it."""
    return f"nullif(trim({relation}.{quoted(column.source or '')}, '{BLANKS}'), '') is not null"


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return f'"{name}"'


def raw_name(column: Column) -> str:
    """The column of `typed` that holds a required field's text."""
    return f'"{column.name} as received"'


def _number_name(column: Column) -> str:
    """The column of `typed` that holds a whole number's field as any number."""
    return f'"{column.name} as a number"'


def _raw_columns(table: Table) -> str:
    """Required fields as received, so that a missing value and an unreadable one are told apart; whole ones as numbers."""
    received = [f"{text_of(column)} as {raw_name(column)}" for column in upstream(table) if column.required]
    whole = [column for column in upstream(table) if column.type == INT]
    numbers = [f"{_number_of(column)} as {_number_name(column)}" for column in whole]
    return ",\n  ".join([*received, *numbers])


def _no_field(table: Table) -> str:
    fields = ", ".join(quoted(column.source) for column in table.columns if column.source)
    return f"coalesce({fields}) is null"


def _test_account(table: Table) -> str:
    identity = [name for name in IDENTITY if name in table.column_names]
    return "(" + " or ".join(f"{text_of(table.column(name))} is null" for name in identity) + ")"


def _unreadable(column: Column) -> str:
    return "unreadable_date" if column.type in (DAY, TIMESTAMP) else "unreadable_number"


def text_of(column: Column) -> str:
    return f"nullif(trim({quoted(column.source or '')}, '{BLANKS}'), '')"


def _number_of(column: Column) -> str:
    field = quoted(column.source or "")
    # the cast passes over blanks, and over underscores too
    return f"case when not contains({field}, '_') then try_cast({field} as double) end"


def value_of(column: Column) -> str:
    """The column's value from the field's text, null where it cannot be read."""
    if column.source is None:
        return f"cast(null as {_sql_type(column.type)})"
    text = text_of(column)
    if column.type == FLOAT:
        return _number_of(column)
    if column.type == INT:
        number = _number_of(column)
        is_whole = f"{number} = floor({number}) and abs({number}) <= {LARGEST_INT}"
        return f"case when {is_whole} then {number}::bigint end"
    if column.type in (DAY, TIMESTAMP):
        kind = "date" if column.type == DAY else "timestamp_ms"
        return f"{instant(text)}::{kind}"
    if column.name == "side":
        return f"lower({text})"
    if column.name in IDS:
        # an id that passed through a float column upstream: 953785.0 is 953785
        is_float = f"ends_with({text}, '.0') and try_cast({text} as double) is not null"
        return f"case when {is_float} then left({text}, length({text}) - 2) else {text} end"
    return text


def instant(text: str) -> str:
    """A UTC instant from each documented form; the session's time zone is UTC."""
    # a cast to timestamp is the faster one, and leaves offsets out
    iso = f"case when ends_with({text}, 'Z') then try_cast({text} as timestamp) else try_cast({text} as timestamptz)::timestamp end"
    # strptime takes a month or a day of one digit as well, which would shift the others
    digits = f"case when length({text}) in (8, 14) then try_strptime({text}, ['%Y%m%d', '%Y%m%d%H%M%S']) end"
    instant = f"coalesce({iso}, {digits})"
    return f"case when isfinite({instant}) and year({instant}) between {date.min.year} and {date.max.year} then {instant} end"


def _sql_type(kind: pa.DataType) -> str:
    return {DAY: "date", TIMESTAMP: "timestamp_ms", TEXT: "varchar", INT: "bigint", FLOAT: "double"}.get(
        kind, "boolean"
    )
