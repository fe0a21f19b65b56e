"""What is served fits together: quantiles, mean, probabilities and reasons of the same accounts."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from daily_profit_model.modeling.conformity import conformity
from daily_profit_model.modeling.frames import of_days
from daily_profit_model.modeling.matrix import floats
from daily_profit_model.modeling.scoring import score
from daily_profit_model.modeling.serving import serve
from daily_profit_model.modeling.training import TrainedModel
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model_tests.modeling.panel import Panel


def day_of(panel: Panel, day: date) -> pa.Table:
    """The panel's rows of a predicted day as a feature snapshot."""
    rows = of_days(panel.frame, (day,)).sort_by("account_id")
    count = rows.num_rows
    stamp = pa.repeat(pa.scalar(0, pa.timestamp("ms", tz="UTC")), count)
    return (
        rows.append_column("prediction_date", rows["target_date"])
        .append_column("login", rows["account_id"])
        .append_column("plan_id", pa.nulls(count, pa.string()))
        .append_column("features_hash", pa.repeat("f" * 64, count))
        .append_column("as_of", stamp)
    )


@pytest.fixture
def no_conformity(panel: Panel, trained: TrainedModel, cutoff: date) -> pa.Table:
    scores = score(trained.model, day_of(panel, cutoff))
    outcomes = pa.table(
        {
            "prediction_date": scores["prediction_date"],
            "account_id": scores["account_id"],
            "net_profit": pa.nulls(scores.num_rows, pa.float64()),
        }
    )
    return conformity(scores, outcomes)


def test_every_row_has_its_quantiles_in_order_its_mean_inside_and_its_reasons(
    panel: Panel, trained: TrainedModel, cutoff: date, no_conformity: pa.Table
) -> None:
    later = cutoff + timedelta(days=1)
    snapshot = day_of(panel, cutoff).set_column(
        day_of(panel, cutoff).column_names.index("prediction_date"),
        "prediction_date",
        pa.repeat(pa.scalar(later, pa.date32()), day_of(panel, cutoff).num_rows),
    )
    served = serve(trained.model, snapshot, score(trained.model, snapshot), no_conformity)
    assert served.column_names == PREDICTIONS_ACCOUNT_DAILY.column_names
    lower, median, mean, upper = (
        floats(served[name]) for name in ("lower_90", "predicted_net_profit", "expected_net_profit", "upper_90")
    )
    assert np.all((lower <= median) & (median <= upper))
    assert np.all((lower <= mean) & (mean <= upper))
    assert np.all(floats(served["probability_profit"]) <= floats(served["probability_trade"]))
    assert all(reasons for reasons in served["top_features"].to_pylist())


def test_scores_of_other_accounts_than_the_snapshot_are_refused(
    panel: Panel, trained: TrainedModel, cutoff: date, no_conformity: pa.Table
) -> None:
    snapshot = day_of(panel, cutoff)
    with pytest.raises(ValueError, match="do not hold the same accounts"):
        serve(trained.model, snapshot, score(trained.model, snapshot.slice(1)), no_conformity)


def test_a_day_without_accounts_is_served_as_no_rows(
    panel: Panel, trained: TrainedModel, cutoff: date, no_conformity: pa.Table
) -> None:
    empty = day_of(panel, cutoff).slice(0, 0)
    assert serve(trained.model, empty, score(trained.model, empty), no_conformity).num_rows == 0
