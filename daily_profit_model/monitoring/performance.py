"""A day's performance of the served predictions, beside baselines. Tests and alarms over days come elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.evaluation import pinball, winkler
from daily_profit_model.modeling.matrix import floats
from daily_profit_model.tables.monitoring import MODEL_PERFORMANCE

Floats = npt.NDArray[np.float64]
LEVELS = {"05": 0.05, "50": 0.5, "95": 0.95}


def day_performance(outcomes: pa.Table, baselines: Mapping[str, Floats]) -> pa.Table:
    """One row of monitoring/model_performance for the settled `outcomes` of one day and model.

    `baselines`: per baseline its forecasts (5 %, median, 95 %), rows x 3 in USD, in the rows' order.
    A day without any settled outcome gives no row.
    """
    if not outcomes.num_rows:
        return MODEL_PERFORMANCE.schema().empty_table()
    actual = floats(outcomes["net_profit"])
    served = _columns(outcomes, ("lower_90", "predicted_net_profit", "upper_90"))
    expected = floats(outcomes["expected_net_profit"])
    traded = pc.equal(outcomes["outcome_status"], "traded").cast(pa.float64()).to_numpy()
    losses = _losses(actual, served)
    row: dict[str, object] = {
        "prediction_date": outcomes["prediction_date"][0].as_py(),
        "model_version": outcomes["model_version"][0].as_py(),
        "accounts": len(actual),
        "pinball": float(np.mean(list(losses.values()))),
        **{f"pinball_{name}": loss for name, loss in losses.items()},
        "winkler_90": float(winkler(actual, served[:, 0], served[:, 2]).mean()),
        "mean_absolute_error": float(np.abs(actual - served[:, 1]).mean()),
        "bias": float((actual - expected).mean()),
        "coverage_90": float(((actual >= served[:, 0]) & (actual <= served[:, 2])).mean()),
        "miss_lower": float((actual < served[:, 0]).mean()),
        "miss_upper": float((actual > served[:, 2]).mean()),
        "brier_trade": float(((floats(outcomes["probability_trade"]) - traded) ** 2).mean()),
        "predicted_total": float(expected.sum()),
        "actual_total": float(actual.sum()),
    }
    for name, forecasts in baselines.items():
        of_baseline = _losses(actual, forecasts)
        row[f"baseline_{name}"] = float(np.mean(list(of_baseline.values())))
        row[f"baseline_{name}_50"] = of_baseline["50"]
    return pa.Table.from_pylist([row], schema=MODEL_PERFORMANCE.schema())


def _columns(rows: pa.Table, names: tuple[str, ...]) -> Floats:
    return np.stack([floats(rows[name]) for name in names], axis=1)


def _losses(actual: Floats, forecasts: Floats) -> dict[str, float]:
    return {
        name: float(pinball(actual, forecasts[:, place], level).mean())
        for place, (name, level) in enumerate(LEVELS.items())
    }
