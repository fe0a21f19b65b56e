"""From scores to served predictions: calibrated, explained, in the contract's columns. No I/O here."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.conformity import history_for
from daily_profit_model.modeling.explanation import top_features
from daily_profit_model.modeling.intervals import IntervalSettings, calibrate
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY

_FROM_SNAPSHOT = ("feature_date", "login", "plan_id", "features_hash", "as_of")


def serve(
    model: Model,
    snapshot: pa.Table,
    scores: pa.Table,
    conformity: pa.Table,
    settings: IntervalSettings | None = None,
) -> pa.Table:
    """Rows of predictions/account_daily for one day: `scores` calibrated by the conformity of earlier days.

    `snapshot` and `scores` hold the same accounts of the same day; `conformity` only days known at the
    cut-off. Raises ValueError when they do not fit together.
    """
    ordered = snapshot.sort_by("account_id")
    scored = scores.sort_by("account_id")
    if not ordered["account_id"].equals(scored["account_id"]):
        raise ValueError("the snapshot and the scores of the day do not hold the same accounts")
    if not scored.num_rows:
        return PREDICTIONS_ACCOUNT_DAILY.schema().empty_table()
    day = pc.min(scored["prediction_date"]).as_py()
    served = calibrate(scored, history_for(model, conformity, day), settings)
    # calibration may draw an interval in past the raw mean: a reader must not find it outside
    expected = pc.max_element_wise(pc.min_element_wise(served["mean"], served["upper_90"]), served["lower_90"])
    columns = {name: ordered[name] for name in _FROM_SNAPSHOT}
    columns |= {name: served[name] for name in ("prediction_date", "account_id", "model_version", "model_hash")}
    columns |= {name: served[name] for name in ("lower_90", "upper_90", "probability_trade", "probability_profit")}
    columns |= {"predicted_net_profit": served["median"], "expected_net_profit": expected}
    columns |= {"top_features": top_features(model, ordered)}
    return pa.table(columns).select(PREDICTIONS_ACCOUNT_DAILY.column_names)
