"""By what the figures of a version are divided: weekday, plan, phase, activity and history of the account."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.evaluation import Labels
from daily_profit_model.modeling.matrix import floats

SEGMENT_COLUMNS = ("plan_type", "phase", "trading_days_20d", "days_since_first_trade")
"""Features by which rows are divided; a frame without one of them is not divided by it."""

WEEKDAYS = ("1 Monday", "2 Tuesday", "3 Wednesday", "4 Thursday", "5 Friday", "6 Saturday", "7 Sunday")
ACTIVITY = ("1 least", "2 middle", "3 most")
HISTORY_DAYS = (20, 60)
HISTORY = ("1 up to 20 days", "2 up to 60 days", "3 more than 60 days")


def segments(rows: pa.Table) -> dict[str, Labels]:
    """A label for each row of a design, by what rows are divided by."""
    found = {"weekday": np.array(WEEKDAYS, dtype=object)[pc.day_of_week(rows["target_date"]).to_numpy()]}
    for name in ("plan_type", "phase"):
        if name in rows.column_names:
            found[name] = np.array(rows[name].cast(pa.string()).fill_null("unknown").to_pylist(), dtype=object)
    if "trading_days_20d" in rows.column_names:
        traded = floats(rows["trading_days_20d"])
        found["activity"] = _cut(traded, np.nanquantile(traded, [1 / 3, 2 / 3]).tolist(), ACTIVITY)
    if "days_since_first_trade" in rows.column_names:
        found["history"] = _cut(floats(rows["days_since_first_trade"]), HISTORY_DAYS, HISTORY)
    return found


def _cut(values: npt.NDArray[np.float64], bounds: Sequence[float], labels: Sequence[str]) -> Labels:
    """The label of the first bound that a value does not exceed; `unknown` where there is no value."""
    places = np.searchsorted(np.array(bounds), values, side="left")
    chosen = np.array(labels, dtype=object)[np.minimum(places, len(labels) - 1)]
    chosen[np.isnan(values)] = "unknown"
    return chosen
