"""What a model version says of rows: uncalibrated quantiles, mean and probabilities that agree.

Here: scoring with a loaded model. Intervals come from `intervals`, reasons from `explanation`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from daily_profit_model.modeling.boosting import OUTPUTS, PROFITS
from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.carry import carried
from daily_profit_model.modeling.matrix import Floats, ModelMismatchError, floats, to_matrix

Matrix = npt.NDArray[np.float32]


def score(model: Model, rows: pa.Table, *, threads: int = 1, matrix: Matrix | None = None) -> pa.Table:
    """Scores in the order of `rows`, in the columns of MODEL_SCORES; quantiles are before calibration.

    `matrix`: the rows' features, when they are encoded already. prediction_date is that of the rows, or their target_date; rows with neither give scores without it.

    Raises ModelMismatchError when a feature is missing, of another type, or the profit scale is not
    positive.
    """
    scale = profit_scale(rows)
    raw = raw_outputs(model, rows, threads, matrix)
    outputs = consistent(raw, scale)
    columns: dict[str, pa.ChunkedArray | pa.Array] = {}
    for day in ("prediction_date", "target_date"):
        if day in rows.column_names:
            columns["prediction_date"] = rows[day]
            break
    columns["account_id"] = rows["account_id"]
    for name in ("median", "mean", "q05", "q95", "probability_trade", "probability_profit"):
        columns[name] = pa.array(outputs[name])
    columns["profit_scale"] = pa.array(scale)
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


def raw_outputs(model: Model, rows: pa.Table, threads: int = 1, matrix: Matrix | None = None) -> dict[str, Floats]:
    """Each booster's own prediction, in profit scales or as probability, before any of them is adjusted.

    Those in profit scales contain what open positions are expected to realise.
    """
    if matrix is None:
        matrix = to_matrix(rows, model.encoding)
    if not len(matrix):
        return {name: np.empty(0) for name in OUTPUTS}
    outputs = {
        name: np.asarray(model.booster(name).predict(matrix, num_threads=threads), dtype=np.float64) for name in OUTPUTS
    }
    carry = carried(rows, model.carry) / profit_scale(rows)
    return {name: values + carry if name in PROFITS else values for name, values in outputs.items()}


def consistent(raw: dict[str, Floats], scale: Floats) -> dict[str, Floats]:
    """Outputs in USD that agree with one another.

    Quantiles are in order (rearranged, Chernozhukov et al. 2010), probabilities in [0, 1], a profit is no
    likelier than trading, and the median is 0 where neither profit nor loss has half the probability. The
    mean lies between the outer quantiles: squared errors of heavy tails let single accounts run far away.
    """
    ordered = np.sort(np.stack([raw["q05"], raw["median"], raw["q95"]]), axis=0)
    trade = np.clip(raw["probability_trade"], 0.0, 1.0)
    profit = np.minimum(np.clip(raw["probability_profit"], 0.0, 1.0), trade)
    undecided = (profit < 0.5) & (trade - profit < 0.5)
    median = np.where(undecided, 0.0, ordered[1])
    lower, upper = np.minimum(ordered[0], median), np.maximum(ordered[2], median)
    return {
        "median": median * scale,
        "mean": np.clip(raw["mean"], lower, upper) * scale,
        "q05": lower * scale,
        "q95": upper * scale,
        "probability_trade": trade,
        "probability_profit": profit,
    }
