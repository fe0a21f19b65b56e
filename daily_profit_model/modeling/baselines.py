"""Forecasts that need no model, with honest intervals: what a model must beat to be of any use.

Here: zero, the last value, the account's own median and the training median, each with an interval whose
ends are quantiles of its own past errors (a conformal interval without any model). Comparing them with a
model belongs to `evaluation`; which of them serves while no model may is the gate's to say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True)
class Baseline:
    """One of BASELINES with all that it has learnt; weekday and weekend apart, in this order."""

    name: str
    train_median: float
    """USD; the point of `train_median`, and of accounts that lack what the others repeat."""
    reaches: tuple[tuple[float, float], tuple[float, float]]
    """What is added to the point for the 5 % and the 95 % quantile: profit scales, for `train_median` USD."""
    trade: tuple[float, float]
    """Share of past rows that traded."""
    profit: tuple[float, float]
    """Share of past rows with a profit."""
    settings: BaselineSettings

    def forecast(self, rows: pa.Table) -> Floats:
        """USD, rows x 3 (5 %, point, 95 %)."""
        point = _points(rows, self.name, self.train_median, self.settings)
        spread = np.array(self.reaches)[_is_weekend(rows).astype(int)] * _units(rows, self.name)[:, None]
        return np.stack([point + np.minimum(spread[:, 0], 0), point, point + np.maximum(spread[:, 1], 0)], axis=1)

    def chances(self, rows: pa.Table) -> tuple[Floats, Floats]:
        """Probability of trading and of profit, per row."""
        weekend = _is_weekend(rows).astype(int)
        return np.array(self.trade)[weekend], np.array(self.profit)[weekend]


def learn_baseline(name: str, past: pa.Table, settings: BaselineSettings) -> Baseline:
    """A baseline from `past`, which is all that was known.

    The interval's ends are quantiles of past errors in units of the account's profit scale (an EWMA of absolute
    profit), weekends apart; the training median, which knows no account, has them in USD.
    """
    outcome = floats(past["target_net_profit"])
    weekend = _is_weekend(past)
    train_median = float(np.median(outcome))
    errors = (outcome - _points(past, name, train_median, settings)) / _units(past, name)
    traded = (outcome != 0) | np.asarray(pc.equal(past["target_status"], "traded").to_numpy(), dtype=bool)

    def apart(values: Floats, measure: Callable[[Floats], Any]) -> tuple[Any, Any]:
        parts = [values[weekend == kind] for kind in (False, True)]
        return tuple(measure(part if len(part) else values) for part in parts)

    return Baseline(
        name=name,
        train_median=train_median,
        reaches=apart(errors, lambda part: tuple(np.quantile(part, [0.05, 0.95]).tolist())),
        trade=apart(traded.astype(np.float64), lambda part: float(part.mean())),
        profit=apart((outcome > 0).astype(np.float64), lambda part: float(part.mean())),
        settings=settings,
    )


def baseline_forecasts(past: pa.Table, rows: pa.Table, settings: BaselineSettings) -> dict[str, Floats]:
    """Per baseline the forecasts for `rows`, USD, rows x 3 (5 %, point, 95 %), learnt from `past`."""
    return {name: learn_baseline(name, past, settings).forecast(rows) for name in BASELINES}


def _units(table: pa.Table, name: str) -> Floats:
    return np.ones(table.num_rows) if name == "train_median" else floats(table["profit_scale"])


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
    """Saturdays and Sundays among the predicted days."""
    day = "target_date" if "target_date" in table.column_names else "prediction_date"
    flags: npt.NDArray[np.bool_] = pc.day_of_week(table[day]).to_numpy() >= 5
    return flags
