"""Why a prediction is what it is: TreeSHAP contributions in USD, and the same in words.

Here: contributions of one booster, checked for additivity, and sentences for one prediction row.
Pictures stand in `plots`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.boosting import PROFITS
from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.carry import OPEN_PROFIT, carried
from daily_profit_model.modeling.matrix import Floats, to_matrix
from daily_profit_model.modeling.scoring import profit_scale

TOP_FEATURES = pa.list_(pa.struct([("name", pa.string()), ("value", pa.string()), ("contribution", pa.float64())]))
"""Values are text, so that numbers, categories and flags fit one column; null is a missing value."""

LARGEST_GAP = 1e-6
"""How far contributions plus base may lie from the prediction, relative to 1 + its size: float noise."""

EXPLAINED_OUTPUTS = PROFITS


class AdditivityError(RuntimeError):
    """Contributions do not add up to the prediction, so they explain something else."""


def contributions(model: Model, rows: pa.Table, *, output: str = "median", threads: int = 1) -> tuple[Floats, Floats]:
    """TreeSHAP values (Lundberg et al. 2020) of an output: rows x features in USD, and the base in USD.

    What open positions are expected to realise is a contribution of their profit. All add up to the raw
    output, before quantiles are put in order, a median is set to zero or a mean is bounded. Raises AdditivityError when they do not, ValueError when the output is not in USD.
    """
    if output not in EXPLAINED_OUTPUTS:
        raise ValueError(f"{output} is not in USD; explained are {', '.join(EXPLAINED_OUTPUTS)}")
    matrix, scale = to_matrix(rows, model.encoding), profit_scale(rows)
    if not len(matrix):
        return np.empty((0, len(model.encoding))), np.empty(0)
    booster = model.booster(output)
    parts = np.asarray(booster.predict(matrix, pred_contrib=True, num_threads=threads), dtype=np.float64)
    predicted = np.asarray(booster.predict(matrix, num_threads=threads), dtype=np.float64)
    gap = np.abs(parts.sum(axis=1) - predicted) / (1.0 + np.abs(predicted))
    if gap.max() > LARGEST_GAP:
        raise AdditivityError(f"contributions of {output} miss the prediction by up to {gap.max():.2e}")
    in_usd = parts[:, :-1] * scale[:, None]
    if model.carry:
        in_usd[:, [feature.name for feature in model.encoding].index(OPEN_PROFIT)] += carried(rows, model.carry)
    return in_usd, parts[:, -1] * scale


def top_features(model: Model, rows: pa.Table, k: int = 5, *, output: str = "median", threads: int = 1) -> pa.Array:
    """Per row the `k` features that moved the prediction most, as TOP_FEATURES.

    Largest absolute contribution (USD) first, ties in the model's column order; features that moved
    nothing are left out.
    """
    parts, _ = contributions(model, rows, output=output, threads=threads)
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


def importance(model: Model, output: str = "median") -> list[tuple[str, float]]:
    """Features by their share of the booster's total gain, largest first; unused ones are left out."""
    gains = np.asarray(model.booster(output).feature_importance("gain"), dtype=np.float64)
    total = gains.sum() or 1.0
    order = np.argsort(-gains, kind="stable")
    return [(model.encoding[place].name, float(gains[place] / total)) for place in order if gains[place] > 0]


def describe(row: Mapping[str, Any]) -> list[str]:
    """A predictions/account_daily row in sentences: the forecast, its range, its chances, its reasons."""
    median, mean = _usd(row["predicted_net_profit"]), _usd(row["expected_net_profit"])
    lines = [
        f"{row['account_id']} on {row['prediction_date']}: net profit {median} (median), {mean} (mean).",
        f"With 90 % confidence between {_usd(row['lower_90'])} and {_usd(row['upper_90'])}.",
        f"Probability of trading {row['probability_trade']:.0%}, of profit {row['probability_profit']:.0%}.",
    ]
    reasons = row.get("top_features") or []
    if not reasons:
        return [*lines, "No feature moved this prediction away from the base."]
    lines.append("What moved it most:")
    for reason in reasons:
        value = "missing" if reason["value"] is None else reason["value"]
        verb = "raises" if reason["contribution"] > 0 else "lowers"
        amount = _usd(abs(reason["contribution"])).removeprefix("+")
        lines.append(f"  {reason['name']} = {value} {verb} it by {amount}")
    return lines


def _usd(amount: float) -> str:
    sign = "-" if amount < 0 else "+" if amount > 0 else ""
    return f"{sign}${abs(amount):,.2f}"
