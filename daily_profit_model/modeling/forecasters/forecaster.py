"""What a candidate must say of itself, and what all of them must agree in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from daily_profit_model.modeling.boosting import Learner
from daily_profit_model.modeling.matrix import Floats

OUTPUTS = ("median", "mean", "q05", "q95", "probability_trade", "probability_profit")
"""What every candidate says of a row: money in profit scales, then probabilities."""

Raw = Mapping[str, Floats]
"""Each booster's own prediction, by the booster's name."""


class Forecaster(Protocol):
    """Boosters and how their outputs make a forecast."""

    @property
    def learners(self) -> Mapping[str, Learner]:
        """What each booster learns, by its name."""
        ...

    def outputs(self, raw: Raw, carry: Floats) -> dict[str, Floats]:
        """The OUTPUTS of rows, which agree with one another.

        `carry`: what open positions are expected to realise, in profit scales, which no booster has learnt.
        """
        ...

    @property
    def explained(self) -> str:
        """The output whose contributions are the reasons of a prediction: `median` or `mean`."""
        ...

    @property
    def explaining(self) -> tuple[str, ...]:
        """The boosters that the explained output comes from."""
        ...

    def contributions(self, parts: Raw, carry: Floats, carry_place: int | None) -> tuple[Floats, Floats]:
        """Rows x features and the base per row, in profit scales: together the explained output, before it is
        bounded by others.

        `parts`: TreeSHAP values by booster, rows x (features + 1), the last column the booster's base.
        `carry_place`: the feature that carry is a contribution of; None without carry.
        """
        ...


def agreeing(
    median: Floats, mean: Floats, ends: tuple[Floats, Floats], trade: Floats, profit: Floats
) -> dict[str, Floats]:
    """OUTPUTS that agree: the median lies between the ends, and a profit is no likelier than trading.

    The mean may lie outside: of a day on which hardly anyone trades both ends are 0, and sums of means are not.
    """
    trade = np.clip(trade, 0.0, 1.0)
    return {
        "median": median,
        "mean": mean,
        "q05": np.minimum(ends[0], median),
        "q95": np.maximum(ends[1], median),
        "probability_trade": trade,
        "probability_profit": np.minimum(np.clip(profit, 0.0, 1.0), trade),
    }
