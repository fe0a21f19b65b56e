"""A statistical tripwire: features that go with the target as only the target itself can. It suspects, and proves nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa

from daily_profit_model.engine import Query, Source, run
from daily_profit_model.engine.sql_text import sql_text
from daily_profit_model.lake import Lake
from daily_profit_model.tables.raw import RAW_METRICS_DAILY

IMPLAUSIBLE = 0.7
"""Rank correlation with the net profit of D+1, over the accounts that trade on D+1, above which a feature is suspected.
In the simulated firm (485 accounts, 20 days) the best honest feature, open_pnl, reaches 0.44; the net profit of D+1
relative to the balance reaches 0.87."""
FEWEST_ACCOUNTS = 30
"""Accounts that a day must have for its correlation to count: chance alone passes IMPLAUSIBLE once in 60,000 then."""
ACCOUNT = "account_id"
TARGET = "net_profit_of_next_day"


@dataclass(frozen=True)
class Suspicion:
    """A feature and its mean rank correlation with the target over the audited days."""

    table: str
    feature: str
    correlation: float
    days: int


class Tripwire:
    """Collects the rank correlations of days, feature by feature."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], list[float]] = {}

    def look(self, lake: Lake, made: Mapping[str, pa.Table], day: str) -> None:
        """Correlate what tables (name → rows with `account_id`) say of `day` with what the lake knows of the day after.

        A day after which nothing is known yet, or on which few accounts trade, counts for nothing.
        """
        target = _profit_of(lake, (date.fromisoformat(day) + timedelta(days=1)).isoformat())
        for table, rows in made.items():
            joined = rows.to_pandas().merge(target, on=ACCOUNT)
            values = joined[_measurable(rows)].astype(float)
            known = values.loc[:, (values.count() >= FEWEST_ACCOUNTS) & (values.nunique() > 1)]
            for name, correlation in known.rank().corrwith(joined[TARGET].rank()).dropna().items():
                self._found.setdefault((table, str(name)), []).append(float(correlation))

    def suspicions(self) -> list[Suspicion]:
        """Features above IMPLAUSIBLE, the worst first."""
        means = {key: float(np.mean(found)) for key, found in self._found.items()}
        worst = sorted(means, key=lambda key: (-abs(means[key]), key))
        return [
            Suspicion(*key, round(means[key], 6), len(self._found[key]))
            for key in worst
            if abs(means[key]) > IMPLAUSIBLE
        ]


def _profit_of(lake: Lake, day: str) -> pd.DataFrame:
    """Accounts that traded on `day`, with their net profit."""
    query = Query(sql_text("staging/settlements"), (Source(RAW_METRICS_DAILY, optional=True),))
    settled = run(query, lake, [day]).to_pandas()
    traded = settled[(settled["settlement"] == "traded") & settled["net_profit"].notna()]
    profits: pd.DataFrame = traded[[ACCOUNT, "net_profit"]].rename(columns={"net_profit": TARGET})
    return profits


def _measurable(rows: pa.Table) -> Sequence[str]:
    kinds = (pa.types.is_floating, pa.types.is_integer, pa.types.is_boolean)
    return [field.name for field in rows.schema if any(is_kind(field.type) for is_kind in kinds)]
