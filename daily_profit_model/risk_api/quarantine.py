"""Rejected rows as rows of raw/quarantine: each with its reason, what was wrong, and its text.

Why a row is rejected is decided by `rows_sql` (API rows), `plans` and `regimes`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa

from daily_profit_model.risk_api.rows_sql import problems
from daily_profit_model.risk_api.scratch import session
from daily_profit_model.tables.contract import Table
from daily_profit_model.tables.raw import RAW_QUARANTINE

LONGEST_VALUE = 100
"""Characters of a rejected value that are shown in `detail`; the payload holds all of it."""

DUPLICATE_KEY = "duplicate_key"

_REJECTED = f"""
with reasons as (
  select unnest($numbers) as problem, unnest($reasons) as reason, unnest($fields) as field
)
select distinct
  coalesce($day::date, date) as date,
  $table as "table",
  reason,
  case
    when field is not null
      then field || '=' || coalesce(json_extract_string(payload, '$.' || field)[:{LONGEST_VALUE}], 'null')
  end as detail,
  payload,
  sha256(payload) as payload_hash,
  0::bigint as occurrence
from (
  select judged.problem, typed.date, json(received.row)::varchar as payload
  from judged
  join typed using (nth)
  join received using (nth)
  where judged.problem > 0
)
join reasons using (problem)
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


def plain_text(record: bytes) -> str:
    """A JSON record as a payload: white space between its parts left out."""
    with session() as scratch:
        (found,) = scratch.execute("select json($record)::varchar", {"record": record.decode()}).fetchall()
    return str(found[0])


def of_judged(scratch: duckdb.DuckDBPyConnection, table: Table, day: date | None) -> pa.Table:
    """Rows of raw/quarantine for the rows of `received` that the relation `judged` rejects.

    The payload is the JSON of the record as it was received, white space between its parts left out.
    A row that came twice is one row. Without a `day` it is the row's own.
    """
    found = problems(table)
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
