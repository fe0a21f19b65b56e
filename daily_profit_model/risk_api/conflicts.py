"""Rows that came more than once: of a key one row is kept, and what differs from it is quarantined.

Which rows came is known to `decode`. Hashes of rows are compared, because comparing 150 columns of every repeated
row takes more memory than the rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date

import duckdb
import pyarrow as pa

from daily_profit_model.risk_api import quarantine
from daily_profit_model.risk_api.envelope import rows_in
from daily_profit_model.risk_api.quarantine import DUPLICATE_KEY, Rejection
from daily_profit_model.risk_api.rows_sql import quoted
from daily_profit_model.tables.contract import Table


def find_losers(scratch: duckdb.DuckDBPyConnection, table: Table, good: str) -> None:
    """The table `question.losers` (page, place, version, copy): rows of `good` that another one of their key replaces.

    Of different contents the least by its hash stands (version 1), and of its copies the first.
    """
    scratch.execute(f"""
create table question.losers as
select page, place, version, row_number() over (partition by identity, whole order by page, place) as copy
from (
  select page, place, identity, whole, dense_rank() over (partition by identity order by whole) as version
  from (
    select page, place, identity, hash({_columns(table)}) as whole
    from {good}
    semi join (
      select identity from {good} group by identity having count(*) > 1
    ) using (identity)
  )
)
qualify version > 1 or copy > 1""")


def conflicts(
    scratch: duckdb.DuckDBPyConnection,
    table: Table,
    good: str,
    page_rows: Callable[[int], bytes],
    day_of: Callable[[date | None], date],
) -> list[pa.Table]:
    """Rows of raw/quarantine for other contents of a key that is kept, a table a day.

    Of one content in different spellings the least text stands.
    """
    losers = scratch.execute(f"""
select date, page, place, hash({_columns(table)}) as content
from question.losers
join {good} using (page, place)
where version > 1
order by page""").fetchall()
    texts: dict[tuple[date, int], str] = {}
    split: tuple[int, Sequence[bytes]] = (-1, ())
    for day, page, place, content in losers:
        if split[0] != page:
            split = page, rows_in(page_rows(page))
        text = quarantine.plain_text(split[1][place - 1])
        texts[day_of(day), content] = min(text, texts.get((day_of(day), content), text))
    by_day: dict[date, list[Rejection]] = defaultdict(list)
    for (day, _), text in texts.items():
        by_day[day].append(Rejection(DUPLICATE_KEY, "another row with this key was kept", text))
    return [quarantine.of_rejections(table, day, rejections) for day, rejections in by_day.items()]


def _columns(table: Table) -> str:
    return ", ".join(map(quoted, table.column_names))
