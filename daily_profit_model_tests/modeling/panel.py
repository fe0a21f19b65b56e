"""A simulated panel of account-days with known quantiles, for the tests and benchmarks of modeling.

Here: the generator alone. Its law: an account trades with a probability of its own and of the weekday;
its profit is Student t (4 degrees) plus a drift, times its size, its risk of the day (known the day before)
and the market's volatility of the day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import stats

from daily_profit_model.modeling.matrix import ModelFeature

Floats = npt.NDArray[np.float64]

FREEDOM = 4.0
FIRST_DAY = date(2024, 1, 1)  # a Monday


@dataclass(frozen=True)
class Panel:
    """The training frame, its features, and per row the true 5, 50 and 95 % quantiles (rows x 3, USD)."""

    frame: pa.Table
    features: list[ModelFeature]
    truth: Floats


def simulate_panel(accounts: int = 120, days: int = 120, seed: int = 1, noise_features: int = 10) -> Panel:
    """A panel of accounts x days rows; `days` counts target days."""
    rng = np.random.default_rng(seed)
    warm_up = 40
    span = days + warm_up
    calendar = np.array([FIRST_DAY + timedelta(days=i) for i in range(-warm_up, days + 1)])
    weekend = np.array([day.weekday() >= 5 for day in calendar])
    market = _market(rng, span + 1)
    size = np.exp(rng.normal(6.0, 1.0, accounts))
    activity = rng.beta(3.0, 1.6, accounts)
    drift = rng.normal(0.0, 0.25, accounts)
    trades = np.where(weekend[:, None], 0.05, activity[None, :])
    risk = np.exp(rng.normal(0.0, 0.7, (span + 1, accounts)))  # of each day, known the day before
    spread = market[:, None] * size[None, :] * risk
    happens = rng.random((span + 1, accounts)) < trades
    profit = np.where(happens, (drift + rng.standard_t(FREEDOM, (span + 1, accounts))) * spread, 0.0)
    profit = np.asarray(np.round(profit, 2), dtype=np.float64)
    scale = _ewma(np.abs(profit), size)
    known = slice(warm_up, span)  # feature days; their targets are one day later
    columns = {
        "size": np.broadcast_to(size, (span + 1, accounts)),
        "activity_20d": _trailing(happens.astype(float), 20),
        "pnl_sum_1d": profit,
        "pnl_median_20d": _trailing_median(profit, 20),
        "rel_pnl_mean_20d": _trailing(profit, 20) / scale,
        "true_drift": np.broadcast_to(drift, (span + 1, accounts)),
        "planned_risk": np.vstack([risk[1:], risk[-1:]]),
        "market_volatility": np.broadcast_to(market[:, None], (span + 1, accounts)),
    }
    arrays = {name: values[known].ravel() for name, values in columns.items()}
    for number in range(noise_features):
        arrays[f"noise_{number}"] = rng.normal(size=days * accounts)
    next_day = np.repeat(calendar[warm_up + 1 :], accounts)
    frame = pa.table(
        {
            "feature_date": pa.array(np.repeat(calendar[known], accounts), pa.date32()),
            "target_date": pa.array(next_day, pa.date32()),
            "account_id": pa.array(np.tile([f"a{i:05d}" for i in range(accounts)], days)),
            **arrays,
            "day_of_week": pa.array([str(day.weekday()) for day in next_day]),
            "is_weekend": pa.array(np.repeat(weekend[warm_up + 1 :], accounts)),
            "profit_scale": scale[known].ravel(),
            "target_net_profit": profit[warm_up + 1 :].ravel(),
            "target_status": np.where(happens[warm_up + 1 :].ravel(), "traded", "idle"),
        }
    )
    features = [ModelFeature(name, "numeric") for name in (*arrays, "profit_scale")]
    features += [ModelFeature("day_of_week", "category"), ModelFeature("is_weekend", "flag")]
    after = slice(warm_up + 1, span + 1)
    truth = _quantiles(trades[after], np.broadcast_to(drift, spread.shape)[after], spread[after])
    return Panel(frame, features, truth)


def _market(rng: np.random.Generator, days: int) -> Floats:
    """Volatility shared by all accounts: two persistent regimes and a slow log random walk around them."""
    turns = rng.random(days) < 0.03
    regime = np.cumsum(turns) % 2
    log_walk = np.zeros(days)
    shocks = rng.normal(0.0, 0.12, days)
    for day in range(1, days):
        log_walk[day] = 0.9 * log_walk[day - 1] + shocks[day]
    return np.exp(log_walk) * np.where(regime == 1, 1.6, 1.0)


def _ewma(values: Floats, size: Floats) -> Floats:
    """Half-life ten days, along days, from the size on; floored at a hundredth of it."""
    keep = 0.5 ** (1 / 10)
    out = np.empty_like(values)
    level = size * 0.5
    for day, today in enumerate(values):
        level = keep * level + (1 - keep) * today
        out[day] = np.maximum(level, 0.01 * size)
    return out


def _trailing(values: Floats, window: int) -> Floats:
    total = np.cumsum(np.vstack([np.zeros((window, values.shape[1])), values]), axis=0)
    means: Floats = (total[window:] - total[:-window]) / window
    return means


def _trailing_median(values: Floats, window: int) -> Floats:
    padded = np.vstack([np.zeros((window - 1, values.shape[1])), values])
    medians: Floats = np.median(np.lib.stride_tricks.sliding_window_view(padded, window, axis=0), axis=-1)
    return medians


def _quantiles(trades: Floats, drift: Floats, spread: Floats) -> Floats:
    """Quantiles of the mixture of a zero and a shifted t, rows x 3."""
    below_zero = stats.t.cdf(-drift, FREEDOM) * trades
    out = []
    for level in (0.05, 0.5, 0.95):
        left = stats.t.ppf(np.clip(level / trades, 1e-9, 1 - 1e-9), FREEDOM)
        right = stats.t.ppf(np.clip((level - (1 - trades)) / trades, 1e-9, 1 - 1e-9), FREEDOM)
        value = np.where(level < below_zero, left, np.where(level > below_zero + 1 - trades, right, -drift))
        out.append(((drift + value) * spread).ravel())
    return np.stack(out, axis=1)
