"""Whose trade it is: the logins known by now, and the days on which they resolve a trade that was unresolved.

The SELECT stands in sql/staging/trades; when a day is made again is decided by the graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from daily_profit_model.engine import Query, Source, run
from daily_profit_model.engine.sql_text import sql_text
from daily_profit_model.lake import Lake, read
from daily_profit_model.tables import Table
from daily_profit_model.tables.contract import FLAG, INT, TEXT
from daily_profit_model.tables.raw import (
    RAW_ACCOUNTS,
    RAW_METRICS_DAILY,
    RAW_TEST_LOGINS,
    RAW_TRADES_CLOSED,
)
from daily_profit_model.tables.staging import STAGING_ACCOUNTS, STAGING_TRADES

LOGIN = ("login", "platform", "broker")
KNOWN_LOGINS = pa.schema([("login", TEXT), ("platform", INT), ("broker", INT), ("account_id", TEXT), ("is_test", FLAG)])
"""One row a login: its account, or none when it is a test account's."""

TRADES = Query(
    sql_text("staging/trades"),
    tuple(Source(table) for table in (RAW_TRADES_CLOSED, STAGING_ACCOUNTS, RAW_METRICS_DAILY, RAW_ACCOUNTS)),
    is_portable=True,
)
"""staging/trades but for the frame of logins that are known by now."""

_RESOLVABLE = """
select distinct date
from staging_trades
join known_logins
    using (login, platform, broker)
where not is_resolved
order by date
"""


def trades_query(lake: Lake) -> Query:
    """staging/trades; a login that was not known by the day is resolved by what is known now.

    What is known now is no recorded input: a new snapshot does not make the past stale, only a login in
    it that was missing does (`resolvable_days`).
    """
    return replace(TRADES, frames={"known_logins": known_logins(lake)})


def known_logins(lake: Lake) -> pa.Table:
    """Every login of the newest snapshot of accounts, in the schema KNOWN_LOGINS.

    The all-time answer lists every account that there ever was, so the newest snapshot knows them all.
    """
    accounts = _newest(lake, RAW_ACCOUNTS, [*LOGIN, "account_id"])
    of_accounts = accounts.group_by(list(LOGIN)).aggregate([("account_id", "max")])
    of_tests = _newest(lake, RAW_TEST_LOGINS, list(LOGIN)).join(of_accounts, list(LOGIN), join_type="left anti")
    parts = [
        (of_accounts, of_accounts["account_id_max"], False),
        (of_tests, pa.nulls(of_tests.num_rows, TEXT), True),
    ]
    return pa.concat_tables(
        pa.table(
            [*(logins[name] for name in LOGIN), account_ids, pa.repeat(pa.scalar(is_test), logins.num_rows)],
            schema=KNOWN_LOGINS,
        )
        for logins, account_ids, is_test in parts
    )


def resolvable_days(lake: Lake, days: Sequence[str]) -> list[str]:
    """Those of `days` (ascending) whose staging/trades holds an unresolved trade of a login that is known by now."""
    if not days:
        return []
    query = Query(_RESOLVABLE, (Source(STAGING_TRADES, optional=True),), frames={"known_logins": known_logins(lake)})
    return [day.isoformat() for day in run(query, lake, days)["date"].to_pylist()]


def _newest(lake: Lake, table: Table, columns: list[str]) -> pa.Table:
    return read(lake, table, lake.partitions(table.name)[-1:], as_known="newest", columns=columns)
