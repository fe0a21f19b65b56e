"""The test at the planned end of a shadow deployment, and the chance that it will pass.

Here: one look at all days, more powerful than evidence that may be looked at daily. When it is used is `shadow_test`'s
business. Both functions are vectorised over deployments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from daily_profit_model.monitoring.betting import MOST_CORRELATION, Evidence, Floats

CLIP_GAIN = 3.0
"""Robust standard deviations beyond which a gain counts no more: one day must not decide for a shadow. Losses count in
full, so that the mean that is tested is never above the mean of the days as they are."""


@dataclass(frozen=True)
class EndTest:
    """A number a deployment."""

    statistic: Floats
    p_value: Floats
    """One-sided: of a mean of at most zero."""
    mean: Floats
    """Of the clipped days, in the unit of the differences."""


def end_test(gains: Floats) -> EndTest:
    """Student's test of the mean of `gains` (deployments x days) over days that may resemble their neighbours.

    Days are clipped at CLIP_GAIN above zero, in robust standard deviations (1.4826 times the median absolute deviation of
    all days). The variance of the mean is that of independent days times
    (1 + r) / (1 - r), and the degrees of freedom are divided by it: the days that are worth as much as independent ones
    (Bartlett 1935; von Storch & Zwiers 1999, Statistical Analysis in Climate Research, 6.6). r, the correlation of
    neighbouring days, is freed of its bias (1 + 3r) / days (Kendall 1954) and taken as 0 below 0.
    """
    from scipy.special import stdtr

    count = gains.shape[1]
    centre = np.median(gains, axis=1, keepdims=True)
    robust = 1.4826 * np.median(np.abs(gains - centre), axis=1, keepdims=True)
    scale = np.where(robust > 0, robust, gains.std(axis=1, keepdims=True))  # 0: more than half of the days are equal
    clipped = np.where(scale > 0, np.minimum(gains, CLIP_GAIN * scale), gains)
    mean = clipped.mean(axis=1)
    rest = clipped - mean[:, None]
    same = (rest**2).sum(axis=1)
    lagged = (rest[:, 1:] * rest[:, :-1]).sum(axis=1)
    r = np.divide(lagged, same, out=np.zeros(len(same)), where=same > 0)
    r = np.clip(r + (1 + 3 * r) / count, 0.0, MOST_CORRELATION)
    inflation = (1 + r) / (1 - r)
    error = np.sqrt(same / max(count - 1, 1) * inflation / count)
    statistic = np.divide(mean, error, out=np.zeros(len(mean)), where=error > 0)
    freedom = np.maximum(count / inflation - 1, 1.0)
    of_equal_days = np.where(mean > 0, 0.0, 1.0)
    return EndTest(statistic, np.where(error > 0, stdtr(freedom, -statistic), of_equal_days), mean)


def chance_at_end(gains: Floats, evidence: Evidence, planned: int, level: float, improvement: float) -> Floats:
    """Deployments x days: the chance that the mean of `planned` days will be significant at `level`, when each coming
    day is better by `improvement` standard deviations (conditional power: Lan, Simon & Halperin 1982); 1 where the
    scale is not known.

    A normal approximation with the scale and correlation of the evidence.
    """
    from scipy.special import ndtr, ndtri

    days = np.arange(1, gains.shape[1] + 1)
    left = planned - days
    sum_so_far = np.cumsum(
        np.divide(gains, evidence.scale, out=np.zeros(gains.shape), where=evidence.scale > 0), axis=1
    )
    needed = -ndtri(level) * np.sqrt(planned * evidence.inflation)
    spread = np.sqrt(np.maximum(left, 1) * evidence.inflation)
    chance: Floats = ndtr((sum_so_far + improvement * left - needed) / spread)
    return np.where(np.isnan(evidence.scale) | (left < 1), 1.0, chance)
