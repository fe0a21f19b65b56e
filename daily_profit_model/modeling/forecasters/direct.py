"""A booster for each output: median, mean, two quantiles, two probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from daily_profit_model.modeling.boosting import Learner
from daily_profit_model.modeling.forecasters.forecaster import Raw, agreeing
from daily_profit_model.modeling.matrix import Floats


class Direct:
    """Learns each output from all rows; `median` is the loss that its middle is learnt by, in LightGBM's words.

    Huber and Fair lean towards the mean where the loss is quadratic, so their middle is no exact median.
    """

    def __init__(self, median: Mapping[str, Any]) -> None:
        self.learners: Mapping[str, Learner] = {
            "median": Learner(median),
            "mean": Learner({"objective": "regression", "metric": "l2"}, target="bounded", weight="scale"),
            "q05": Learner({"objective": "quantile", "alpha": 0.05, "metric": "quantile"}),
            "q95": Learner({"objective": "quantile", "alpha": 0.95, "metric": "quantile"}),
            "probability_trade": Learner(_CHANCE, target="traded", weight="one"),
            "probability_profit": Learner(_CHANCE, target="profitable", weight="one"),
        }
        self.explained = "median"
        self.explaining: tuple[str, ...] = ("median",)

    def outputs(self, raw: Raw, carry: Floats) -> dict[str, Floats]:
        """Quantiles in order (rearranged, Chernozhukov et al. 2010); the median is 0 where neither profit nor
        loss has half the probability. The mean lies between the outer quantiles: squared errors of heavy tails
        let single accounts run far away."""
        ordered = np.sort(np.stack([raw[name] + carry for name in ("q05", "median", "q95")]), axis=0)
        trade = np.clip(raw["probability_trade"], 0.0, 1.0)
        profit = np.minimum(np.clip(raw["probability_profit"], 0.0, 1.0), trade)
        undecided = (profit < 0.5) & (trade - profit < 0.5)
        median = np.where(undecided, 0.0, ordered[1])
        lower, upper = np.minimum(ordered[0], median), np.maximum(ordered[2], median)
        mean = np.clip(raw["mean"] + carry, lower, upper)
        return agreeing(median, mean, (lower, upper), trade, profit)

    def contributions(self, parts: Raw, carry: Floats, carry_place: int | None) -> tuple[Floats, Floats]:
        """Of the median's booster, with carry a contribution of open profit."""
        own = parts[self.explained][:, :-1].copy()
        if carry_place is not None:
            own[:, carry_place] += carry
        return own, parts[self.explained][:, -1]


_CHANCE = {"objective": "binary", "metric": "binary_logloss"}
