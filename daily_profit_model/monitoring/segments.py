"""How a day's served predictions did by segment, and over the days before: bias, losses, tails, and probabilities
beside what came of them. A day is one observation of a segment, however many accounts it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.conformity import ACTIVITIES, activity_codes
from daily_profit_model.modeling.evaluation import pinball, winkler
from daily_profit_model.modeling.matrix import Floats, floats
from daily_profit_model.tables.segments import MEASURES, SEGMENT_PERFORMANCE, TRAILING_DAYS

WHOLE = "all"
UNKNOWN = "unknown"
"""The plan or plan type where the service names none."""

Segment = tuple[str, str]
"""What it is a segment by, and its name."""

Day = dict[Segment, tuple[int, Floats]]
"""Accounts, and the MEASURES in their order."""


def segments_of(settled: pa.Table) -> Day:
    """Of one day's `settled` outcomes (MONITORING_OUTCOMES with a net profit, and `plan_id` and `plan_type`), in the order of accounts."""
    if not settled.num_rows:
        return {}
    measured = _measured(settled)
    found = {}
    for segment_by, labels in _labels(settled).items():
        names, places = np.unique(labels.astype(str), return_inverse=True)
        counts = np.bincount(places)
        means = np.stack([np.bincount(places, weights=values) / counts for values in measured], axis=1)
        found.update({(segment_by, str(name)): (int(counts[at]), means[at]) for at, name in enumerate(names)})
    return found


def segment_performance(days: Sequence[Day], own: date) -> pa.Table:
    """SEGMENT_PERFORMANCE of the last of `days` (ascending, the TRAILING_DAYS up to it), which is the date `own`."""
    rows = [
        {
            "prediction_date": own,
            "segment_by": segment_by,
            "segment": segment,
            "accounts": accounts,
            **dict(zip(MEASURES, means.tolist(), strict=True)),
            **_trailing([day[segment_by, segment][1] for day in days if (segment_by, segment) in day]),
        }
        for (segment_by, segment), (accounts, means) in sorted(days[-1].items())
    ]
    return pa.Table.from_pylist(rows, schema=SEGMENT_PERFORMANCE.schema())


def _trailing(means: Sequence[Floats]) -> dict[str, object]:
    over = np.mean(means, axis=0).tolist()
    return {
        f"days_{TRAILING_DAYS}d": len(means),
        **{f"{name}_{TRAILING_DAYS}d": value for name, value in zip(MEASURES, over, strict=True)},
    }


def _labels(settled: pa.Table) -> dict[str, np.ndarray]:
    activity = np.array(ACTIVITIES, dtype=object)[activity_codes(floats(settled["probability_trade"]))]
    return {
        WHOLE: np.full(settled.num_rows, WHOLE, dtype=object),
        "model": settled["model_version"].to_numpy(),
        "plan": pc.fill_null(settled["plan_id"], UNKNOWN).to_numpy(),
        "plan_type": pc.fill_null(settled["plan_type"], UNKNOWN).to_numpy(),
        "activity": activity,
    }


def _measured(settled: pa.Table) -> list[Floats]:
    """Of each row each of MEASURES, in their order."""
    actual, median, mean, lower, upper, trade, profit = (
        floats(settled[name])
        for name in (
            "net_profit",
            "predicted_net_profit",
            "expected_net_profit",
            "lower_90",
            "upper_90",
            "probability_trade",
            "probability_profit",
        )
    )
    traded = pc.equal(settled["outcome_status"], "traded").cast(pa.float64()).to_numpy()
    profited = (actual > 0).astype(np.float64)
    below, above = (actual < lower).astype(np.float64), (actual > upper).astype(np.float64)
    ends = ((lower, 0.05), (median, 0.5), (upper, 0.95))
    measured = {
        "bias": actual - mean,
        "mean_absolute_error": np.abs(actual - median),
        "pinball": np.mean([pinball(actual, end, level) for end, level in ends], axis=0),
        "winkler_90": winkler(actual, lower, upper),
        "coverage_90": 1 - below - above,
        "miss_lower": below,
        "miss_upper": above,
        "probability_trade": trade,
        "traded": traded,
        "brier_trade": (trade - traded) ** 2,
        "probability_profit": profit,
        "profited": profited,
        "brier_profit": (profit - profited) ** 2,
    }
    return [measured[name] for name in MEASURES]
