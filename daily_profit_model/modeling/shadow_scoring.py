"""What a shadow says of a day: the champion's rows scored by its bundle, calibrated by its own past days alone.

Here: pure functions over tables. Which deployments are active stands in `shadows`.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.calibration import calibration_of, levels_of, version_of
from daily_profit_model.modeling.conformity import conformity
from daily_profit_model.modeling.contracts import MODEL_SCORES, MONITORING_CONFORMITY
from daily_profit_model.modeling.intervals import apply_levels
from daily_profit_model.modeling.scoring import score
from daily_profit_model.modeling.shadow_contracts import PREDICTIONS_SHADOW, SHADOW_SCORES


def shadow_scores(deployment: str, model: Model, snapshot: pa.Table) -> pa.Table:
    """Rows of SHADOW_SCORES of one day: `snapshot` (FEATURE_SNAPSHOTS) scored as the champion's is.

    Raises ModelMismatchError as `score` does.
    """
    if not snapshot.num_rows:
        return SHADOW_SCORES.schema().empty_table()
    rows = score(model, snapshot)
    rows = rows.append_column("deployment", pa.repeat(deployment, rows.num_rows))
    return rows.select(SHADOW_SCORES.column_names).cast(SHADOW_SCORES.schema())


def own_conformity(scores: pa.Table, outcomes: pa.Table) -> pa.Table:
    """MONITORING_CONFORMITY of one deployment's past `scores`; `outcomes` as `conformity` takes them."""
    if not scores.num_rows:
        return MONITORING_CONFORMITY.schema().empty_table()
    return conformity(scores.select(MODEL_SCORES.column_names), outcomes)


def shadow_calibration(model: Model, scores: pa.Table, past: pa.Table) -> pa.Table:
    """MONITORING_INTERVAL_CALIBRATION of one deployment on a day, of its uncalibrated `scores` (columns of MODEL_SCORES).

    `past`: its conformity of the days known at the cut-off; the bundle brings that of its held-out days. Raises
    ValueError when another model made the scores.
    """
    return calibration_of(model, scores.select(MODEL_SCORES.column_names), past)


def shadow_predictions(scores: pa.Table, calibration: pa.Table) -> pa.Table:
    """Rows of PREDICTIONS_SHADOW: one deployment's SHADOW_SCORES of a day, at least one, with its `calibration` applied."""
    served = apply_levels(scores, levels_of(calibration))
    # as in serving: an interval may be drawn in past the raw mean
    expected = pc.max_element_wise(pc.min_element_wise(served["mean"], served["upper_90"]), served["lower_90"])
    columns = {name: served[name] for name in PREDICTIONS_SHADOW.column_names if name in served.column_names}
    columns |= {"predicted_net_profit": served["median"], "expected_net_profit": expected}
    columns |= {"calibration_version": pa.repeat(version_of(calibration), served.num_rows)}
    return pa.table(columns).select(PREDICTIONS_SHADOW.column_names).cast(PREDICTIONS_SHADOW.schema())
