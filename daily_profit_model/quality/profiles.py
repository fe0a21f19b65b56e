"""What the days of a table look like, column by column: computed once a content, kept beside the lake's tables.

A profile is a pure function of a partition's rows, so that one that was made of other rows than those that are there
now is made again. What is unusual about a day is said by `rules_history`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import duckdb
import pyarrow as pa

from daily_profit_model.engine import WANTED, Query, Source, run
from daily_profit_model.lake import Lake, write
from daily_profit_model.lake.staleness import HashLookup, changes_since_written
from daily_profit_model.tables import Table
from daily_profit_model.tables.contract import FLAG, FLOAT, INT, TEXT
from daily_profit_model.tables.quality import profile_of

QUANTILES = {"q01": 0.01, "q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95, "q99": 0.99}
SIZES = {"size_q50": 0.5, "size_q90": 0.9}

TOP = 64
"""Commonest values kept: every code and label of the service has fewer."""

COLUMNS_AT_ONCE = 48
"""Columns of one statement: it holds each of their values in memory as a row."""

_NAMES = ("account_id", "login", "trader_id", "position", "ticket", "comment", "features_hash")
"""Texts that name one thing each: what they hold is no category."""

_HOLDERS = ("account_id", "login")
"""Whose rows they are, the first of these that a table has."""


def profiles(lake: Lake, table: Table, days: Sequence[str]) -> pa.Table:
    """The profiles of those of `days` that are in the lake, in `profile_of(table)`'s columns.

    Days without a profile, or with one of other rows or another code, are profiled and kept.
    """
    known, there = profile_of(table), set(lake.partitions(table.name))
    hashes = HashLookup(lake)
    present = [day for day in days if day in there]
    stale = [day for day in present if not _is_fresh(lake, known, day, hashes)]
    for first in range(0, len(stale), _DAYS_AT_ONCE):
        chunk = stale[first : first + _DAYS_AT_ONCE]
        inputs = {day: {_input(table, day): hashes(f"{table.name}#newest", day)} for day in chunk}
        for day, rows in profile(lake, table, chunk).items():
            write(lake, known, day, rows, code_version=code_version(), inputs=inputs[day])
    if not present:
        return known.schema().empty_table()
    # many small files: several times as fast as one after the other
    rows = run(Query(f"from {known.view_name}", (Source(known),)), lake, present, copies=True)
    return rows.select(known.column_names).cast(known.schema())


_DAYS_AT_ONCE = 30
"""Days profiled by one statement: 30,000 trades a day are 0.3 GB of values."""


def profile(lake: Lake, table: Table, days: Sequence[str]) -> dict[str, pa.Table]:
    """The profiles of `days`, each computed from its newest rows."""
    found: dict[str, list[pa.Table]] = {day: [] for day in days}
    columns = profile_of(table)
    for statement in _statements(table):
        query = Query(statement, (Source(table, as_known="newest" if table.revisions else "cut-off"),))
        rows = run(query, lake, days, copies=True).select(columns.column_names).cast(columns.schema())
        places = rows["date"].cast(pa.string()).to_pylist()
        for day in days:
            found[day].append(rows.filter(pa.array([place == day for place in places], pa.bool_())))
    return {day: pa.concat_tables(parts) for day, parts in found.items()}


@cache
def code_version() -> str:
    """What a profile rests on beside the rows: the statements' form and the engine."""
    return f"3 duckdb {duckdb.__version__}"


def _is_fresh(lake: Lake, known: Table, day: str, hashes: HashLookup) -> bool:
    file = lake.describe(known.name, day)
    return file is not None and not changes_since_written(file, hashes, code_version())


def _input(table: Table, day: str) -> str:
    return f"{table.name}#newest@{day}"


def _statements(table: Table) -> list[str]:
    """The SQL texts that together give a profile's rows."""
    texts = [_of_rows(table)]
    numbers = [column.name for column in table.columns if column.type in (FLOAT, INT) and column.name not in _NAMES]
    labels = [
        column.name
        for column in table.columns
        if column.name not in _NAMES and (column.type in (TEXT, FLAG) or (column.type == INT and column.unit is None))
    ]
    other = [name for name in table.stored_names if name not in {*numbers, *labels}]
    for names in _cut([name for name in numbers if name not in labels]):
        texts.append(_of_numbers(table, names))
    for names in _cut(labels):
        texts.append(_of_labels(table, names))
    for names in _cut(other):
        texts.append(_of_others(table, names))
    return texts


def _cut(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[first : first + COLUMNS_AT_ONCE] for first in range(0, len(names), COLUMNS_AT_ONCE)]


def _holder(table: Table) -> str:
    """SQL for whose a row is; of a table without accounts each row is its own."""
    found = next((name for name in _HOLDERS if name in table.column_names), None)
    return f'"{found}"' if found else "null"


def _of_rows(table: Table) -> str:
    """A row for each day asked for, so that a day without rows is told from one that is not there."""
    holder = _holder(table)
    holders = "count(own.day)" if holder == "null" else "count(distinct own.holder)"
    return f"""
with own as (
    select {table.day_column} as day, {holder} as holder
    from {table.view_name}
    where {table.day_column} between $first_day and $last_day
)
select
    {WANTED}.date,
    '{table.name}' as "table",
    '' as "column",
    count(own.day) as rows,
    {holders} as holders,
    count(own.day) as known,
    {_nothing("zeros", "distinct_values", *_NUMBERS, "top_values")}
from {WANTED}
left join own
    on own.day = {WANTED}.date
group by all
"""


def _of_numbers(table: Table, names: Sequence[str]) -> str:
    # one list each: every quantile asked for alone would keep all values once more
    quantiles = ", ".join(f"quantiles[{place}] as {name}" for place, name in enumerate(QUANTILES, 1))
    sizes = ", ".join(f"sizes[{place}] as {name}" for place, name in enumerate(SIZES, 1))
    return f"""
{_long(table, names, "double")},
measured as (
    select
        date,
        "column",
        count(*) as rows,
        count(value) as known,
        count(*) filter (value = 0) as zeros,
        min(value) as minimum,
        quantile_cont(value, {list(QUANTILES.values())}) as quantiles,
        max(value) as maximum,
        quantile_cont(abs(value), {list(SIZES.values())}) filter (value <> 0) as sizes
    from long
    group by all
)
select
    date,
    '{table.name}' as "table",
    "column",
    rows,
    holders,
    known,
    zeros,
    {_nothing("distinct_values")},
    minimum,
    {quantiles},
    maximum,
    {sizes},
    {_nothing("top_values")}
from measured
join held using (date)
"""


def _of_labels(table: Table, names: Sequence[str]) -> str:
    return f"""
{_long(table, names, "varchar")},
counted as (
    select date, "column", value, count(*) as rows, {_HOLDERS_COUNT} as holders
    from long
    group by all
),
whole as (
    select date, "column", count(*) as rows, count(value) as known
    from long
    group by all
),
listed as (
    select
        date,
        "column",
        count(*) as distinct_values,
        list(
            struct_pack("value" := value, "rows" := rows, "holders" := holders) order by rows desc, value
        )[:{TOP}] as top_values
    from counted
    where value is not null
    group by all
)
select
    date,
    '{table.name}' as "table",
    "column",
    whole.rows,
    held.holders,
    whole.known,
    {_nothing("zeros")},
    coalesce(listed.distinct_values, 0) as distinct_values,
    {_nothing(*_NUMBERS)},
    coalesce(listed.top_values, []) as top_values
from whole
join held using (date)
left join listed
    using (date, "column")
"""


def _of_others(table: Table, names: Sequence[str]) -> str:
    return f"""
{_long(table, names, "varchar")}
select
    date,
    '{table.name}' as "table",
    "column",
    count(*) as rows,
    any_value(held.holders) as holders,
    count(value) as known,
    {_nothing("zeros", "distinct_values", *_NUMBERS, "top_values")}
from long
join held using (date)
group by date, "column"
"""


_NUMBERS = ("minimum", *QUANTILES, "maximum", *SIZES)
_HOLDERS_COUNT = "case when count(holder) > 0 then count(distinct holder) else count(*) end"


def _nothing(*names: str) -> str:
    return ", ".join(f"null as {name}" for name in names)


def _long(table: Table, names: Sequence[str], kind: str) -> str:
    """`long`, a row for each value (date, holder, column, value), and `held`: how many hold a day's rows."""
    # what is no number is no value: a column that has turned into NaN has lost its values; and zero has one sign
    value = "nullif(\"{name}\"::double, 'nan'::double) + 0" if kind == "double" else '"{name}"::varchar'
    cells = ", ".join(f'{value.format(name=name)} as "{name}"' for name in names)
    listed = ", ".join(f'"{name}"' for name in names)
    return f"""
with own as (
    select {table.day_column} as profiled_day, {_holder(table)}::varchar as profiled_holder, {cells}
    from {table.view_name}
    where {table.day_column} between $first_day and $last_day
),
held as (
    select profiled_day as date, {_HOLDERS_COUNT.replace("holder)", "profiled_holder)")} as holders
    from own
    group by all
),
long as (
    select profiled_day as date, profiled_holder as holder, "column", value
    from own unpivot include nulls (value for "column" in ({listed}))
)"""
