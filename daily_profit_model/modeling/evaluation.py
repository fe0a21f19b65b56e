"""How good predictions were on days that nothing was fitted to, in USD and by whole days.

Here: losses, coverage, skill against the best baseline with a bootstrap over days. Which days those are
is decided in `splits`, whether the result is good enough in `registry`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from daily_profit_model.modeling.baselines import QUANTILES
from daily_profit_model.modeling.matrix import Floats, floats

Interval = tuple[float, float, float]
"""Value, lower and upper end."""

BOOTSTRAP_DRAWS = 2000
BOOTSTRAP_SEED = 5

Days = npt.NDArray[np.int64]
"""Of each row the number of its day, from 0 on."""

Labels = npt.NDArray[np.object_]


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
class Segment:
    """Some of the rows: `name` is what they are divided by, `label` which part they are. Money in USD."""

    name: str
    label: str
    rows: int
    days: int
    coverage_90: float
    miss_lower: float
    miss_upper: float
    mean_absolute_error: float
    winkler_90: float
    skill: float
    """Of the three quantiles, against the baseline that is best over all rows."""
    skill_lower: float
    skill_upper: float


@dataclass(frozen=True)
class Evaluation:
    """Figures of one set of predicted days; money in USD, means of days."""

    days: int
    rows: int
    pinball: Mapping[str, float]
    """Pinball loss of the served 5 %, median and 95 % (`05`, `50`, `95`)."""
    raw_pinball: Mapping[str, float]
    """The same of the uncalibrated quantiles."""
    crps: float
    """Continuous ranked probability score, approximated from the three served quantiles (see `crps_weights`)."""
    winkler_90: float
    raw_winkler_90: float
    mean_absolute_error: float
    bias: float
    """Mean over days of a day's sum of errors (actual minus mean), over its rows."""
    coverage_90: float
    miss_lower: float
    miss_upper: float
    brier_trade: float
    brier_profit: float
    auc_trade: float | None
    """Mean over days of the area under the day's ROC curve; None when no day has both kinds."""
    auc_profit: float | None
    rank_correlation: float | None
    """Mean over days of Spearman's correlation between expected and actual profit; None: none defined."""
    skill: Skill
    """Of the three quantiles together."""
    median_skill: Skill
    """Of the median alone: 1 - MAE / MAE of the best baseline."""
    skills: Mapping[str, Interval]
    """Of the three quantiles together, against each baseline, with the interval that the gate asks for."""
    intervals: Mapping[str, Interval]
    """95 % intervals of the figures above, by their names, from a bootstrap over whole days."""
    segments: tuple[Segment, ...]

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


def evaluate(
    predictions: pa.Table, baselines: Mapping[str, Floats], segments: Mapping[str, Labels] | None = None
) -> Evaluation:
    """The figures of `predictions`, one row an account-day, against `baselines`.

    Columns: prediction_date, net_profit, median, mean, q05, q95, lower_90, upper_90 (USD),
    probability_trade, probability_profit, traded (0 or 1). `baselines`: forecasts in the same row order,
    rows x 3 (5 %, median, 95 %; USD). `segments`: a label for each row, by what rows are divided by.
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
    daily = _daily_figures(data, losses, days)
    sizes = np.bincount(days).astype(np.float64)
    figures = {name: _day_mean(values, sizes if name in OF_ROWS else None) for name, values in daily.items()}
    whole = skill(losses.mean(axis=1), {k: v.mean(axis=1) for k, v in baseline_losses.items()})
    best = baselines[whole.best_baseline]
    return Evaluation(
        days=len(losses),
        rows=len(outcome),
        pinball=dict(zip(("05", "50", "95"), losses.mean(axis=0).tolist(), strict=True)),
        raw_pinball=dict(zip(("05", "50", "95"), raw_losses.tolist(), strict=True)),
        raw_winkler_90=mean_of_days(winkler(outcome, data["q05"], data["q95"]), days),
        **{name: figures[name][0] for name in REQUIRED_FIGURES},
        **cast(
            "dict[str, Any]",
            {name: figures[name][0] if np.isfinite(daily[name]).any() else None for name in OPTIONAL_FIGURES},
        ),
        skill=whole,
        median_skill=skill(losses[:, 1], {k: v[:, 1] for k, v in baseline_losses.items()}),
        skills={name: sure_skill(losses.mean(axis=1), v.mean(axis=1)) for name, v in baseline_losses.items()},
        intervals={name: found for name, found in figures.items() if np.isfinite(daily[name]).any()},
        segments=tuple(
            _segment(name, label, labels == label, outcome, served, best, days)
            for name, labels in (segments or {}).items()
            for label in sorted(set(labels.tolist()))
        ),
    )


OF_ROWS = ("coverage_90", "miss_lower", "miss_upper")
"""Shares of rows: a day counts with its rows."""

REQUIRED_FIGURES = (
    "crps", "winkler_90", "mean_absolute_error", "bias", *OF_ROWS, "brier_trade", "brier_profit",
)  # fmt: skip
OPTIONAL_FIGURES = ("auc_trade", "auc_profit", "rank_correlation")


def _daily_figures(data: Mapping[str, Floats], losses: Floats, days: Days) -> dict[str, Floats]:
    """Each figure's value of each day; NaN where the day does not define it."""
    outcome, sizes = data["net_profit"], np.bincount(days)

    def mean(values: npt.NDArray[Any]) -> Floats:
        return np.bincount(days, weights=values) / sizes

    below, above = outcome < data["lower_90"], outcome > data["upper_90"]
    return {
        "crps": losses @ crps_weights(QUANTILES),
        "winkler_90": mean(winkler(outcome, data["lower_90"], data["upper_90"])),
        "mean_absolute_error": mean(np.abs(outcome - data["median"])),
        "bias": mean(outcome - data["mean"]),
        "coverage_90": 1.0 - mean(below | above),
        "miss_lower": mean(below),
        "miss_upper": mean(above),
        "brier_trade": mean((data["probability_trade"] - data["traded"]) ** 2),
        "brier_profit": mean((data["probability_profit"] - (outcome > 0)) ** 2),
        "auc_trade": _by_day(area_under_curve, data["probability_trade"], data["traded"] > 0, days),
        "auc_profit": _by_day(area_under_curve, data["probability_profit"], outcome > 0, days),
        "rank_correlation": _by_day(_spearman, data["mean"], outcome, days),
    }


def _segment(
    name: str, label: str, chosen: npt.NDArray[np.bool_], outcome: Floats, served: Floats, best: Floats, days: Days
) -> Segment:
    outcome, served, best = outcome[chosen], served[chosen], best[chosen]
    own = np.unique(days[chosen], return_inverse=True)[1]
    below, above = outcome < served[:, 0], outcome > served[:, 2]
    losses, theirs = (quantile_losses(outcome, forecast, own).mean(axis=1) for forecast in (served, best))
    found = skill(losses, {"best": theirs})
    return Segment(
        name=name,
        label=str(label),
        rows=len(outcome),
        days=len(losses),
        coverage_90=1.0 - float(below.mean()) - float(above.mean()),
        miss_lower=float(below.mean()),
        miss_upper=float(above.mean()),
        mean_absolute_error=mean_of_days(np.abs(outcome - served[:, 1]), own),
        winkler_90=mean_of_days(winkler(outcome, served[:, 0], served[:, 2]), own),
        skill=found.value,
        skill_lower=found.lower,
        skill_upper=found.upper,
    )


def crps_weights(levels: Sequence[float]) -> Floats:
    """Weights of pinball losses whose sum approximates the CRPS, twice the integral of the loss over all levels.

    Each level stands for the levels nearer to it than to any other (Gneiting & Ranjan 2011, J. Bus. Econ. Stat.
    29, 411, eq. 9, as a sum): with three quantiles a coarse figure, good to compare forecasts of the same quantiles.
    """
    middles = (np.array(levels[1:]) + np.array(levels[:-1])) / 2
    return 2.0 * np.diff(np.concatenate([[0.0], middles, [1.0]]))


def quantile_losses(outcome: Floats, forecasts: Floats, days: Days) -> Floats:
    """Pinball losses, days x 3: the mean over each day's rows at 5, 50 and 95 %."""
    sizes = np.bincount(days)
    by_level = [
        np.bincount(days, weights=pinball(outcome, forecasts[:, place], level)) / sizes
        for place, level in enumerate(QUANTILES)
    ]
    return np.stack(by_level, axis=1)


def mean_of_days(values: Floats, days: Days) -> float:
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


def sure_skill(losses: Floats, baseline: Floats) -> Interval:
    """1 - loss / baseline's, with a 99 % interval of Student's t over the days' differences; all arrays are per day.

    A few days are too few for a bootstrap: of models that had learnt nothing its 95 % interval let 6 % pass.
    """
    from scipy.stats import t

    base, saved = float(baseline.mean()), baseline - losses
    if base <= 0 or len(saved) < 2:
        return 0.0, -1.0, 1.0  # nothing is known of it
    half = float(t.ppf(0.995, len(saved) - 1)) * float(saved.std(ddof=1)) / len(saved) ** 0.5
    value = float(saved.mean())
    return value / base, (value - half) / base, (value + half) / base


def _day_mean(values: Floats, weights: Floats | None) -> Interval:
    """The mean over the days that define a figure, with the 95 % percentile interval of a bootstrap over days."""
    known = np.isfinite(values)
    if not known.any():
        return float("nan"), float("nan"), float("nan")
    kept, mass = values[known], (np.ones(len(values)) if weights is None else weights)[known]
    drawn = np.random.default_rng(BOOTSTRAP_SEED).integers(len(kept), size=(BOOTSTRAP_DRAWS, len(kept)))
    samples = (kept * mass)[drawn].sum(axis=1) / mass[drawn].sum(axis=1)
    lower, upper = np.quantile(samples, [0.025, 0.975])
    return float((kept * mass).sum() / mass.sum()), float(lower), float(upper)


def _by_day(measure: Callable[[Floats, Any], float | None], forecast: Floats, actual: Any, days: Days) -> Floats:
    """`measure` of each day's rows, NaN where it is not defined."""
    order = np.argsort(days, kind="stable")
    bounds = np.cumsum(np.bincount(days))[:-1]
    parts = zip(np.split(forecast[order], bounds), np.split(actual[order], bounds), strict=True)
    found = [measure(mine, theirs) for mine, theirs in parts]
    return np.array([np.nan if value is None else value for value in found])


def area_under_curve(score: Floats, positive: npt.NDArray[np.bool_]) -> float | None:
    """Area under the ROC curve, ties counted half (Mann-Whitney); None when one kind is absent."""
    from scipy.stats import rankdata

    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        return None
    ranks = rankdata(score)[positive].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))


def _spearman(forecast: Floats, outcome: Floats) -> float | None:
    """Spearman's rank correlation; None without variation."""
    from scipy.stats import rankdata

    if len(forecast) < 3 or np.ptp(forecast) == 0 or np.ptp(outcome) == 0:
        return None
    return float(np.corrcoef(rankdata(forecast), rankdata(outcome))[0, 1])
