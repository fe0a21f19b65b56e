"""What a model version says of rows: uncalibrated quantiles, mean and probabilities that agree.

Here: scoring with a loaded model. Intervals come from `intervals`, reasons from `explanation`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from daily_profit_model.modeling.baselines import Baseline
from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.carry import carried
from daily_profit_model.modeling.forecasters import forecaster
from daily_profit_model.modeling.forecasters.forecaster import OUTPUTS, agreeing
from daily_profit_model.modeling.matrix import Floats, ModelMismatchError, floats, to_matrix

Matrix = npt.NDArray[np.float32]

ROWS_WORTH_THREADS = 10_000
"""From so many rows on every core predicts: starting threads costs more than a few rows, and they wait busily."""


def score(model: Model, rows: pa.Table, *, threads: int | None = None, matrix: Matrix | None = None) -> pa.Table:
    """Scores in the order of `rows`, in the columns of MODEL_SCORES; quantiles are before calibration.

    `matrix`: the rows' features, when they are encoded already. `threads`: 0 are all cores; by default as many as the
    rows are worth; the bytes do not depend on it. prediction_date is that of the rows, or their target_date; rows with
    neither give scores without it.

    Raises ModelMismatchError when a feature is missing, of another type, or the profit scale is not
    positive.
    """
    scale = profit_scale(rows)
    outputs = in_scales(model, rows, threads, matrix)
    columns: dict[str, pa.ChunkedArray | pa.Array] = {}
    for day in ("prediction_date", "target_date"):
        if day in rows.column_names:
            columns["prediction_date"] = rows[day]
            break
    columns["account_id"] = rows["account_id"]
    for name in OUTPUTS:
        columns[name] = pa.array(outputs[name] if name.startswith("probability") else outputs[name] * scale)
    columns["profit_scale"] = pa.array(scale)
    columns["plan_type"] = rows["plan_type"] if "plan_type" in rows.column_names else pa.nulls(len(scale), pa.string())
    columns["model_version"] = pa.repeat(model.version, rows.num_rows)
    columns["model_hash"] = pa.repeat(model.hash, rows.num_rows)
    return pa.table(columns)


def profit_scale(rows: pa.Table) -> Floats:
    """The rows' profit scale in USD; raises ModelMismatchError when one is missing or not positive."""
    for needed in ("account_id", "profit_scale"):
        if needed not in rows.column_names:
            raise ModelMismatchError(f"the rows lack the column {needed}")
    scale = floats(rows["profit_scale"])
    if not np.all(scale > 0):
        raise ModelMismatchError(f"{int((~(scale > 0)).sum())} rows have no positive profit_scale")
    return scale


def in_scales(
    model: Model, rows: pa.Table, threads: int | None = None, matrix: Matrix | None = None
) -> dict[str, Floats]:
    """The model's OUTPUTS in profit scales and as probabilities, in agreement with one another."""
    if matrix is None:
        matrix = to_matrix(rows, model.encoding)
    if not len(matrix):
        return {name: np.empty(0) for name in OUTPUTS}
    if model.baseline is not None:
        return _of_baseline(model.baseline, rows)
    if threads is None:
        threads = 0 if len(matrix) >= ROWS_WORTH_THREADS else 1
    candidate = forecaster(model.forecaster)
    raw = {
        name: np.asarray(model.booster(name).predict(matrix, num_threads=threads), dtype=np.float64)
        for name in candidate.learners
    }
    return candidate.outputs(raw, carried(rows, model.carry) / profit_scale(rows))


def _of_baseline(baseline: Baseline, rows: pa.Table) -> dict[str, Floats]:
    """A baseline's OUTPUTS; its point is median and mean."""
    lower, point, upper = (baseline.forecast(rows) / profit_scale(rows)[:, None]).T
    return agreeing(point, point, (lower, upper), *baseline.chances(rows))
