"""How often calibrated 90 % intervals cover over 30 days: a simulated panel, many seeds, some settings.

Run: python -m daily_profit_model_tests.benchmarks.interval_coverage [--seeds 20] [--json]

The panel: idle weekends, about 45 % zeros, Student t tails (4 degrees), a volatility that all accounts
share (two regimes and a log random walk), a daily market factor that moves accounts together, and a
forecaster that knows neither the day's volatility nor the factor. No booster: calibration alone is judged.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from daily_profit_model.modeling.conformity import before, conformity
from daily_profit_model.modeling.evaluation import winkler
from daily_profit_model.modeling.frames import of_days
from daily_profit_model.modeling.intervals import IntervalSettings, apply_levels, fold_levels

FIRST_DAY = date(2024, 1, 1)
BUNDLE_DAYS = 42
"""Days of conformity that a bundle brings before the first served day."""

VARIANTS = {
    "default": IntervalSettings(),
    "no adaptation": IntervalSettings(rate=0.0),
    "rate 0.05": IntervalSettings(rate=0.05),
    "rate 0.1": IntervalSettings(rate=0.1),
    "rate 0.2": IntervalSettings(rate=0.2),
    "no decay": IntervalSettings(half_life_days=1e9),
    "half-life 7": IntervalSettings(half_life_days=7),
    "pool only": IntervalSettings(pool_rows=10**9),
}


@dataclass(frozen=True)
class Panel:
    """Scores and outcomes of all days, sorted by day, and the size of a market factor in profits."""

    scores: pa.Table
    outcomes: pa.Table
    days: tuple[date, ...]


@dataclass(frozen=True)
class Result:
    """Coverage over all 30-day windows of all seeds, the tails, and the width of intervals."""

    variant: str
    coverage: float
    lowest: float
    percent_1: float
    percent_99: float
    highest: float
    within: float
    """Share of 30-day windows with coverage in 0.88-0.92."""
    tails_within: float
    """Share of windows with both tails in 4-6 %."""
    winkler: float
    """Winkler score over that of the uncalibrated quantiles."""


def simulate(seed: int, accounts: int = 300, days: int = 162, factor: float = 0.3) -> Panel:
    rng = np.random.default_rng(seed)
    calendar = [FIRST_DAY + timedelta(days=i) for i in range(-30, days)]
    span = len(calendar)
    weekend = np.array([day.weekday() >= 5 for day in calendar])
    log_walk = np.zeros(span)
    for day in range(1, span):
        log_walk[day] = 0.9 * log_walk[day - 1] + rng.normal(0.0, 0.12)
    market = np.exp(log_walk) * np.where(np.cumsum(rng.random(span) < 0.02) % 2, 1.8, 1.0)
    size = np.exp(rng.normal(6.0, 1.0, accounts))
    activity = rng.beta(4.0, 1.2, accounts)
    trades = np.where(weekend[:, None], 0.06, activity[None, :])
    exposure = rng.normal(factor / 2, factor, accounts)
    shock = rng.standard_t(5, span)[:, None] * exposure + rng.standard_t(4, (span, accounts))
    happens = rng.random((span, accounts)) < trades
    profit = np.where(happens, np.round(shock * market[:, None] * size, 2), 0.0)
    scale = _scale(np.abs(profit), size)
    reach = np.maximum(2.2 * (1.0 - 0.05 / np.maximum(trades / 2, 0.051)), 0.0)
    wobble = np.exp(rng.normal(0.0, 0.2, (span, accounts)))
    return _tables(calendar[30:], profit[30:], scale[29:-1], (reach * wobble)[30:], trades[30:])


def _scale(sizes: npt.NDArray[np.float64], start: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    keep = 0.5 ** (1 / 10)
    level, out = start * 0.6, np.empty_like(sizes)
    for day, today in enumerate(sizes):
        level = keep * level + (1 - keep) * today
        out[day] = np.maximum(level, 0.02 * start)
    return out


def _tables(
    days: list[date],
    profit: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    reach: npt.NDArray[np.float64],
    trades: npt.NDArray[np.float64],
) -> Panel:
    accounts = profit.shape[1]
    keys = {
        "prediction_date": pa.array(np.repeat(np.array(days, dtype="datetime64[D]"), accounts), pa.date32()),
        "account_id": pa.array(np.tile([f"a{i:05d}" for i in range(accounts)], len(days))),
    }
    usd = (reach * scale).ravel()
    scores = pa.table(
        {
            **keys,
            "median": np.zeros(len(usd)),
            "mean": np.zeros(len(usd)),
            "q05": -usd,
            "q95": usd,
            "probability_trade": trades.ravel(),
            "probability_profit": trades.ravel() / 2,
            "profit_scale": scale.ravel(),
            "plan_type": pa.nulls(scale.size, pa.string()),
            "model_version": pa.repeat("simulated", len(usd)),
            "model_hash": pa.repeat("simulated", len(usd)),
        }
    )
    return Panel(scores, pa.table({**keys, "net_profit": profit.ravel()}), tuple(days))


def daily(panel: Panel, settings: IntervalSettings) -> npt.NDArray[np.float64]:
    """Served days by (share below, share above, Winkler, Winkler of the raw quantiles)."""
    history = conformity(panel.scores, panel.outcomes)
    figures = []
    for day in panel.days[BUNDLE_DAYS:]:
        levels = fold_levels(before(history, day), settings)
        served = apply_levels(of_days(panel.scores, (day,), "prediction_date"), levels)
        outcome = of_days(panel.outcomes, (day,), "prediction_date")["net_profit"].to_numpy()
        lower, upper = served["lower_90"].to_numpy(), served["upper_90"].to_numpy()
        raw = winkler(outcome, served["q05"].to_numpy(), served["q95"].to_numpy()).mean()
        figures.append(((outcome < lower).mean(), (outcome > upper).mean(), winkler(outcome, lower, upper).mean(), raw))
    return np.array(figures)


def summarise(variant: str, runs: list[npt.NDArray[np.float64]], window: int = 30) -> Result:
    windows = np.concatenate([np.lib.stride_tricks.sliding_window_view(r, window, axis=0) for r in runs])
    below, above = windows[:, 0].mean(axis=1), windows[:, 1].mean(axis=1)
    coverage = 1.0 - below - above
    tails = (below >= 0.04) & (below <= 0.06) & (above >= 0.04) & (above <= 0.06)
    everything = np.concatenate(runs)
    low, high = np.quantile(coverage, [0.01, 0.99])
    return Result(
        variant=variant,
        coverage=float(1.0 - everything[:, :2].sum(axis=1).mean()),
        lowest=float(coverage.min()),
        percent_1=float(low),
        percent_99=float(high),
        highest=float(coverage.max()),
        within=float(((coverage >= 0.88) & (coverage <= 0.92)).mean()),
        tails_within=float(tails.mean()),
        winkler=float(everything[:, 2].sum() / everything[:, 3].sum()),
    )


def run(seeds: int, variants: dict[str, IntervalSettings]) -> list[Result]:
    panels = [simulate(seed) for seed in range(seeds)]
    return [summarise(name, [daily(p, s) for p in panels]) for name, s in variants.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--variants", nargs="*", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    results = run(asked.seeds, {name: VARIANTS[name] for name in asked.variants})
    if asked.json:
        print(json.dumps([asdict(result) for result in results], indent=2))
        return
    print(f"{'variant':<16}{'cover':>7}{'min':>7}{'1 %':>7}{'99 %':>7}{'max':>7}{'in':>7}{'tails':>7}{'wink':>7}")
    for r in results:
        figures = (
            r.coverage,
            r.lowest,
            r.percent_1,
            r.percent_99,
            r.highest,
            r.within,
            r.tails_within,
            r.winkler,
        )
        print(f"{r.variant:<16}" + "".join(f"{figure:7.3f}" for figure in figures))


if __name__ == "__main__":
    main()
