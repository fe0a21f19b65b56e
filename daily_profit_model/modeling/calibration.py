"""The calibration of a day as a table: what a fold ends with, under a version of its own, and what it does to the day.

Here: rows of monitoring/interval_calibration made from scores and conformity, and read back as levels. The fold
itself stands in `intervals`; serving applies what is stored and folds nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.conformity import ACTIVITIES, history_for
from daily_profit_model.modeling.contracts import MONITORING_INTERVAL_CALIBRATION
from daily_profit_model.modeling.intervals import (
    IntervalSettings,
    Levels,
    Places,
    apply_levels,
    fold_levels,
    plan_places,
)
from daily_profit_model.modeling.matrix import Floats, floats

TAILS = ("lower", "upper")
VERSION_DIGITS = 16

WHOLE = "*"
"""In place of a plan type: the activity group whole."""


def calibration_of(
    model: Model, scores: pa.Table, conformity: pa.Table, settings: IntervalSettings | None = None
) -> pa.Table:
    """MONITORING_INTERVAL_CALIBRATION of the day of `scores`, a row a tail and group; no rows for no scores.

    `model`: the one that made the scores; its bundle brings conformity of its own for a cold start. `conformity`:
    MONITORING_CONFORMITY of the days known at the cut-off. A pure function: equal inputs give equal rows. Raises
    ValueError when another model made the scores.
    """
    settings = settings or IntervalSettings()
    if not scores.num_rows:
        return MONITORING_INTERVAL_CALIBRATION.schema().empty_table()
    if pc.unique(scores["model_hash"]).to_pylist() != [model.hash]:
        raise ValueError(f"the scores to be calibrated were not all made by the model {model.version}")
    day = pc.min(scores["prediction_date"]).as_py()
    history = history_for(model, conformity, day)
    levels = fold_levels(history, settings)
    width = _widths(scores, levels)
    window = _window(history, settings, levels)
    version = calibration_version(levels, settings)
    rows = [
        {
            "prediction_date": day,
            "tail": tail,
            "activity": activity,
            "plan_type": plan_type,
            "level": levels.lower_level if tail == "lower" else levels.upper_level,
            "threshold": float(thresholds[group, place]),
            **_misses(window, tail, (group, place), float(thresholds[group, place])),
            "miss_rate": settings.miss_rate,
            **width[group, place],
            "calibration_version": version,
            "model_version": model.version,
            "model_hash": model.hash,
        }
        for tail, thresholds in zip(TAILS, (levels.lower, levels.upper), strict=True)
        for group, activity in enumerate(ACTIVITIES)
        for place, plan_type in enumerate((WHOLE, *levels.plan_types))
    ]
    table = pa.Table.from_pylist(rows, schema=MONITORING_INTERVAL_CALIBRATION.schema())
    return table.sort_by([(name, "ascending") for name in MONITORING_INTERVAL_CALIBRATION.key])


def calibration_version(levels: Levels, settings: IntervalSettings) -> str:
    """The first digits of a sha256 over levels, thresholds by group, and settings."""
    content = {
        "groups": [ACTIVITIES, levels.plan_types],
        "levels": [float(levels.lower_level), float(levels.upper_level)],
        "thresholds": [levels.lower.tolist(), levels.upper.tolist()],
        "settings": asdict(settings),
    }
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()[:VERSION_DIGITS]


def levels_of(calibration: pa.Table) -> Levels:
    """The stored levels of one day. Raises ValueError when a tail or a group is not there exactly once."""
    found = {(row["tail"], row["activity"], row["plan_type"]): row for row in calibration.to_pylist()}
    plan_types = tuple(sorted({plan_type for *_, plan_type in found} - {WHOLE}))
    wanted = set(product(TAILS, ACTIVITIES, (WHOLE, *plan_types)))
    if set(found) != wanted or calibration.num_rows != len(wanted):
        raise ValueError(
            f"a calibration has a row a tail and group, {len(wanted)}; this one has {calibration.num_rows}"
        )
    lower, upper = (
        np.array([[found[tail, group, name]["threshold"] for name in (WHOLE, *plan_types)] for group in ACTIVITIES])
        for tail in TAILS
    )
    first = ACTIVITIES[0]
    lower_level, upper_level = (found[tail, first, WHOLE]["level"] for tail in TAILS)
    return Levels(lower_level, upper_level, lower, upper, plan_types)


def version_of(calibration: pa.Table) -> str:
    """The version that the rows of one day carry."""
    version: str = calibration["calibration_version"][0].as_py()
    return version


Group = tuple[int, int]
"""The number of an activity, and 1 and the number of a plan type; 0: the activity whole."""


def _widths(scores: pa.Table, levels: Levels) -> dict[Group, dict[str, Any]]:
    """By group: accounts of the day, mean and median width of their intervals in USD (None without accounts)."""
    served = apply_levels(scores, levels)
    width = floats(served["upper_90"]) - floats(served["lower_90"])
    places = levels.places(scores)
    found = {}
    for group in product(range(len(ACTIVITIES)), range(1 + len(levels.plan_types))):
        own = width[_belongs(places, group)]
        found[group] = {
            "accounts": len(own),
            # sums in one order, whatever order the rows came in
            "mean_width": float(np.sort(own).mean()) if len(own) else None,
            "median_width": float(np.median(own)) if len(own) else None,
        }
    return found


def _belongs(places: tuple[Places, Places], group: Group) -> npt.NDArray[np.bool_]:
    activity, plan_type = group
    belongs: npt.NDArray[np.bool_] = places[0] == activity
    return belongs & (places[1] == plan_type) if plan_type else belongs


Window = tuple[int, tuple[Places, Places], dict[str, Floats]]
"""Days, and per row its group and its stretch by tail."""


def _window(history: pa.Table, settings: IntervalSettings, levels: Levels) -> Window:
    """The rows of the last `window_days` days that there are."""
    dates = history["prediction_date"].cast(pa.int32()).to_numpy()
    known = np.unique(dates)[-settings.window_days :]
    inside = history.filter(pa.array(dates >= known[0]))
    groups = pc.index_in(inside["activity"], value_set=pa.array(ACTIVITIES)).to_numpy().astype(np.int64)
    places = (groups, plan_places(inside["plan_type"], levels.plan_types))
    return len(known), places, {tail: floats(inside[f"{tail}_stretch"]) for tail in TAILS}


def _misses(window: Window, tail: str, group: Group, threshold: float) -> dict[str, Any]:
    days, places, stretches = window
    own = stretches[tail][_belongs(places, group)]
    share = float((own > threshold).mean()) if len(own) else None
    return {"window_days": days, "window_rows": len(own), "window_miss_rate": share}
