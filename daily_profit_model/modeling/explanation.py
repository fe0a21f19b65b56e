"""Why a prediction is what it is: TreeSHAP contributions in USD.

Here: contributions of boosters, checked for additivity. The same in words stands in `reasons`, pictures in `plots`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.carry import OPEN_PROFIT, carried
from daily_profit_model.modeling.forecasters import forecaster
from daily_profit_model.modeling.matrix import Floats, to_matrix
from daily_profit_model.modeling.scoring import Matrix, profit_scale

TOP_FEATURES = pa.list_(pa.struct([("name", pa.string()), ("value", pa.string()), ("contribution", pa.float64())]))
"""Values are text, so that numbers, categories and flags fit one column; null is a missing value."""

LARGEST_GAP = 1e-6
"""How far contributions plus base may lie from the prediction, relative to 1 + its size: float noise."""


class AdditivityError(RuntimeError):
    """Contributions do not add up to the prediction, so they explain something else."""


def contributions(
    model: Model, rows: pa.Table, *, threads: int = 1, matrix: Matrix | None = None
) -> tuple[Floats, Floats]:
    """TreeSHAP values (Lundberg et al. 2020) of a prediction: rows x features in USD, and the base in USD.

    Explained is the forecaster's own choice (`Forecaster.explained`). What open positions are expected to realise is
    a contribution of their profit. All add up to the output before it is bounded by others. Raises AdditivityError
    when a booster's values do not add up to its prediction. `matrix`: the rows' features, when they are encoded already.
    """
    scale = profit_scale(rows)
    matrix = to_matrix(rows, model.encoding) if matrix is None else matrix
    if not len(matrix) or model.baseline is not None:  # a baseline repeats one number: nothing moves it
        return np.zeros((len(matrix), len(model.encoding))), np.zeros(len(matrix))
    candidate = forecaster(model.forecaster)
    parts = {name: _shap(model.booster(name), matrix, name, threads) for name in candidate.explaining}
    names = [feature.name for feature in model.encoding]
    place = names.index(OPEN_PROFIT) if model.carry else None
    own, base = candidate.contributions(parts, carried(rows, model.carry) / scale, place)
    return own * scale[:, None], base * scale


def _shap(booster: Any, matrix: Matrix, name: str, threads: int) -> Floats:
    parts = np.asarray(booster.predict(matrix, pred_contrib=True, num_threads=threads), dtype=np.float64)
    predicted = np.asarray(booster.predict(matrix, raw_score=True, num_threads=threads), dtype=np.float64)
    gap = np.abs(parts.sum(axis=1) - predicted) / (1.0 + np.abs(predicted))
    if gap.max() > LARGEST_GAP:
        raise AdditivityError(f"contributions of {name} miss the prediction by up to {gap.max():.2e}")
    return parts


def top_features(model: Model, rows: pa.Table, k: int = 5, *, threads: int = 1) -> pa.Array:
    """Per row the `k` features that moved the prediction most, as TOP_FEATURES.

    Largest absolute contribution (USD) first, ties in the model's column order; features that moved
    nothing are left out.
    """
    parts, _ = contributions(model, rows, threads=threads)
    width = min(k, parts.shape[1])
    order = np.argsort(-np.abs(parts), axis=1, kind="stable")[:, :width]
    taken = np.take_along_axis(parts, order, axis=1)
    moved = taken != 0.0  # zeros come last, so a row's kept entries are its first ones
    offsets = np.concatenate([[0], np.cumsum(moved.sum(axis=1))]).astype(np.int32)
    places, row_numbers = order[moved], np.nonzero(moved)[0]
    names = pa.array([feature.name for feature in model.encoding], pa.string())
    entries = pa.StructArray.from_arrays(
        [
            names.take(pa.array(places)),
            _values_as_text(model, rows, places, row_numbers),
            pa.array(taken[moved]),
        ],
        fields=list(TOP_FEATURES.value_type),
    )
    return pa.ListArray.from_arrays(pa.array(offsets), entries, type=TOP_FEATURES)


def _values_as_text(
    model: Model, rows: pa.Table, places: npt.NDArray[np.int64], row_numbers: npt.NDArray[np.int64]
) -> pa.Array:
    """The values of the chosen cells; a loop over features, never over rows."""
    texts = np.full(len(places), None, dtype=object)
    for place in np.unique(places):
        cells = np.flatnonzero(places == place)
        column = rows[model.encoding[place].name].combine_chunks()
        chosen = column.take(pa.array(row_numbers[cells]))
        if pa.types.is_floating(chosen.type):
            chosen = pc.round(chosen.cast(pa.float64()), ndigits=6)
        texts[cells] = np.asarray(chosen.cast(pa.string()).to_numpy(zero_copy_only=False), dtype=object)
    return pa.array(texts, pa.string())


def importance(model: Model) -> list[tuple[str, float]]:
    """Features by their share of the explaining boosters' total gain, largest first; unused ones are left out."""
    if model.baseline is not None:
        return []
    boosters = [model.booster(name) for name in forecaster(model.forecaster).explaining]
    shares = [np.asarray(booster.feature_importance("gain"), dtype=np.float64) for booster in boosters]
    gains = np.mean([share / (share.sum() or 1.0) for share in shares], axis=0)
    order = np.argsort(-gains, kind="stable")
    return [(model.encoding[place].name, float(gains[place])) for place in order if gains[place] > 0]
