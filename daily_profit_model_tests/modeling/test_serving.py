"""What is served fits together: quantiles, mean, probabilities and reasons of the same accounts."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from daily_profit_model.modeling.matrix import floats
from daily_profit_model.modeling.serving import serve
from daily_profit_model.modeling.telemetry import SERVING_VERSION, code_version
from daily_profit_model.modeling.training import TrainedModel
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model_tests.modeling.panel import Panel
from daily_profit_model_tests.modeling.served_day import ServedDay, on_day, serve_day_after


def test_every_row_has_its_quantiles_in_order_its_mean_inside_and_its_reasons(served_day: ServedDay) -> None:
    served = served_day.rows
    assert served.column_names == PREDICTIONS_ACCOUNT_DAILY.column_names
    lower, median, mean, upper = (
        floats(served[name]) for name in ("lower_90", "predicted_net_profit", "expected_net_profit", "upper_90")
    )
    assert np.all((lower <= median) & (median <= upper))
    assert np.all((lower <= mean) & (mean <= upper))
    assert np.all(floats(served["probability_profit"]) <= floats(served["probability_trade"]))
    assert all(reasons for reasons in served["top_features"].to_pylist())


def test_every_row_says_which_code_calibration_and_snapshot_it_comes_from(served_day: ServedDay) -> None:
    names = ("snapshot_hash", "code_version", "calibration_version")
    found = {name: set(served_day.rows[name].to_pylist()) for name in names}
    assert found["snapshot_hash"] == {served_day.telemetry.snapshot_hash}
    assert found["code_version"] == {served_day.telemetry.code_version}
    assert found["calibration_version"] == set(served_day.calibration["calibration_version"].to_pylist())
    assert all(served_day.rows[name].null_count == 0 for name in PREDICTIONS_ACCOUNT_DAILY.required_names)


def test_every_row_says_what_serves_and_a_baseline_says_that_it_is_one(
    served_day: ServedDay, panel: Panel, baseline: TrainedModel, cutoff: date
) -> None:
    assert set(served_day.rows["forecaster"].to_pylist()) == {"l1"}
    rows = serve_day_after(panel, baseline.model, cutoff).rows
    assert set(rows["forecaster"].to_pylist()) == {"baseline: zero"}
    assert all(reasons == [] for reasons in rows["top_features"].to_pylist())
    assert np.all(floats(rows["lower_90"]) <= 0)


def test_scores_of_other_accounts_than_the_snapshot_are_refused(served_day: ServedDay) -> None:
    with pytest.raises(ValueError, match="do not hold the same accounts"):
        serve(
            served_day.model,
            served_day.snapshot,
            served_day.scores.slice(1),
            served_day.calibration,
            served_day.telemetry,
        )


def test_a_calibration_of_another_day_or_without_a_group_is_refused(served_day: ServedDay) -> None:
    other = on_day(served_day.calibration, date(2024, 1, 1))
    for calibration, says in ((other, "not of one day"), (served_day.calibration.slice(1), "6; this one has 5")):
        with pytest.raises(ValueError, match=says):
            serve(served_day.model, served_day.snapshot, served_day.scores, calibration, served_day.telemetry)


def test_a_day_without_accounts_is_served_as_no_rows(served_day: ServedDay) -> None:
    empty, no_scores = served_day.snapshot.slice(0, 0), served_day.scores.slice(0, 0)
    served = serve(served_day.model, empty, no_scores, served_day.calibration, served_day.telemetry)
    assert served.num_rows == 0
    assert served.schema == PREDICTIONS_ACCOUNT_DAILY.schema()


def test_the_code_version_changes_with_any_source_that_could_change_a_prediction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from daily_profit_model.cache import code
    from daily_profit_model.modeling import telemetry

    present = code_version()
    assert present.startswith(f"{SERVING_VERSION}-")
    covered = code.sources("daily_profit_model.modeling.serving")
    wanted = ("scoring", "calibration", "intervals", "explanation", "matrix", "carry", "bundle")
    assert {f"daily_profit_model.modeling.{name}" for name in wanted} <= set(covered)

    def with_another_intervals(module: str) -> dict[str, bytes]:
        assert module == "daily_profit_model.modeling.serving"
        return {**covered, "daily_profit_model.modeling.intervals": b"LEAST_LEVEL = 0.002"}

    monkeypatch.setattr(code, "sources", with_another_intervals)
    changed = telemetry.code_version.__wrapped__()
    assert changed != present
    monkeypatch.setattr(telemetry, "version", lambda name: "0.0.0")
    assert telemetry.code_version.__wrapped__() not in (changed, present)


def test_the_same_day_served_twice_is_the_same_to_the_last_byte(served_day: ServedDay) -> None:
    again = serve(
        served_day.model, served_day.snapshot, served_day.scores, served_day.calibration, served_day.telemetry
    )
    shuffled = pa.concat_tables([served_day.snapshot.slice(70), served_day.snapshot.slice(0, 70)])
    turned = serve(served_day.model, shuffled, served_day.scores, served_day.calibration, served_day.telemetry)
    assert served_day.rows.equals(again)
    assert served_day.rows.equals(turned)
