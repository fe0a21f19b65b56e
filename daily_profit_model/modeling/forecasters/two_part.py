"""Whether the account trades, and what it makes when it does; the day's law is the mixture of the two.

Method. An account that does not trade makes exactly 0, so the law of its profit y has a mass 1 − p at zero:
F(y) = (1 − p)·[y ≥ 0] + p·G(y), with p the probability of trading and G the law of the size of a trading day
(two-part model; Duan et al. 1983, J. Bus. Econ. Stat. 1, 115). G is given by quantile boosters that learn from
trading days alone, joined by straight lines. All outputs come from F, so none contradicts another.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from daily_profit_model.modeling.boosting import Learner
from daily_profit_model.modeling.forecasters.forecaster import Raw, agreeing
from daily_profit_model.modeling.matrix import Floats

SIZE_LEVELS = (0.05, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95)
"""Levels of G that are learnt. The mixture's 5 % and 95 % never lie outside them: p is at most 1."""

SIZE_BOOSTERS = tuple(f"size_{round(100 * level):02d}" for level in SIZE_LEVELS)


class TwoPart:
    """The mixture of a mass at zero and the size of a trading day."""

    def __init__(self) -> None:
        sizes = {
            name: Learner({"objective": "quantile", "alpha": level, "metric": "quantile"}, only_traded=True)
            for name, level in zip(SIZE_BOOSTERS, SIZE_LEVELS, strict=True)
        }
        self.learners: Mapping[str, Learner] = {
            "probability_trade": Learner(
                {"objective": "binary", "metric": "binary_logloss"}, target="traded", weight="one"
            ),
            "size_mean": Learner(
                {"objective": "regression", "metric": "l2"}, target="bounded", weight="scale", only_traded=True
            ),
            **sizes,
        }
        self.explained = "mean"
        self.explaining: tuple[str, ...] = ("probability_trade", "size_mean")

    def outputs(self, raw: Raw, carry: Floats) -> dict[str, Floats]:
        """The mixture's quantiles, mean and probabilities."""
        trade = np.clip(raw["probability_trade"], 0.0, 1.0)
        sizes = np.sort(np.stack([raw[name] + carry for name in SIZE_BOOSTERS], axis=1), axis=1)
        losing = _share_below_zero(sizes)
        lower, median, upper = (_mixed_quantile(level, trade, sizes, losing) for level in (0.05, 0.5, 0.95))
        mean = trade * (raw["size_mean"] + carry)
        return agreeing(median, mean, (lower, upper), trade, trade * (1.0 - losing))

    def contributions(self, parts: Raw, carry: Floats, carry_place: int | None) -> tuple[Floats, Floats]:
        """Of the mean p·m, exactly: a product's change is the change of each factor times the mean of the other's
        two ends. The probability's own change is shared as its log-odds are."""
        odds, sizes = parts["probability_trade"], parts["size_mean"]
        base_odds, base_size = odds[:, -1], sizes[:, -1]
        trade, base_trade = _chance(odds.sum(axis=1)), _chance(base_odds)
        size_parts = sizes[:, :-1].copy()
        if carry_place is not None:
            size_parts[:, carry_place] += carry
        size = base_size + size_parts.sum(axis=1)
        moved = odds[:, :-1].sum(axis=1)
        # a probability that did not move has no parts to share; its slope then meets zeros alone
        slope = np.divide(trade - base_trade, moved, out=base_trade * (1.0 - base_trade), where=np.abs(moved) > 1e-12)
        shared = size_parts * ((trade + base_trade) / 2)[:, None]
        shared += odds[:, :-1] * (slope * (size + base_size) / 2)[:, None]
        return shared, base_trade * base_size


def _share_below_zero(sizes: Floats) -> Floats:
    """G(0) of each row, from its quantiles (rows x levels, ascending): straight between levels, level at the ends."""
    levels = np.array(SIZE_LEVELS)
    above = (sizes < 0.0).sum(axis=1)
    place = np.clip(above, 1, len(levels) - 1)
    rows = np.arange(len(sizes))
    low, high = sizes[rows, place - 1], sizes[rows, place]
    part = np.clip(np.divide(-low, high - low, out=np.zeros(len(sizes)), where=high > low), 0.0, 1.0)
    inside = levels[place - 1] + part * (levels[place] - levels[place - 1])
    # beyond the outer levels half of what is left: nothing is known of where it lies
    share: Floats = np.where(above == 0, levels[0] / 2, np.where(above == len(levels), (1.0 + levels[-1]) / 2, inside))
    return share


def _mixed_quantile(level: float, trade: Floats, sizes: Floats, losing: Floats) -> Floats:
    """The mixture's quantile at `level`: of the losses, zero, or of the profits."""
    with np.errstate(divide="ignore", invalid="ignore"):
        of_losses = _size_at(level / trade, sizes)
        of_profits = _size_at((level - (1.0 - trade)) / trade, sizes)
    below = np.minimum(of_losses, 0.0)
    above = np.maximum(of_profits, 0.0)
    return np.where(level < trade * losing, below, np.where(level > trade * losing + (1.0 - trade), above, 0.0))


def _size_at(level: Floats, sizes: Floats) -> Floats:
    """The quantile of G at each row's level, straight between the learnt ones and flat outside."""
    levels = np.array(SIZE_LEVELS)
    wanted = np.clip(np.nan_to_num(level, nan=0.5, posinf=1.0, neginf=0.0), levels[0], levels[-1])
    place = np.clip(np.searchsorted(levels, wanted, side="left"), 1, len(levels) - 1)
    rows = np.arange(len(sizes))
    part = (wanted - levels[place - 1]) / (levels[place] - levels[place - 1])
    low, high = sizes[rows, place - 1], sizes[rows, place]
    size: Floats = low + part * (high - low)
    return size


def _chance(log_odds: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-log_odds))
