"""Faults of drift and degradation. No tests here."""

from __future__ import annotations

from daily_profit_model_tests.quality.faults_modeled import of
from daily_profit_model_tests.quality.small_firm import Day
from daily_profit_model_tests.quality.spoils import changed, repeated

DRIFT, DEGRADATION = "monitoring/drift", "monitoring/degradation"
_ADDS_UP = "alarms are what sums and thresholds say"
_HASH = "the bundle's hash is a full sha256"


def drifted(day: Day) -> None:
    first = day.rows[DRIFT][0]
    first.update(rise=1.1, sum_up=1.1, is_alarm=True, first_alarm_day=first["prediction_date"])


def worse(day: Day) -> None:
    first = day.rows[DEGRADATION][0]
    first.update(sum_up=1.1, is_alarm=True, first_alarm_day=first["prediction_date"])


DRIFT_FAULTS = (
    *of(
        DRIFT,
        ("drift_consistent", "one row for each prediction_date, kind, column_name, statistic", repeated(DRIFT)),
        (
            "drift_consistent",
            "a column is a feature, a prediction or a target",
            changed(DRIFT, kind="label", blame_rank=None),
        ),
        ("drift_consistent", _HASH, changed(DRIFT, model_hash="0a")),
        ("drift_consistent", _ADDS_UP, changed(DRIFT, rise=1.1)),
        ("drift_consistent", _ADDS_UP, changed(DRIFT, known_rows=9)),
        (
            "nothing_broken",
            "no column has another unit or sign, or is null or constant",
            changed(DRIFT, hard_break="unit"),
        ),
        ("nothing_drifts", "no statistic has left the reference's days for good", drifted),
    ),
    *of(
        DEGRADATION,
        ("degradation_consistent", "one row for each prediction_date, measure", repeated(DEGRADATION)),
        ("degradation_consistent", _HASH, changed(DEGRADATION, model_hash="0a")),
        ("degradation_consistent", _ADDS_UP, changed(DEGRADATION, sum_up=1.1)),
        ("degradation_consistent", _ADDS_UP, changed(DEGRADATION, expected_error=30.0)),
        ("champion_does_as_before", "no loss has left that of the held-out days for good", worse),
    ),
)
