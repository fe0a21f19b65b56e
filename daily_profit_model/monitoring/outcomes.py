"""Predictions against what came of the day. A missing row of a complete day is a true zero (PITFALLS L9)."""

from __future__ import annotations

from daily_profit_model.engine import Query, Source
from daily_profit_model.engine.sql_text import sql_text
from daily_profit_model.tables import Table
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model.tables.raw import RAW_METRICS_DAILY

_SETTLED = f"""
with settlements as (
    {sql_text("staging/settlements")}
),
settled as (
    select
        predictions.*,
        coalesce(settlements.settlement, 'idle') as outcome_status,
        case when settlements.account_id is null then 0.0 else settlements.net_profit end as net_profit
    from predictions
    left join settlements
        on settlements.account_id = predictions.account_id
        and settlements.date = predictions.prediction_date
)
"""

_OUTCOMES = f"""
{_SETTLED}
select
    *,
    net_profit - predicted_net_profit as error,
    abs(net_profit - predicted_net_profit) as absolute_error,
    net_profit between lower_90 and upper_90 as is_covered,
    net_profit < lower_90 as is_below,
    net_profit > upper_90 as is_above
from settled
"""

_SCORED = f"""
{_SETTLED}
select
    prediction_date,
    account_id,
    net_profit
from settled
where net_profit is not null
"""


def outcomes_query() -> Query:
    """monitoring/outcomes: one row per prediction, none for a day that was not predicted; the newest
    revision of the day's metrics counts."""
    return Query(
        _OUTCOMES,
        (
            Source(PREDICTIONS_ACCOUNT_DAILY, name="predictions", optional=True),
            Source(RAW_METRICS_DAILY, as_known="newest"),
        ),
    )


def scored_outcomes_query(scores: Table) -> Query:
    """Rows (prediction_date, account_id, net_profit USD) for the scored rows, as first known: calibration
    must not learn from a correction that came after the cut-off."""
    return Query(_SCORED, (Source(scores, name="predictions", optional=True), Source(RAW_METRICS_DAILY)))
