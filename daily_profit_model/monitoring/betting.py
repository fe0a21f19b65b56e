"""Evidence from days that may be looked at every day: a betting e-process over day differences.

Here: the capital of a bettor who bets against "the mean difference is not positive", and the confidence sequence that
inverts it. What is done at which evidence is `shadow_test`'s business.

Method: Waudby-Smith & Ramdas 2024 (Estimating means of bounded random variables by betting, JRSS B 86), a fixed mixture
of bets. Day t has the stake x_t = (d_t - margin) / s, clipped to [-clip_loss, clip_gain], where the scale s comes from
the days before t. A bet b has the capital prod (1 + b x_t)^w with a weight w in (0, 1] that also comes from the days
before. When the mean of x_t given the past is never positive, E(1 + b x)^w <= (1 + b E x)^w <= 1 (Jensen), so that the
mean capital of all bets is a supermartingale, and the chance that it ever exceeds 1 / level is at most `level` (Ville).

Days that resemble the day before break that premise even at mean zero. For them w = (1 - r) / (1 + r), the share of
independent days in correlated ones (r: the correlation of neighbouring days, estimated from the past and drawn towards
PRIOR_CORRELATION), which keeps the promise approximately: how well, benchmarks/shadow_simulation measures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FIRST_BET = 4
"""Days that only tell the scale; bets begin with the next one."""

MEMORY_DAYS = 60
"""Days over which scale and centre are averaged, so that they follow a market that calms down or flares up."""

PRIOR_CORRELATION = 0.2
"""Of neighbouring days, before any is seen: errors share the market's volatility more than its direction."""

PRIOR_DAYS = 10
"""Days that the prior correlation counts as: at day 10 half of the estimate is observed."""

MOST_CORRELATION = 0.8
"""Above it a day says next to nothing of its own (w = 0.11), and so few of them cannot tell how much less."""

CLIP = 2.5
"""Scales beyond which a day's distance from the centre counts no more in scale, centre and correlation."""

LEAST_SCALE = 1e-300
"""Instead of 0, while all days were equal: then whatever differs from the margin counts in full."""

CANDIDATES = 401
"""Means that a confidence sequence tries, evenly spaced over the range of the differences: its bounds are exact to one
four-hundredth of that range."""


@dataclass(frozen=True)
class Bettor:
    """How far a single day counts, and the bets of the mixture; each below 1 / clip_loss, so capital stays positive."""

    clip_gain: float
    """Scales (robust standard deviations of a day) beyond which a day's gain counts no more."""
    clip_loss: float
    bets: tuple[float, ...]
    """Shares of the capital staked a scale; the best one for a mean of m standard deviations is about m."""

    def __post_init__(self) -> None:
        if not 0 < max(self.bets) * self.clip_loss < 1:
            raise ValueError(
                f"bets {self.bets} can lose all at {self.clip_loss} scales: the largest must be below 1/it"
            )


@dataclass(frozen=True)
class Evidence:
    """Deployments x days, each as known at the end of the day."""

    log_capital: Floats
    """Natural logarithm of the mean capital of all bets; 0 until the first bet."""
    scale: Floats
    """Robust standard deviation of a day, in the unit of the differences; NaN before FIRST_BET days."""
    inflation: Floats
    """How many times the variance of a mean over days exceeds that of independent days, (1 + r) / (1 - r)."""


def evidence_of(differences: Floats, bettor: Bettor) -> Evidence:
    """The evidence that the mean of `differences` (deployments x days, in order; positive: against the hypothesis) is
    positive. While all days were equal, any difference counts in full. Raises ValueError on a difference that is not
    finite."""
    if not np.isfinite(differences).all():
        raise ValueError("a day's difference is not a number: leave days out on which no account was settled")
    count, days = differences.shape
    bets = np.array(bettor.bets)
    wealth = np.zeros((len(bets), count))
    found = Evidence(np.zeros((count, days)), np.full((count, days), np.nan), np.ones((count, days)))
    if days < FIRST_BET:
        return found
    centre, variance, same, lagged, last = _start(differences[:, :FIRST_BET])
    for day in range(FIRST_BET - 1, days):
        today = differences[:, day]
        scale = np.sqrt(variance)
        if day >= FIRST_BET:
            stake = np.clip(today / np.maximum(scale, LEAST_SCALE), -bettor.clip_loss, bettor.clip_gain)
            wealth += np.log1p(bets[:, None] * stake) / found.inflation[:, day - 1]
            found.log_capital[:, day] = _log_mean(wealth)
            residual = np.clip(_divided(today - centre, scale), -CLIP, CLIP)
            gain = 1 / min(day + 1, MEMORY_DAYS)
            same, lagged, last = same + residual**2, lagged + residual * last, residual
            grown = variance * (1 + gain * (residual**2 - 1))
            variance = np.where(variance > 0, grown, gain * (today - centre) ** 2)
            centre = centre + gain * residual * scale
        found.scale[:, day] = np.sqrt(variance)
        found.inflation[:, day] = _inflation(lagged, same)
    return found


def _start(first: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Centre, variance and sums of products of the days before the first bet."""
    centre = np.median(first, axis=1)
    distance = first - centre[:, None]
    robust = (1.4826 * np.median(np.abs(distance), axis=1)) ** 2
    variance = np.maximum(robust, (distance**2).mean(axis=1) / 2)  # of four days two may lie close by chance
    residual = np.clip(_divided(distance, np.sqrt(variance)[:, None]), -CLIP, CLIP)
    same, lagged = (residual**2).sum(axis=1), (residual[:, 1:] * residual[:, :-1]).sum(axis=1)
    return centre, variance, same, lagged, residual[:, -1]


def _inflation(lagged: Floats, same: Floats) -> Floats:
    """(1 + r) / (1 - r); r is drawn to its prior. Days that swing back (r < 0) are counted as independent."""
    r = (lagged + PRIOR_DAYS * PRIOR_CORRELATION) / (same + PRIOR_DAYS)
    r = np.clip(r, 0.0, MOST_CORRELATION)
    inflation: Floats = (1 + r) / (1 - r)
    return inflation


def _log_mean(logs: Floats) -> Floats:
    top = logs.max(axis=0)
    mean: Floats = top + np.log(np.exp(logs - top).mean(axis=0))
    return mean


def _divided(values: Floats, scale: Floats) -> Floats:
    return np.divide(values, scale, out=np.zeros(np.broadcast_shapes(values.shape, scale.shape)), where=scale > 0)


def confidence_sequence(differences: Floats, bettor: Bettor, level: float) -> tuple[Floats, Floats]:
    """Lower and upper bounds, by day, of the mean of one deployment's `differences` (days, in their unit): with a chance
    of 1 - `level` all of them hold at once. Infinite where nothing is excluded yet.

    A candidate is excluded for good on the day on which the evidence against it, of a greater or of a smaller mean,
    reaches 2 / level; the differences from all candidates go through `evidence_of` like deployments of their own.
    """
    span = float(np.ptp(differences)) if len(differences) else 0.0
    if not span:
        return np.full(len(differences), -np.inf), np.full(len(differences), np.inf)
    candidates = np.linspace(differences.min(), differences.max(), CANDIDATES)
    shifted = differences[None, :] - candidates[:, None]
    bound = np.log(2 / level)
    too_small = np.maximum.accumulate(evidence_of(shifted, bettor).log_capital, axis=1) >= bound
    too_great = np.maximum.accumulate(evidence_of(-shifted, bettor).log_capital, axis=1) >= bound
    lower = np.where(too_small, candidates[:, None], -np.inf).max(axis=0)
    upper = np.where(too_great, candidates[:, None], np.inf).min(axis=0)
    return lower, upper
