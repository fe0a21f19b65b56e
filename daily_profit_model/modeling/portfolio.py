"""predictions/portfolio_daily: what it is made of. The SELECT and its method stand in sql/predictions/portfolio_daily."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from daily_profit_model.engine import Query, Source
from daily_profit_model.engine.sql_text import sql_text
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model.tables.raw import RAW_METRICS_DAILY

EVIDENCE_DAYS = 84
"""Past days whose errors an interval rests on: whole weeks, as long as the fold of accounts' intervals."""


def portfolio_query(complete_days: Sequence[str], evidence_days: int = EVIDENCE_DAYS) -> Query:
    """The sums of the predicted days, with the errors of the days before each as they were first known.

    `complete_days`: the days of which raw/metrics_daily is complete (ISO); others are no evidence.
    """
    known = pa.table({"date": pa.array(complete_days, pa.string()).cast(pa.date32())})
    return Query(
        sql_text("predictions/portfolio_daily"),
        (
            Source(PREDICTIONS_ACCOUNT_DAILY, first=-evidence_days, name="predicted", optional=True),
            Source(RAW_METRICS_DAILY, first=-evidence_days, last=-1, optional=True),
        ),
        parameters={"evidence_days": evidence_days},
        frames={"complete_days": known},
    )
