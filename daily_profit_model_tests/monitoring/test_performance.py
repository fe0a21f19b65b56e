"""A day's performance against plain numpy."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from daily_profit_model.monitoring.performance import day_performance
from daily_profit_model.tables.monitoring import BASELINE_COLUMNS, MODEL_PERFORMANCE, MONITORING_OUTCOMES

FIRST = date(2026, 3, 1)


def outcomes(count: int, seed: int = 1) -> pa.Table:
    """Settled outcomes of a day."""
    rng = np.random.default_rng(seed)
    median = rng.normal(0, 50, count)
    expected = median + rng.normal(0, 5, count)
    width = rng.uniform(10, 200, count)
    actual = median + rng.standard_t(4, count) * 60
    columns = {
        "prediction_date": pa.array([FIRST] * count, pa.date32()), "account_id": [f"a{place}" for place in range(count)],
        "model_version": ["v1"] * count, "predicted_net_profit": median, "expected_net_profit": expected,
        "lower_90": median - width, "upper_90": median + width, "probability_trade": rng.random(count),
        "probability_profit": rng.random(count),
        "outcome_status": np.where(rng.random(count) < 0.5, "traded", "idle"), "net_profit": actual,
    }  # fmt: skip
    rest = {name: pa.nulls(count) for name in MONITORING_OUTCOMES.column_names if name not in columns}
    return pa.table({**columns, **rest}).select(MONITORING_OUTCOMES.column_names).cast(MONITORING_OUTCOMES.schema())


def _pinball(actual: np.ndarray, forecast: np.ndarray, level: float) -> float:
    return float(np.mean([level * (y - q) if y >= q else (1 - level) * (q - y) for y, q in zip(actual, forecast)]))


def test_each_figure_is_what_plain_numpy_gives() -> None:
    rows = outcomes(200)
    y, low, mid, high, mean, chance = (
        np.array(rows[name].to_pylist())
        for name in ("net_profit", "lower_90", "predicted_net_profit", "upper_90", "expected_net_profit",
                     "probability_trade")
    )  # fmt: skip
    baselines = {name: np.column_stack([y * 0 - 30, y * 0 + place, y * 0 + 30]) for place, name in
                 enumerate(BASELINE_COLUMNS)}  # fmt: skip
    made = day_performance(rows, baselines)
    assert made.schema.equals(MODEL_PERFORMANCE.schema())
    (row,) = made.to_pylist()
    losses = [_pinball(y, low, 0.05), _pinball(y, mid, 0.5), _pinball(y, high, 0.95)]
    winkler = (high - low) + 20 * np.maximum(low - y, 0) + 20 * np.maximum(y - high, 0)
    traded = np.array(rows["outcome_status"].to_pylist()) == "traded"
    expected = {
        "accounts": 200, "pinball": np.mean(losses), "pinball_05": losses[0], "pinball_50": losses[1],
        "pinball_95": losses[2], "winkler_90": winkler.mean(), "mean_absolute_error": np.abs(y - mid).mean(),
        "bias": (y - mean).mean(), "coverage_90": ((low <= y) & (y <= high)).mean(), "miss_lower": (y < low).mean(),
        "miss_upper": (y > high).mean(), "brier_trade": ((chance - traded) ** 2).mean(),
        "predicted_total": mean.sum(), "actual_total": y.sum(),
    }  # fmt: skip
    for place, name in enumerate(BASELINE_COLUMNS):
        of_median = _pinball(y, y * 0 + place, 0.5)
        of_ends = [_pinball(y, y * 0 - 30, 0.05), _pinball(y, y * 0 + 30, 0.95)]
        expected[f"baseline_{name}_50"] = of_median
        expected[f"baseline_{name}"] = np.mean([*of_ends, of_median])
    assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-12)
    assert row["coverage_90"] + row["miss_lower"] + row["miss_upper"] == pytest.approx(1.0)
    assert (row["prediction_date"], row["model_version"]) == (FIRST, "v1")
    assert None not in row.values()


def test_a_day_without_a_settled_outcome_gives_no_row() -> None:
    made = day_performance(outcomes(5).slice(0, 0), {})
    assert made.num_rows == 0
    assert made.schema.equals(MODEL_PERFORMANCE.schema())
