"""staging/accounts: what it is made of. The SELECT stands in sql/staging/accounts."""

from __future__ import annotations

from daily_profit_model.engine import Query, Source
from daily_profit_model.engine.sql_text import sql_text
from daily_profit_model.tables.raw import RAW_ACCOUNTS, RAW_METRICS_DAILY, RAW_PLANS, RAW_TRADES_OPEN
from daily_profit_model.tables.staging import STAGING_ACCOUNTS


def accounts_query(dormant_days: int) -> Query:
    """staging/accounts of one day, a fold: from the day before and what the day tells.

    `dormant_days`: days without a trade or a row after which an account without plan terms has ended.
    """
    sources = [Source(table) for table in (RAW_ACCOUNTS, RAW_PLANS, RAW_METRICS_DAILY, RAW_TRADES_OPEN)]
    return Query(
        sql_text("staging/accounts"),
        (*sources, Source(STAGING_ACCOUNTS, first=-1, last=-1, is_own_past=True)),
        parameters={"dormant_days": dormant_days},
        fold=True,
    )
