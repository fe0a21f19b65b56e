"""How far outcomes lay outside the uncalibrated quantiles: the rows that calibration folds over.

Here: scores of whole days joined to their outcomes. The folding itself stands in `intervals`.
Rows whose outcome has not arrived, and accounts closed on the day, have no conformity.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.contracts import MONITORING_CONFORMITY
from daily_profit_model.modeling.matrix import Floats, floats

ACTIVITIES = ("rare", "often", "usual")
"""Calibration groups, by the predicted probability of trading: see ACTIVITY_EDGES."""

ACTIVITY_EDGES = (1 / 3, 2 / 3)
"""Probabilities of trading from which an account belongs to the second and to the third group."""

LEAST_REACH = 0.02
"""Part of the profit scale that is added to each reach, so that an interval of no width can still grow."""

SETTLED = ("traded", "idle")
"""Outcome statuses that have a net profit: an idle day is a true zero."""


def activity_codes(probability_trade: Floats) -> npt.NDArray[np.int64]:
    """The index into ACTIVITIES of each row."""
    return np.searchsorted(np.array(ACTIVITY_EDGES), probability_trade, side="right")


def reaches(scores: pa.Table) -> tuple[Floats, Floats]:
    """How far the uncalibrated interval reaches down and up from the median, in USD, always positive."""
    median, scale = floats(scores["median"]), floats(scores["profit_scale"])
    slack = LEAST_REACH * scale
    lower = np.maximum(median - floats(scores["q05"]), 0.0) + slack
    upper = np.maximum(floats(scores["q95"]) - median, 0.0) + slack
    return lower, upper


def conformity(scores: pa.Table, outcomes: pa.Table) -> pa.Table:
    """MONITORING_CONFORMITY of one or more days, sorted by its key.

    `scores`: MODEL_SCORES rows. `outcomes`: prediction_date, account_id, net_profit (USD) and, when the
    column is there, status; only traded and idle rows count.
    """
    settled = outcomes
    if "status" in outcomes.column_names:
        settled = outcomes.filter(pc.is_in(outcomes["status"], pa.array(SETTLED)))
    settled = settled.filter(pc.is_valid(settled["net_profit"]))
    joined = scores.join(
        settled.select(["prediction_date", "account_id", "net_profit"]),
        keys=["prediction_date", "account_id"],
        join_type="inner",
    ).sort_by([("prediction_date", "ascending"), ("account_id", "ascending")])
    return _measure(joined)


def _measure(joined: pa.Table) -> pa.Table:
    outcome, median, scale = (floats(joined[name]) for name in ("net_profit", "median", "profit_scale"))
    lower_reach, upper_reach = reaches(joined)
    codes = activity_codes(floats(joined["probability_trade"]))
    columns = {
        "prediction_date": joined["prediction_date"],
        "account_id": joined["account_id"],
        "activity": pa.array(np.array(ACTIVITIES, dtype=object)[codes], pa.string()),
        "plan_type": joined["plan_type"],
        "lower_excess": (floats(joined["q05"]) - outcome) / scale,
        "upper_excess": (outcome - floats(joined["q95"])) / scale,
        "lower_stretch": np.maximum(median - outcome, 0.0) / lower_reach,
        "upper_stretch": np.maximum(outcome - median, 0.0) / upper_reach,
        "model_version": joined["model_version"],
        "model_hash": joined["model_hash"],
    }
    return pa.table(columns).select(MONITORING_CONFORMITY.column_names).cast(MONITORING_CONFORMITY.schema())


def before(history: pa.Table, day: date) -> pa.Table:
    """The rows of days before `day`."""
    return history.filter(pc.less(history["prediction_date"], pa.scalar(day, pa.date32())))


def history_for(model: Model, served: pa.Table, day: date) -> pa.Table:
    """The rows that the calibration of `day` folds over, all of days before it.

    They are the model's own held-out days, and on all other days the conformity of served predictions
    (`served`: monitoring/conformity as known at the cut-off). On days that the bundle holds its own rows
    win: they are this model's, the served ones an earlier's.
    """
    own = model.table("conformity")
    own = own.append_column("model_version", pa.repeat(model.version, own.num_rows))
    own = before(own.append_column("model_hash", pa.repeat(model.hash, own.num_rows)), day)
    others = before(served.select(own.column_names).cast(own.schema), day)
    held = pc.is_in(others["prediction_date"], value_set=pc.unique(own["prediction_date"]))
    return pa.concat_tables([own, others.filter(pc.invert(held))]).sort_by(
        [("prediction_date", "ascending"), ("account_id", "ascending")]
    )
