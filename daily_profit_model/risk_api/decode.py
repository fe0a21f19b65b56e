"""From pages of JSON to the rows of a raw table: typed, keyed, sorted, and nothing lost.

Set-based at C++ speed: the bytes go to DuckDB's reader with every field as text, and SQL of
`rows_sql` types them. Rejected rows become rows of raw/quarantine in `quarantine`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

import duckdb
import numpy as np
import pyarrow as pa

from daily_profit_model.risk_api import quarantine, rows_sql
from daily_profit_model.risk_api.envelope import session
from daily_profit_model.risk_api.rows_sql import TEST, quoted
from daily_profit_model.tables.contract import TEXT, Table

PART_BYTES = 32 * 2**20
"""JSON that is read at a time: a day of trades at once, half a million accounts in small parts."""


@dataclass(frozen=True)
class Decoded:
    """What became of the rows received.

    received = rows + quarantined + test_accounts + repeated + late, always.
    """

    rows: pa.Table
    """In the contract's schema, sorted by its key, one row a key."""
    quarantined: pa.Table
    """In the schema of raw/quarantine."""
    test_accounts: int = 0
    """Rows of test accounts, left out."""
    received: int = 0
    repeated: int = 0
    """Rows equal to another one received, as paging over changing rows brings them; of plans also
    the revisions that a newer one replaced."""
    late: int = 0
    """Records not used because they were written after the day's cut-off (plans, regimes)."""
    absent: int = 0
    """Plans of which only late revisions exist."""
    unknown_fields: dict[str, int] = field(default_factory=dict)
    """Rows that had a field which the contract does not know, by field."""
    unreadable: dict[str, int] = field(default_factory=dict)
    """Values of optional fields that could not be read and became null, by field."""


def decode(table: Table, bodies: Sequence[bytes], *, day: date) -> Decoded:
    """The rows of `table` for `day` from JSON arrays of records.

    Deterministic: the result depends on the set of rows received, not on their order or pages.
    Raises duckdb.Error if a body is not a JSON array (paging has made sure that each is one).
    """
    with session() as scratch:
        seen = _read(scratch, table, bodies, day)
        problems = _judge(scratch, table)
        _find_conflicts(scratch, table)
        rows = _stored(scratch, table)
        is_rejecting = any(problem != TEST for problem in problems) or rows.num_rows < seen.received
        rejected = quarantine.of_pages(scratch, table, bodies, day) if is_rejecting else quarantine.none()
        tests = sum(_test_rows_by_day(scratch, table).values()) if TEST in problems else 0
    return Decoded(
        rows,
        rejected,
        tests,
        seen.received,
        seen.received - rows.num_rows - rejected.num_rows - tests,
        unknown_fields=dict(sorted(seen.unknown_fields.items())),
        unreadable=dict(sorted(seen.unreadable.items())),
    )


def decode_clean_days(table: Table, bodies: Sequence[bytes], days: Sequence[date]) -> dict[date, Decoded] | None:
    """What `decode` gives for each of `days`, for bodies that hold them all, if nothing needs a second look.

    Planning a statement over 150 columns costs more than reading a day's rows, so clean days share one.
    None: something was rejected, unreadable or unknown, or belongs to none of the days; go day by day.
    """
    with session() as scratch:
        seen = _read(scratch, table, bodies, None)
        if seen.unknown_fields or seen.unreadable or not _judge(scratch, table) <= {TEST}:
            return None
        _find_conflicts(scratch, table)
        if scratch.execute("select 1 from conflicts limit 1").fetchall():
            return None
        received = dict(scratch.execute("select date, count(*) from typed group by date").fetchall())
        if not set(received) <= set(days):
            return None
        rows = _stored(scratch, table).sort_by("date")
        tests = _test_rows_by_day(scratch, table)
    found = {}
    starts = rows["date"].to_numpy()
    for day in days:
        first, last = (int(np.searchsorted(starts, np.datetime64(day), side)) for side in ("left", "right"))
        came, test = received.get(day, 0), tests.get(day, 0)
        own = rows.slice(first, last - first).sort_by([(name, "ascending") for name in table.key])
        found[day] = Decoded(own, quarantine.none(), test, came, came - own.num_rows - test)
    return found


@dataclass(frozen=True)
class _Seen:
    """What was counted while reading."""

    received: int
    unknown_fields: Counter[str]
    unreadable: Counter[str]


def _read(scratch: duckdb.DuckDBPyConnection, table: Table, bodies: Sequence[bytes], day: date | None) -> _Seen:
    """The relation `typed`, from a few pages at a time so that their text need not all be held twice."""
    unknown: Counter[str] = Counter()
    unreadable: Counter[str] = Counter()
    received = 0
    for number, (first, part) in enumerate(_parts(bodies)):
        quarantine.register_bodies(scratch, dict(enumerate(part, start=first)))
        scratch.execute(f"create or replace temp table records as {rows_sql.records(table)}")
        scratch.execute(f"create or replace temp table new as {rows_sql.typed(table, day)}")
        received += int(scratch.execute("select count(*) from new").fetchall()[0][0])
        unknown.update(_unknown_fields(scratch, table))
        unreadable.update(_unreadable(scratch, table))
        scratch.execute("insert into typed from new" if number else "alter table new rename to typed")
    return _Seen(received, unknown, unreadable)


def _parts(bodies: Sequence[bytes]) -> Iterator[tuple[int, Sequence[bytes]]]:
    """`bodies` in parts of about PART_BYTES, each with the position of its first; one part at least."""
    first, size = 0, 0
    for position, body in enumerate(bodies):
        if size and size + len(body) > PART_BYTES:
            yield first, bodies[first:position]
            first, size = position, 0
        size += len(body)
    yield first, bodies[first:]


def _judge(scratch: duckdb.DuckDBPyConnection, table: Table) -> set[int]:
    """The relations `judged` and `good`; returns the problems that occur."""
    scratch.execute(f"create temp table judged as {rows_sql.judged(table)}")
    problems = {problem for (problem,) in scratch.execute("select distinct problem from judged").fetchall()}
    only_good = "anti join judged using (page, place)" if problems else ""
    scratch.execute(
        f"create temp view good as select page, place, {_listed(table.column_names)} from typed {only_good}"
    )
    return problems


def _find_conflicts(scratch: duckdb.DuckDBPyConnection, table: Table) -> None:
    """The relations `stored` (rows to keep) and `conflicts` (good rows whose key another good row has).

    Of rows with one key the first in the order of their values stands, whichever came first.
    """
    key, columns = _listed(table.key), _listed(table.column_names)
    if not scratch.execute(f"select 1 from good group by {key} having count(*) > 1 limit 1").fetchall():
        scratch.execute("create temp table conflicts (page bigint, place bigint, conflict bigint)")
        scratch.execute(f"create temp view stored as select {columns} from good")
        return
    scratch.execute(f"""
create temp table versions as
select
  page,
  place,
  {columns},
  dense_rank() over (partition by {key} order by {columns}) as version,
  row_number() over (partition by {columns}) as copy,
  dense_rank() over (order by {columns}) as conflict
from good""")
    scratch.execute("create temp view conflicts as select page, place, conflict from versions where version > 1")
    scratch.execute(f"create temp view stored as select {columns} from versions where version = 1 and copy = 1")


def _stored(scratch: duckdb.DuckDBPyConnection, table: Table) -> pa.Table:
    key = _listed(table.key)
    rows = scratch.sql(f"select * from stored order by {key}").to_arrow_table()
    return rows.cast(table.schema())


def _test_rows_by_day(scratch: duckdb.DuckDBPyConnection, table: Table) -> dict[date, int]:
    query = f"select distinct {_listed(table.column_names)} from typed semi join judged using (page, place)"
    tests = f"select page, place from judged where problem = {TEST}"
    return dict(
        scratch.execute(f"with judged as ({tests}) select date, count(*) from ({query}) group by date").fetchall()
    )


def _unreadable(scratch: duckdb.DuckDBPyConnection, table: Table) -> dict[str, int]:
    """Values of optional fields that are there and did not become one of the column's type.

    Nulls of text and of values are compared in Arrow, which knows their number; only fields that
    differ, by a blank or by something unreadable, are counted.
    """
    optional = [column for column in table.columns if column.source and not column.required and column.type != TEXT]
    fields = _listed(str(column.source) for column in optional)
    text = scratch.sql(f"select {fields} from records").to_arrow_table()
    values = scratch.sql(f"select {_listed(column.name for column in optional)} from new").to_arrow_table()
    suspects = [column for column in optional if values[column.name].null_count > text[column.source].null_count]
    if not suspects:
        return {}
    counts = ", ".join(rows_sql.received_count(column) for column in suspects)
    (received,) = scratch.execute(f"select {counts} from records").fetchall()
    read = (values.num_rows - values[column.name].null_count for column in suspects)
    lost = {str(c.source): came - stayed for c, came, stayed in zip(suspects, received, read, strict=True)}
    return {field: count for field, count in lost.items() if count}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(quoted, names))


def _unknown_fields(scratch: duckdb.DuckDBPyConnection, table: Table) -> Counter[str]:
    """Fields that the contract does not know, with the number of rows that have them."""
    layouts = scratch.execute("""
select json_keys(record) as names, count(*) as records
from (
  select unnest(json_extract(body, '$[*]')) as record
  from bodies
)
group by names""").fetchall()
    known = {column.source for column in table.columns}
    counts: Counter[str] = Counter()
    for names, records in layouts:
        counts.update(dict.fromkeys((name for name in names or () if name not in known), records))
    return counts
