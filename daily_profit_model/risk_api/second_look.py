"""Doubtful rows, read field by field: which of them are good all the same, and what is wrong with the others.

Which rows are doubtful is decided by `first_look`; the SQL stands in `rows_sql`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa

from daily_profit_model.risk_api import quarantine, rows_sql
from daily_profit_model.risk_api.received import register
from daily_profit_model.risk_api.rows_sql import TEST, quoted
from daily_profit_model.tables.contract import TEXT, Table


@dataclass(frozen=True)
class Seen:
    """The verdict on some rows. The good ones are the relation `accepted` (nth, the table's columns)."""

    rejected: pa.Table
    """In the schema of raw/quarantine."""
    verdicts: pa.Table
    """(date, kind, identity) of each row that is not good: its day if readable, `test` or `rejected`, its key's hash."""
    unreadable: Counter[tuple[date | None, str]]
    """Values of optional fields that could not be read and became null, by day and field."""
    unknown: Counter[tuple[date | None, str]]
    """Rows with a value in a field that the contract does not know, by day and field."""
    test_logins: pa.Table
    """(platform, broker, login) of the test accounts' rows that have all three."""


def second_look(scratch: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[bytes], day: date | None) -> Seen:
    """Judges `rows` (JSON, a record each) of `table`; `nth` counts them from 0.

    Without a `day`, a row of any day is one of the day asked for. Raises InvalidInputException where a row cannot be
    read at all.
    """
    register(scratch, b"\n".join((*rows, b"")))
    scratch.execute(f"create or replace temp table records as {rows_sql.records(table)}")
    scratch.execute(f"create or replace temp table typed as {rows_sql.typed(table, day)}")
    scratch.execute(f"create or replace temp table judged as {rows_sql.judged(table)}")
    scratch.execute(f"""
create or replace temp view accepted as
select nth, {_listed(table.column_names)}
from typed
anti join judged using (nth)""")
    verdicts = scratch.sql(f"""
select
  typed.date,
  case when problem = {TEST} then 'test' else 'rejected' end as kind,
  case when {rows_sql.has_broken_key(table)} then hash(received.row) else {rows_sql.identity(table)} end as identity
from judged
join typed using (nth)
join received using (nth)""").to_arrow_table()
    logins = scratch.sql(f"""
select distinct platform, broker, login
from judged
join typed using (nth)
where problem = {TEST} and platform is not null and broker is not null and login is not null""").to_arrow_table()
    unreadable, unknown = _unreadable(scratch, table), _unknown(scratch, table)
    return Seen(quarantine.of_judged(scratch, table, day), verdicts, unreadable, unknown, logins)


def _unknown(scratch: duckdb.DuckDBPyConnection, table: Table) -> Counter[tuple[date | None, str]]:
    layouts = scratch.execute("select distinct json_keys(row) from received").fetchall()
    known = {column.source for column in table.columns}
    counts: Counter[tuple[date | None, str]] = Counter()
    for name in {name for (names,) in layouts for name in names or () if name not in known}:
        pointer = "/" + name.replace("~", "~0").replace("/", "~1")
        found = scratch.execute(
            "select date, count(*) from received join typed using (nth) "
            "where coalesce(json_type(row, $pointer), 'NULL') <> 'NULL' group by date",
            {"pointer": pointer},
        ).fetchall()
        counts.update({(day, name): count for day, count in found})
    return counts


def _unreadable(scratch: duckdb.DuckDBPyConnection, table: Table) -> Counter[tuple[date | None, str]]:
    """Values of optional fields that are there and did not become one of the column's type.

    Nulls of text and of values are compared in Arrow, which knows their number; only fields that
    differ, by a blank or by something unreadable, are counted.
    """
    optional = [column for column in table.columns if column.source and not column.required and column.type != TEXT]
    fields = _listed(str(column.source) for column in optional)
    text = scratch.sql(f"select {fields} from records").to_arrow_table()
    values = scratch.sql(f"select {_listed(column.name for column in optional)} from typed").to_arrow_table()
    counts: Counter[tuple[date | None, str]] = Counter()
    for column in optional:
        if values[column.name].null_count > text[column.source].null_count:
            lost = scratch.execute(f"""
select typed.date, count(*)
from typed
join records using (nth)
where typed.{quoted(column.name)} is null and {rows_sql.is_there(column, "records")}
group by typed.date""").fetchall()
            counts.update({(day, str(column.source)): count for day, count in lost})
    return counts


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(quoted, names))
