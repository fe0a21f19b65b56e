"""Which features a version's predictions rest on, in USD over its test days, and whether the next version agrees.

Here: figures for the manifest, and the comparison of two of them. One prediction's reasons stand in `reasons`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.explanation import contributions
from daily_profit_model.modeling.forecasters import forecaster
from daily_profit_model.modeling.matrix import Floats

Matrix = npt.NDArray[np.float32]
Column = npt.NDArray[np.float32]

SAMPLED_ROWS = 2000
"""Rows that are explained, at most: a mean over more changes no rank that matters, and takes seconds."""

TOP = 20
"""Features that two versions should agree on."""


def sampled(rows: int, most: int = SAMPLED_ROWS) -> npt.NDArray[np.int64]:
    """Places of at most `most` rows at an even step, so that every day has its share and the choice repeats.

    The step is no whole number: on days with the same accounts it would else choose the same ones each day.
    """
    return np.arange(min(rows, most), dtype=np.int64) * rows // max(1, min(rows, most))


def importance_of(model: Model, rows: pa.Table, matrix: Matrix) -> dict[str, Any]:
    """How far each feature moves the explained output: mean absolute contribution in USD, for the manifest.

    `rows`, `matrix`: the test days in the same order, the matrix rows x features. Rows are sampled. A baseline has
    no features, and none are listed.
    """
    places = sampled(rows.num_rows)
    parts, _ = contributions(model, rows.take(pa.array(places)), matrix=matrix[places])
    means = np.abs(parts).mean(axis=0) if len(parts) else np.zeros(len(model.encoding))
    return {
        "output": None if model.baseline is not None else forecaster(model.forecaster).explained,
        "rows": len(places),
        "mean_absolute_usd": {feature.name: float(mean) for feature, mean in zip(model.encoding, means, strict=True)},
    }


def unvarying(columns: Iterable[tuple[str, Column]]) -> dict[str, list[str]]:
    """Names of the encoded columns that say nothing: `null` is always missing, `constant` always the same value."""
    found: dict[str, list[str]] = {"null": [], "constant": []}
    for name, values in columns:
        gaps = np.isnan(values)
        if gaps.all():
            found["null"].append(name)
        elif not gaps.any() and values.min() == values.max():
            found["constant"].append(name)
    return found


def ranked(importances: Mapping[str, float]) -> list[tuple[str, float]]:
    """Features that moved anything, largest first; ties by name."""
    moved = [(name, value) for name, value in importances.items() if value > 0]
    return sorted(moved, key=lambda entry: (-entry[1], entry[0]))


@dataclass(frozen=True)
class Stability:
    """How far two versions rest on the same features."""

    rank_correlation: float | None
    """Spearman's, over the features that both versions know and at least one uses; None: not defined."""
    features: int
    """How many these are."""
    top: int
    """How many features were compared as the most important ones: TOP, or as many as a version uses."""
    shared: int
    """Features among the most important of both."""
    came: tuple[str, ...]
    """Among the most important of the later version alone, most important first."""
    went: tuple[str, ...]
    """Among those of the earlier version alone."""


def stability(earlier: Mapping[str, float], later: Mapping[str, float]) -> Stability:
    """Importances (USD) of two versions, compared by rank, for amounts follow the market's size."""
    common = sorted(name for name in earlier.keys() & later.keys() if earlier[name] > 0 or later[name] > 0)
    before, after = ([name for name, _ in ranked(found)[:TOP]] for found in (earlier, later))
    return Stability(
        rank_correlation=_spearman(*(np.array([found[name] for name in common]) for found in (earlier, later))),
        features=len(common),
        top=max(len(before), len(after)),
        shared=len(set(before) & set(after)),
        came=tuple(name for name in after if name not in before),
        went=tuple(name for name in before if name not in after),
    )


def stability_of(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> Stability | None:
    """The same of two manifests; None when either has no importances, or they explain different outputs."""
    before, after = (manifest.get("importance") or {"output": None} for manifest in (earlier, later))
    if before["output"] is None or before["output"] != after["output"]:
        return None
    return stability(before["mean_absolute_usd"], after["mean_absolute_usd"])


def stability_words(found: Stability, earlier: str) -> str:
    """One line of it."""
    correlation = "not defined" if found.rank_correlation is None else f"{found.rank_correlation:+.2f}"
    said = (
        f"against {earlier}: rank correlation {correlation} over {found.features} features, "
        f"{found.shared} of the {found.top} most important shared"
    )
    said += f"; came: {', '.join(found.came)}" if found.came else ""
    return said + (f"; went: {', '.join(found.went)}" if found.went else "")


def _spearman(first: Floats, second: Floats) -> float | None:
    from scipy.stats import rankdata

    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])
