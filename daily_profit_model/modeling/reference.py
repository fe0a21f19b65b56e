"""What a version's features looked like while it learnt: a sketch that drift is measured against.

Here: the sketch of a design's learning days, stored in the bundle. Comparing days with it belongs to monitoring.

The day is the unit (DESIGN.md): accounts of one day share a market, so besides the distribution of all rows the
sketch holds a number a day, from which a test can tell how much whole days differ while nothing drifts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from daily_profit_model.modeling.design import Design
from daily_profit_model.modeling.frames import of_days
from daily_profit_model.modeling.matrix import EncodedFeature, Floats

LEVELS: Floats = np.linspace(0.0, 1.0, 101)
"""Of the quantiles of a number or a flag."""

MOST_ROWS = 60_000
"""Rows that a sketch is taken from, evenly spaced over days and accounts: more change no percentile."""

SCHEMA = pa.schema(
    [
        ("feature", pa.string()),
        ("kind", pa.string()),
        ("rows", pa.int64()),
        ("missing_share", pa.float64()),
        ("quantiles", pa.list_(pa.float64())),
        ("shares", pa.list_(pa.float64())),
        ("days", pa.list_(pa.date32())),
        ("day_rows", pa.list_(pa.int64())),
        ("day_missing", pa.list_(pa.float64())),
        ("day_distance", pa.list_(pa.float64())),
    ]
)
"""A row a feature, in the model's order. `quantiles` at LEVELS of the known values, as the boosters see them (of a
category none); `shares` of a category's codes among the known values, in the manifest's order (of others none). By day:
rows, share of missing values, and how far the day lies from all days: the mean rank of its values minus a half (between
-0.5 and 0.5), of a category half the sum of the absolute differences of shares (0 to 1); NaN without a known value."""


def reference_of(design: Design) -> pa.Table:
    """SCHEMA of the training and validation days, from MOST_ROWS of their rows at most."""
    rows = of_days(design.rows, design.split.train + design.split.validation)
    step = -(-max(rows.num_rows, 1) // MOST_ROWS)
    taken = rows.take(pa.array(np.arange(0, rows.num_rows, step)))
    days, places = np.unique(taken["target_date"].cast(pa.int32()).to_numpy(), return_inverse=True)
    sizes = np.bincount(places, minlength=len(days))
    sketches = [
        {
            "feature": feature.name,
            "kind": feature.kind,
            "rows": taken.num_rows,
            **_sketch(feature, values.astype(np.float64), places, sizes),
            "days": days,
            "day_rows": sizes,
        }
        for feature, (_, values) in zip(design.encoding, design.encoded(taken), strict=True)
    ]
    return pa.Table.from_pylist(sketches, schema=SCHEMA)


def ranks(values: Floats, quantiles: Floats) -> Floats:
    """The share of the reference below each value, half of what equals it included; `quantiles` at LEVELS."""
    last = len(quantiles) - 1
    below = np.searchsorted(quantiles, values, side="left")
    upto = np.searchsorted(quantiles, values, side="right")
    low, high = quantiles[np.clip(below - 1, 0, last)], quantiles[np.clip(below, 0, last)]
    inside = np.divide(values - low, high - low, out=np.zeros(len(values)), where=high > low)
    between = np.clip((below - 1 + inside) / last, 0.0, 1.0)
    equal = (below + upto - 1) / 2 / last
    found: Floats = np.where(upto > below, np.clip(equal, 0.0, 1.0), between)
    return found


def share_distance(shares: Floats, reference: Floats) -> float:
    """Half the sum of the absolute differences of two distributions over categories: 0 equal, 1 apart."""
    return float(np.abs(shares - reference).sum() / 2)


def _sketch(
    feature: EncodedFeature, values: Floats, places: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]
) -> dict[str, object]:
    known = ~np.isnan(values)
    missing = np.bincount(places[~known], minlength=len(sizes)) / sizes
    found: dict[str, object] = {
        "missing_share": float(1.0 - known.mean()) if len(known) else 0.0,
        "day_missing": missing,
    }
    if feature.kind == "category":
        return found | _of_category(values[known].astype(np.int64), places[known], len(feature.categories), len(sizes))
    quantiles = np.quantile(values[known], LEVELS) if known.any() else np.empty(0)
    with np.errstate(invalid="ignore"):
        own = ranks(values[known], quantiles) if known.any() else np.empty(0)
        distance = np.bincount(places[known], weights=own, minlength=len(sizes)) / (sizes * (1.0 - missing)) - 0.5
    return found | {"quantiles": quantiles, "shares": [], "day_distance": distance}


def _of_category(
    codes: npt.NDArray[np.int64], places: npt.NDArray[np.int64], categories: int, days: int
) -> dict[str, object]:
    counts = np.bincount(places * max(categories, 1) + codes, minlength=days * max(categories, 1))
    counts = counts.reshape(days, max(categories, 1)).astype(np.float64)
    with np.errstate(invalid="ignore"):
        shares = counts / counts.sum(axis=1, keepdims=True)
        pooled = counts.sum(axis=0) / counts.sum()
    distance = [share_distance(own, pooled) if not np.isnan(own).any() else np.nan for own in shares]
    return {"quantiles": [], "shares": pooled[:categories], "day_distance": distance}
