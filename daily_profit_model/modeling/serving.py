"""From scores to served predictions: calibrated, explained, in the contract's columns. No I/O here."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.calibration import levels_of, version_of
from daily_profit_model.modeling.explanation import top_features
from daily_profit_model.modeling.intervals import apply_levels
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY

CHAMPION = "champion"
"""Of rows that no shadow deployment serves (see `traffic`)."""

_FROM_SNAPSHOT = ("feature_date", "login", "plan_id", "features_hash", "as_of")


@dataclass(frozen=True)
class Telemetry:
    """What a prediction row says of its making, besides its model and its calibration."""

    snapshot_hash: str
    """Content hash of the snapshot that was scored."""
    code_version: str
    """See `telemetry.code_version`."""
    served_by: str = CHAMPION
    """Or the shadow deployment whose traffic the accounts are in."""


def serve(model: Model, snapshot: pa.Table, scores: pa.Table, calibration: pa.Table, telemetry: Telemetry) -> pa.Table:
    """Rows of predictions/account_daily for one day: `scores` with the stored levels of `calibration` applied.

    `snapshot` and `scores` hold the same accounts of the same day, `calibration` that day's rows of
    MONITORING_INTERVAL_CALIBRATION. Raises ValueError when they do not fit together.
    """
    ordered = snapshot.sort_by("account_id")
    scored = scores.sort_by("account_id")
    if not ordered["account_id"].equals(scored["account_id"]):
        raise ValueError("the snapshot and the scores of the day do not hold the same accounts")
    if not scored.num_rows:
        return PREDICTIONS_ACCOUNT_DAILY.schema().empty_table()
    days = [pc.unique(rows["prediction_date"]).to_pylist() for rows in (ordered, scored, calibration)]
    if any(day != days[0] for day in days) or len(days[0]) != 1:
        raise ValueError(f"snapshot, scores and calibration are not of one day: {days[0]}, {days[1]}, {days[2]}")
    served = apply_levels(scored, levels_of(calibration))
    # calibration may draw an interval in past the raw mean: a reader must not find it outside
    expected = pc.max_element_wise(pc.min_element_wise(served["mean"], served["upper_90"]), served["lower_90"])
    columns = {name: ordered[name] for name in _FROM_SNAPSHOT}
    columns |= {name: served[name] for name in ("prediction_date", "account_id", "model_version", "model_hash")}
    columns |= {name: served[name] for name in ("lower_90", "upper_90", "probability_trade", "probability_profit")}
    columns |= {"predicted_net_profit": served["median"], "expected_net_profit": expected}
    columns |= {"top_features": top_features(model, ordered)}
    made_by = {
        "forecaster": model.described_forecaster,
        "calibration_version": version_of(calibration),
        **vars(telemetry),
    }
    columns |= {name: pa.repeat(pa.scalar(value, pa.string()), scored.num_rows) for name, value in made_by.items()}
    return pa.table(columns).select(PREDICTIONS_ACCOUNT_DAILY.column_names)
