"""Outcomes: each prediction against what came of the day, as known now; scores against what was first known."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa
import pytest

from daily_profit_model.engine import MissingInput, run
from daily_profit_model.lake import Lake, write
from daily_profit_model.lake.lake import cut_off
from daily_profit_model.modeling.contracts import MODEL_SCORES
from daily_profit_model.monitoring.outcomes import outcomes_query, scored_outcomes_query
from daily_profit_model.tables import Table
from daily_profit_model.tables.monitoring import MONITORING_OUTCOMES
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model.tables.raw import RAW_METRICS_DAILY
from daily_profit_model_tests.staging.firm_days import Record, day, metrics, store

PREDICTED = {"predicted_net_profit": 10.0, "expected_net_profit": 12.0, "lower_90": -100.0, "upper_90": 100.0,
             "probability_trade": 0.8, "probability_profit": 0.5, "model_version": "v1"}  # fmt: skip
LATE = cut_off(date.fromisoformat(day(0))) + timedelta(days=2)


def _predict(lake: Lake, *accounts: str, table: Table = PREDICTIONS_ACCOUNT_DAILY, of: str = day(0)) -> None:
    records = [{"prediction_date": date.fromisoformat(of), "account_id": account, **PREDICTED} for account in accounts]
    known = [{name: value for name, value in record.items() if name in table.column_names} for record in records]
    write(lake, table, of, pa.Table.from_pylist(known, schema=table.schema()), code_version="1")


def _outcomes(lake: Lake) -> dict[str, Record]:
    rows = run(outcomes_query(), lake, [day(0)]).select(MONITORING_OUTCOMES.column_names)
    assert rows.schema.equals(MONITORING_OUTCOMES.schema(), check_metadata=False)
    return {row["account_id"]: row for row in rows.to_pylist()}


def test_traded_idle_closed_and_unknown_are_told_apart_L9(lake: Lake) -> None:
    _predict(lake, "a", "b", "c", "d", "e")
    store(lake, RAW_METRICS_DAILY, day(0), [
        metrics("a", 25.0), metrics("c", None, 0, status=3), metrics("d", None, 3), metrics("e", None, None),
        metrics("nobody predicted", 9.0),
    ])  # fmt: skip
    found = _outcomes(lake)
    assert {account: (row["outcome_status"], row["net_profit"]) for account, row in found.items()} == {
        "a": ("traded", 25.0), "b": ("idle", 0.0), "c": ("closed", None), "d": ("traded", None), "e": ("idle", None),
    }  # fmt: skip
    unknown = ("error", "absolute_error", "is_covered", "is_below", "is_above")
    assert [found["c"][name] for name in unknown] == [None] * len(unknown)


def test_a_breach_stays_in_with_its_loss_L1(lake: Lake) -> None:
    _predict(lake, "a")
    store(lake, RAW_METRICS_DAILY, day(0), [metrics("a", -1_500.0, 2, status=3)])
    row = _outcomes(lake)["a"]
    assert (row["outcome_status"], row["net_profit"], row["is_below"]) == ("traded", -1_500.0, True)


@pytest.mark.parametrize(
    ("profit", "covered", "below", "above"),
    [
        (-100.0, True, False, False),
        (100.0, True, False, False),
        (-100.01, False, True, False),
        (100.01, False, False, True),
    ],
)
def test_errors_and_coverage_with_the_intervals_ends_included(
    lake: Lake, profit: float, covered: bool, below: bool, above: bool
) -> None:
    _predict(lake, "a")
    store(lake, RAW_METRICS_DAILY, day(0), [metrics("a", profit)])
    row = _outcomes(lake)["a"]
    assert (row["is_covered"], row["is_below"], row["is_above"]) == (covered, below, above)
    assert (row["error"], row["absolute_error"]) == (profit - 10.0, abs(profit - 10.0))


def test_outcomes_see_a_late_correction_and_calibration_does_not_L6(lake: Lake) -> None:
    _predict(lake, "a")
    _predict(lake, "a", table=MODEL_SCORES)
    store(lake, RAW_METRICS_DAILY, day(0), [metrics("a", 25.0)])
    store(lake, RAW_METRICS_DAILY, day(0), [metrics("a", -7.0)], LATE)
    assert _outcomes(lake)["a"]["net_profit"] == -7.0
    scored = run(scored_outcomes_query(MODEL_SCORES), lake, [day(0)]).to_pylist()
    assert scored == [{"prediction_date": date.fromisoformat(day(0)), "account_id": "a", "net_profit": 25.0}]


def test_calibration_learns_from_known_profits_only(lake: Lake) -> None:
    _predict(lake, "a", "b", "c", "d", table=MODEL_SCORES)
    rows = [metrics("a", 25.0), metrics("c", None, 0, status=2), metrics("d", None, 2)]
    store(lake, RAW_METRICS_DAILY, day(0), rows)
    scored = run(scored_outcomes_query(MODEL_SCORES), lake, [day(0)]).to_pylist()
    assert {row["account_id"]: row["net_profit"] for row in scored} == {"a": 25.0, "b": 0.0}


def test_a_day_that_was_not_predicted_has_no_outcomes(lake: Lake) -> None:
    store(lake, RAW_METRICS_DAILY, day(0), [metrics("a", 25.0)])
    assert _outcomes(lake) == {}


def test_a_day_whose_metrics_have_not_arrived_is_refused_and_not_called_idle_L9(lake: Lake) -> None:
    _predict(lake, "a")
    store(lake, RAW_METRICS_DAILY, day(1), [metrics("a", 25.0)])  # later days are there, this one is not
    with pytest.raises(MissingInput, match=f"^raw/metrics_daily of {day(0)} is missing"):
        _outcomes(lake)
