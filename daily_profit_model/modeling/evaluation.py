"""How good predictions were on days that nothing was fitted to, in USD and by whole days.

Here: losses, coverage, skill against the best baseline with a bootstrap over days. Which days those are
is decided in `splits`, whether the result is good enough in `registry`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from daily_profit_model.modeling.baselines import QUANTILES
from daily_profit_model.modeling.matrix import Floats, floats

BOOTSTRAP_DRAWS = 2000
BOOTSTRAP_SEED = 5


@dataclass(frozen=True)
class Skill:
    """1 - loss / loss of the best baseline, losses averaged within each day and then over days."""

    value: float
    lower: float
    """Percentile interval, 95 %, from a bootstrap over whole days."""
    upper: float
    best_baseline: str
    baseline_losses: Mapping[str, float]
    loss: float


@dataclass(frozen=True)
class Evaluation:
    """Figures of one set of predicted days; money in USD, means of days."""

    days: int
    rows: int
    pinball: Mapping[str, float]
    """Pinball loss of the served 5 %, median and 95 % (`05`, `50`, `95`)."""
    raw_pinball: Mapping[str, float]
    """The same of the uncalibrated quantiles."""
    winkler_90: float
    raw_winkler_90: float
    mean_absolute_error: float
    coverage_90: float
    miss_lower: float
    miss_upper: float
    brier_trade: float
    brier_profit: float
    auc_trade: float | None
    """None when all rows are of one kind."""
    auc_profit: float | None
    rank_correlation: float | None
    """Mean over days of Spearman's correlation between expected and actual profit; None: none defined."""
    skill: Skill
    """Of the three quantiles together."""
    median_skill: Skill
    """Of the median alone: 1 - MAE / MAE of the best baseline."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def pinball(outcome: Floats, quantile: Floats, level: float) -> Floats:
    """Pinball loss per row (Koenker & Bassett 1978), in the unit of the outcome."""
    error = outcome - quantile
    return np.maximum(level * error, (level - 1.0) * error)


def winkler(outcome: Floats, lower: Floats, upper: Floats, miss_rate: float = 0.1) -> Floats:
    """Interval score per row (Winkler 1972): width plus 2/alpha times the distance outside."""
    outside = np.maximum(lower - outcome, 0.0) + np.maximum(outcome - upper, 0.0)
    return upper - lower + outside * 2.0 / miss_rate


def evaluate(predictions: pa.Table, baselines: Mapping[str, Floats]) -> Evaluation:
    """The figures of `predictions`, one row an account-day, against `baselines`.

    Columns: prediction_date, net_profit, median, mean, q05, q95, lower_90, upper_90 (USD),
    probability_trade, probability_profit, traded (0 or 1). `baselines`: forecasts in the same row order,
    rows x 3 (5 %, median, 95 %; USD).
    """
    data = {
        name: floats(predictions[name])
        for name in ("net_profit", "median", "mean", "q05", "q95", "lower_90", "upper_90",
                     "probability_trade", "probability_profit", "traded")
    }  # fmt: skip
    days = np.unique(predictions["prediction_date"].cast(pa.int32()).to_numpy(), return_inverse=True)[1]
    outcome = data["net_profit"]
    served = np.stack([data["lower_90"], data["median"], data["upper_90"]], axis=1)
    raw = np.stack([data["q05"], data["median"], data["q95"]], axis=1)
    losses = quantile_losses(outcome, served, days)
    baseline_losses = {name: quantile_losses(outcome, forecast, days) for name, forecast in baselines.items()}
    raw_losses = quantile_losses(outcome, raw, days).mean(axis=0)
    below, above = outcome < data["lower_90"], outcome > data["upper_90"]
    return Evaluation(
        days=len(losses),
        rows=len(outcome),
        pinball=dict(zip(("05", "50", "95"), losses.mean(axis=0).tolist(), strict=True)),
        raw_pinball=dict(zip(("05", "50", "95"), raw_losses.tolist(), strict=True)),
        winkler_90=mean_of_days(winkler(outcome, data["lower_90"], data["upper_90"]), days),
        raw_winkler_90=mean_of_days(winkler(outcome, data["q05"], data["q95"]), days),
        mean_absolute_error=mean_of_days(np.abs(outcome - data["median"]), days),
        coverage_90=1.0 - float(below.mean()) - float(above.mean()),
        miss_lower=float(below.mean()),
        miss_upper=float(above.mean()),
        brier_trade=mean_of_days((data["probability_trade"] - data["traded"]) ** 2, days),
        brier_profit=mean_of_days((data["probability_profit"] - (outcome > 0)) ** 2, days),
        auc_trade=area_under_curve(data["probability_trade"], data["traded"] > 0),
        auc_profit=area_under_curve(data["probability_profit"], outcome > 0),
        rank_correlation=rank_correlation(data["mean"], outcome, days),
        skill=skill(losses.mean(axis=1), {k: v.mean(axis=1) for k, v in baseline_losses.items()}),
        median_skill=skill(losses[:, 1], {k: v[:, 1] for k, v in baseline_losses.items()}),
    )


def quantile_losses(outcome: Floats, forecasts: Floats, days: npt.NDArray[np.int64]) -> Floats:
    """Pinball losses, days x 3: the mean over each day's rows at 5, 50 and 95 %."""
    sizes = np.bincount(days)
    by_level = [
        np.bincount(days, weights=pinball(outcome, forecasts[:, place], level)) / sizes
        for place, level in enumerate(QUANTILES)
    ]
    return np.stack(by_level, axis=1)


def mean_of_days(values: Floats, days: npt.NDArray[np.int64]) -> float:
    """The mean over days of each day's mean."""
    return float((np.bincount(days, weights=values) / np.bincount(days)).mean())


def skill(losses: Floats, baselines: Mapping[str, Floats], draws: int = BOOTSTRAP_DRAWS) -> Skill:
    """Skill of daily `losses` against the baseline with the least mean loss; all arrays are per day.

    The interval resamples whole days: accounts of one day share its market, so rows are no sample
    (Efron & Tibshirani 1993, ch. 13, percentile interval).
    """
    means = {name: float(values.mean()) for name, values in baselines.items()}
    best = min(means, key=lambda name: (means[name], name))
    drawn = np.random.default_rng(BOOTSTRAP_SEED).integers(len(losses), size=(draws, len(losses)))
    theirs = baselines[best][drawn].sum(axis=1)
    samples = 1.0 - losses[drawn].sum(axis=1) / np.where(theirs > 0, theirs, np.nan)
    lower, upper = np.nanquantile(samples, [0.025, 0.975]) if np.isfinite(samples).any() else (0.0, 0.0)
    value = 1.0 - float(losses.mean()) / means[best] if means[best] > 0 else 0.0
    return Skill(value, float(lower), float(upper), best, means, float(losses.mean()))


def area_under_curve(score: Floats, positive: npt.NDArray[np.bool_]) -> float | None:
    """Area under the ROC curve, ties counted half (Mann-Whitney); None when one kind is absent."""
    from scipy.stats import rankdata

    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        return None
    ranks = rankdata(score)[positive].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))


def rank_correlation(forecast: Floats, outcome: Floats, days: npt.NDArray[np.int64]) -> float | None:
    """Mean over days of Spearman's rank correlation, days without variation left out."""
    from scipy.stats import rankdata

    order = np.argsort(days, kind="stable")
    bounds = np.cumsum(np.bincount(days))[:-1]
    daily = []
    for x, y in zip(np.split(forecast[order], bounds), np.split(outcome[order], bounds), strict=True):
        if len(x) > 2 and np.ptp(x) > 0 and np.ptp(y) > 0:
            daily.append(float(np.corrcoef(rankdata(x), rankdata(y))[0, 1]))
    return float(np.mean(daily)) if daily else None
