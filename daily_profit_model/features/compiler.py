"""From the catalogue to one SQL text, the same for one day and for any range of days."""

from __future__ import annotations

from daily_profit_model.engine import Query, Source
from daily_profit_model.features.catalogue import CATALOGUE, IDENTITY, LOOK_BACK_DAYS
from daily_profit_model.features.windows import common_table_expressions
from daily_profit_model.tables.staging import STAGING_ACCOUNTS


def account_daily_query() -> Query:
    """features/account_daily for the days `$first_day` … `$last_day`, from their look-back.

    Rows: one per eligible account and day. Profit is counted in whole cents from here on.
    """
    days = (
        "select\n        *,\n        round(net_profit * 100)::bigint as profit_cents\n"
        "    from staging_accounts\n"
        f"    where date between $first_day - interval {LOOK_BACK_DAYS - 1} day and $last_day"
    )
    chain = [("account_days", days), *common_table_expressions("account_days")]
    expressions = ",\n    ".join(
        [*(column.name for column in IDENTITY), *(f"{feature.sql} as {feature.name}" for feature in CATALOGUE)]
    )
    ctes = ",\n".join(f"{name} as (\n    {select}\n)" for name, select in chain)
    sql = (
        f"with {ctes}\nselect\n    {expressions}\nfrom {chain[-1][0]}\n"
        "where date between $first_day and $last_day\n    and is_eligible"
    )
    return Query(sql, (Source(STAGING_ACCOUNTS, first=1 - LOOK_BACK_DAYS),))
