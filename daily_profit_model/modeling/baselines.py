"""Forecasts that need no model, with honest intervals: what a model must beat to be of any use.

Here: zero, the last value, the account's own median and the training median, each with an interval whose
ends are quantiles of its own past errors (a conformal interval without any model). Comparing them with a
model belongs to `evaluation`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.matrix import Floats, floats

BASELINES = ("zero", "last_value", "account_median", "train_median")
QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class BaselineSettings:
    """Which columns of the frame the baselines repeat."""

    last_value: str = "pnl_sum_1d"
    """The account's net profit of the feature day D, USD."""
    account_median: str = "pnl_median_20d"
    """The account's median daily net profit of the last 20 days, USD."""

    @property
    def columns(self) -> tuple[str, str]:
        return self.last_value, self.account_median


def baseline_forecasts(past: pa.Table, rows: pa.Table, settings: BaselineSettings) -> dict[str, Floats]:
    """Per baseline the forecasts for `rows`, USD, rows x 3 (5 %, point, 95 %); `past` is all that was known.

    The interval's ends are the point plus quantiles of past errors in units of the account's profit scale
    (an EWMA of absolute profit), weekends apart; the training median, which knows no account, has them in
    USD. A forecast that an account lacks (no history yet) is the training median's.
    """
    outcome = floats(past["target_net_profit"])
    train_median = float(np.median(outcome))
    weekend = (_is_weekend(past), _is_weekend(rows))
    forecasts = {}
    for name in BASELINES:
        points = tuple(_points(table, name, train_median, settings) for table in (past, rows))
        by_account = name != "train_median"
        units = tuple(floats(t["profit_scale"]) if by_account else np.ones(t.num_rows) for t in (past, rows))
        errors = (outcome - points[0]) / units[0]
        ends = np.empty((rows.num_rows, 2))
        for kind in (False, True):
            seen = errors[weekend[0] == kind]
            reach = np.quantile(seen if len(seen) else errors, [0.05, 0.95])
            ends[weekend[1] == kind] = reach
        spread = ends * units[1][:, None]
        forecasts[name] = np.stack(
            [points[1] + np.minimum(spread[:, 0], 0), points[1], points[1] + np.maximum(spread[:, 1], 0)],
            axis=1,
        )
    return forecasts


def _points(table: pa.Table, name: str, train_median: float, settings: BaselineSettings) -> Floats:
    if name == "zero":
        return np.zeros(table.num_rows)
    if name == "train_median":
        return np.full(table.num_rows, train_median)
    column = settings.last_value if name == "last_value" else settings.account_median
    if column not in table.column_names:
        raise ValueError(f"the frame lacks the column {column} that the baseline {name} repeats")
    values = floats(table[column])
    return np.where(np.isnan(values), train_median, values)


def _is_weekend(table: pa.Table) -> npt.NDArray[np.bool_]:
    """Saturdays and Sundays among the target dates."""
    weekday = pc.day_of_week(table["target_date"]).to_numpy()
    flags: npt.NDArray[np.bool_] = weekday >= 5
    return flags
