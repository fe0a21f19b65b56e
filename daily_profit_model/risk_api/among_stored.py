"""Rows read again among those that are stored: which are new, which are there already, and which another is kept before."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from daily_profit_model.risk_api.reread import Reread
from daily_profit_model.risk_api.rows_sql import quoted
from daily_profit_model.risk_api.scratch import session
from daily_profit_model.tables.contract import Table
from daily_profit_model.tables.raw import RAW_QUARANTINE


def sorted_out(
    table: Table, stored: pa.Table, again: Reread, payloads: Sequence[str]
) -> tuple[pa.Table, int, list[str]]:
    """Of rows read again: the new ones, how many are there already, and the payloads that another row of their key
    is kept before. Of several new ones of a key the least by its hash stands, as when they are fetched together.
    """
    columns, key = _listed("again", table.column_names), _listed("again", table.key)
    rows = again.rows.append_column("nth", pa.array(range(again.rows.num_rows), pa.int64()))
    on_key = " and ".join(f"stored.{quoted(name)} is not distinct from again.{quoted(name)}" for name in table.key)
    equal = " and ".join(
        f"stored.{quoted(name)} is not distinct from again.{quoted(name)}" for name in table.column_names
    )
    with session() as scratch:
        scratch.register("stored", stored)
        scratch.register("again", rows)
        verdicts = _verdicts(scratch, on_key, equal, columns, key)
    kinds = dict(verdicts)
    new = [nth for nth in range(rows.num_rows) if kinds[nth] == "new"]
    losing = [payloads[again.places[nth]] for nth in range(rows.num_rows) if kinds[nth] == "conflict"]
    return again.rows.take(pa.array(new, pa.int64())), rows.num_rows - len(new) - len(losing), losing


def _verdicts(
    scratch: duckdb.DuckDBPyConnection, on_key: str, equal: str, columns: str, key: str
) -> list[tuple[int, str]]:
    """(nth, `new`, `present` or `conflict`) of each row of `again`."""
    return scratch.execute(f"""
with among as (
  select
    nth,
    dense_rank() over (partition by {key} order by hash({columns})) as version,
    row_number() over (partition by {key}, hash({columns}) order by nth) as copy
  from again
),
there as (
  select nth, bool_or({equal}) as is_equal
  from again
  join stored on {on_key}
  group by nth
)
select
  nth,
  case
    when is_equal then 'present'
    when is_equal is not null then 'conflict'
    when version > 1 then 'conflict'
    when copy > 1 then 'present'
    else 'new'
  end
from among
left join there using (nth)
order by nth""").fetchall()


def numbered(parts: Sequence[pa.Table]) -> pa.Table:
    """Rejected rows together; equal payloads of one reason are counted up anew."""
    rows = pa.concat_tables([part.select(RAW_QUARANTINE.column_names) for part in parts])
    with session() as scratch:
        scratch.register("rejected", rows)
        found = scratch.sql("""
select * replace (
  row_number() over (partition by payload_hash, reason order by occurrence, detail) - 1 as occurrence
)
from rejected""").to_arrow_table()
    return found.cast(RAW_QUARANTINE.schema())


def _listed(relation: str, names: Sequence[str]) -> str:
    return ", ".join(f"{relation}.{quoted(name)}" for name in names)
