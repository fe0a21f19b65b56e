"""What all accounts together will probably make: the mean summed, with an interval from past days' errors.

Accounts of one day share a market, so interval ends are never added up; the spread of whole past days
(DESIGN.md: the day is the unit) says how far a sum goes astray.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.matrix import floats

FEWEST_DAYS = 10


@dataclass(frozen=True)
class Portfolio:
    """Sum over accounts, USD. `lower_90` and `upper_90` are None while too few days have outcomes."""

    accounts: int
    expected: float
    lower_90: float | None
    upper_90: float | None
    days_of_evidence: int


def portfolio(predictions: pa.Table, outcomes: pa.Table) -> Portfolio:
    """The portfolio of one day's predictions/account_daily, by the monitoring/outcomes of earlier days.

    A past day's error of the sum counts in units of that day's summed interval widths, so that a quiet
    weekend and a loud Wednesday can be compared; the 5 % and 95 % quantiles are over days.
    """
    expected = float(floats(predictions["expected_net_profit"]).sum())
    width = float((floats(predictions["upper_90"]) - floats(predictions["lower_90"])).sum())
    settled = outcomes.filter(pc.is_valid(outcomes["net_profit"]))
    days, places = np.unique(settled["prediction_date"].cast(pa.int32()).to_numpy(), return_inverse=True)
    widths = np.bincount(places, weights=floats(settled["upper_90"]) - floats(settled["lower_90"]))
    wide = widths > 0
    if wide.sum() < FEWEST_DAYS:
        return Portfolio(predictions.num_rows, expected, None, None, len(days))
    errors = np.bincount(places, weights=floats(settled["net_profit"]) - floats(settled["expected_net_profit"]))
    lower, upper = np.quantile(errors[wide] / widths[wide], [0.05, 0.95])
    return Portfolio(predictions.num_rows, expected, expected + lower * width, expected + upper * width, len(days))
