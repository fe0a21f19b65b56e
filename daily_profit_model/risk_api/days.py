"""Rows of several days, received together, as the bodies of each day.

Only the day of a row is read here; all else about it belongs to `decode`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pyarrow as pa

from daily_profit_model.risk_api.envelope import session
from daily_profit_model.risk_api.rows_sql import instant

ROWS_A_BODY = 1000
"""As many as a page of the service has."""


def split_by_day(bodies: Sequence[bytes], field: str, days: Sequence[date]) -> dict[date, list[bytes]] | None:
    """The records of `bodies` (JSON arrays) by the day in `field`, as JSON arrays again.

    Null if any record belongs to none of `days`, or its day cannot be read.
    """
    query = f"""
with records as (
  select unnest(json_extract(body, '$[*]'))::varchar as record
  from bodies
),
dated as (
  select
    record,
    {instant(f"trim(json_extract_string(record, '$.{field}'))")}::date as day
  from records
),
numbered as (
  select
    record,
    day,
    (row_number() over (partition by day) - 1) // {ROWS_A_BODY} as part
  from dated
)
select
  day,
  '[' || string_agg(record, ',') || ']' as body
from numbered
group by
  day,
  part
order by
  day,
  part
"""
    with session() as scratch:
        scratch.register("bodies", pa.table({"body": pa.array(bodies, pa.binary()).cast(pa.string())}))
        parts = scratch.sql(query).fetchall()
    if any(day not in days for day, _ in parts):
        return None
    by_day: dict[date, list[bytes]] = {day: [] for day in days}
    for day, body in parts:
        by_day[day].append(body.encode())
    return by_day
