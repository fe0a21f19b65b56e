"""training/account_daily: features of D joined to what really came of D+1. The split by date is `modeling`'s."""

from __future__ import annotations

import pyarrow as pa

from daily_profit_model.engine import Query, Source
from daily_profit_model.engine.sql_text import sql_text
from daily_profit_model.features.catalogue import CATALOGUE, FEATURES_ACCOUNT_DAILY
from daily_profit_model.tables import Column, Table
from daily_profit_model.tables.contract import DAY, FLOAT, TEXT
from daily_profit_model.tables.raw import RAW_METRICS_DAILY

TRAINING_ACCOUNT_DAILY = Table(
    name="training/account_daily",
    description="For each weekly cut-off C: the features of the days D < C with the net profit of D+1 ≤ C, for every "
    "account that was eligible at the end of D, whatever happened to it on D+1.",
    key=("cutoff", "target_date", "account_id"),
    partitioning="cutoff",
    columns=(
        Column("cutoff", DAY, "The cut-off C", required=True),
        Column("feature_date", DAY, "D", required=True),
        Column("target_date", DAY, "D+1", required=True),
        Column("account_id", TEXT, "Account", required=True),
        Column("login", TEXT, "Login", required=True),
        Column("plan_id", TEXT, "Plan"),
        *(feature.column() for feature in CATALOGUE),
        Column("target_net_profit", FLOAT, "Net profit of D+1; null: closed", "USD"),
        Column(
            "target_status", TEXT, "`traded`, `idle` (a true zero) or `closed` (ended without a trade)", required=True
        ),
    ),
)

_SQL = f"""
with settlements as (
    {sql_text("staging/settlements")}
),
labelled as (
    select
        $last_day as cutoff,
        features_account_daily.date as feature_date,
        features_account_daily.date + 1 as target_date,
        features_account_daily.* exclude (date),
        coalesce(settlements.settlement, 'idle') as target_status,
        case when settlements.account_id is null then 0.0 else settlements.net_profit end as target_net_profit
    from features_account_daily
    -- pending targets, of days that have not arrived, are left out here
    join complete_days
        on complete_days.date = features_account_daily.date + 1
    left join settlements
        on settlements.account_id = features_account_daily.account_id
        and settlements.date = features_account_daily.date + 1
)
select *
from labelled
-- a row that tells of trades but not of their profit is no target
where target_status = 'closed' or target_net_profit is not null
"""


def training_query(feature_days: int, complete_days: list[str]) -> Query:
    """The training set of one cut-off, from `feature_days` days of features before it.

    `complete_days`: the days of which raw/metrics_daily is complete (ISO).
    """
    known = pa.table({"date": pa.array(complete_days, pa.string()).cast(pa.date32())})
    return Query(
        _SQL,
        (
            Source(FEATURES_ACCOUNT_DAILY, first=-feature_days, last=-1),
            Source(RAW_METRICS_DAILY, first=1 - feature_days, last=0, optional=True),
        ),
        frames={"complete_days": known},
        fold=True,
    )
