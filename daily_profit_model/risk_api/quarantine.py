"""Rejected rows as rows of raw/quarantine: each with its reason, what was wrong, and its text.

Why a row is rejected is decided by `rows_sql` (API rows), `plans` and `regimes`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa

from daily_profit_model.risk_api.rows_sql import problems
from daily_profit_model.tables.contract import Table
from daily_profit_model.tables.raw import RAW_QUARANTINE

LONGEST_VALUE = 100
"""Characters of a rejected value that are shown in `detail`; the payload holds all of it."""

DUPLICATE_KEY = "duplicate_key"

_REJECTED = f"""
with reasons as (
  select unnest($numbers) as problem, unnest($reasons) as reason, unnest($fields) as field
),
rejects as (
  select page, place, problem, null::bigint as conflict
  from judged
  where problem > 0
  union all
  select page, place, null, conflict
  from conflicts
),
payloads as (
  select
    page,
    unnest(json_extract(body, '$[*]'))::varchar as payload,
    unnest(range(json_array_length(body)::bigint)) + 1 as place
  from bodies
),
-- a row that came twice is one row; of equal conflicting rows in different spellings the least text stands
of_problems as (
  select distinct
    reason,
    field,
    payload
  from rejects
  join payloads using (page, place)
  join reasons using (problem)
),
of_conflicts as (
  select
    '{DUPLICATE_KEY}' as reason,
    null::varchar as field,
    min(payload) as payload
  from rejects
  join payloads using (page, place)
  where conflict is not null
  group by conflict
)
select
  $day::date as date,
  $table as "table",
  reason,
  case
    when reason = '{DUPLICATE_KEY}' then 'another row with this key was kept'
    when field is not null
      then field || '=' || coalesce(json_extract_string(payload, '$.' || field)[:{LONGEST_VALUE}], 'null')
  end as detail,
  payload,
  sha256(payload) as payload_hash,
  row_number() over (partition by reason, payload order by field) - 1 as occurrence
from (
  from of_problems
  union all
  from of_conflicts
)
order by "table", payload_hash, reason, occurrence
"""


@dataclass(frozen=True)
class Rejection:
    """One rejected record of a file."""

    reason: str
    detail: str | None
    payload: str


def none() -> pa.Table:
    """No rejected rows, in the schema of raw/quarantine."""
    return RAW_QUARANTINE.schema().empty_table()


def of_rejections(table: Table, day: date, rejections: Iterable[Rejection]) -> pa.Table:
    """Rows of raw/quarantine for records of files, sorted by key; equal payloads are counted up."""
    seen: Counter[tuple[str, str]] = Counter()
    rows = []
    for rejection in rejections:
        payload_hash = hashlib.sha256(rejection.payload.encode()).hexdigest()
        rows.append(
            {
                "date": day,
                "table": table.name,
                "reason": rejection.reason,
                "detail": rejection.detail,
                "payload": rejection.payload,
                "payload_hash": payload_hash,
                "occurrence": seen[payload_hash, rejection.reason],
            }
        )
        seen[payload_hash, rejection.reason] += 1
    rows.sort(key=lambda row: tuple(row[name] for name in RAW_QUARANTINE.key))
    return pa.Table.from_pylist(rows, schema=RAW_QUARANTINE.schema())


def of_pages(scratch: duckdb.DuckDBPyConnection, table: Table, bodies: Sequence[bytes], day: date) -> pa.Table:
    """Rows of raw/quarantine for the API rows that the relations `judged` and `conflicts` reject.

    The payload is the JSON of the record as it was received, white space between its parts left out.
    """
    found = problems(table)
    pages = scratch.execute(
        "select page from judged where problem > 0 union select page from conflicts order by page"
    ).fetchall()
    register_bodies(scratch, {page: bodies[page] for (page,) in pages})
    rows = scratch.sql(
        _REJECTED,
        params={
            "numbers": list(range(1, len(found) + 1)),
            "reasons": [problem.reason for problem in found],
            "fields": [problem.field for problem in found],
            "day": day,
            "table": table.name,
        },
    ).to_arrow_table()
    return rows.cast(RAW_QUARANTINE.schema())


def register_bodies(scratch: duckdb.DuckDBPyConnection, bodies: Mapping[int, bytes]) -> None:
    """The relation `bodies` (page, body) of JSON arrays."""
    texts = pa.array(bodies.values(), pa.binary()).cast(pa.string())
    scratch.register("bodies", pa.table({"page": pa.array(bodies.keys(), pa.int64()), "body": texts}))
