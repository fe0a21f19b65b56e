"""Rules of monitoring/drift and monitoring/degradation: which drift is an alarm, and that what is told adds up."""

from __future__ import annotations

from daily_profit_model.quality.conditions import HASH, named
from daily_profit_model.quality.expectation import absent, in_set, matches, unique
from daily_profit_model.quality.frame import rows_of
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables.drift import DRIFT_KINDS, MONITORING_DEGRADATION, MONITORING_DRIFT

_SHOWN = ("rise", "first_alarm_day", "recent_shift", "blame_rank")

_DRIFT = rows_of(
    MONITORING_DRIFT,
    ("kind", "model_hash", *_SHOWN),
    drifted="case when is_alarm then column_name end",
    broken="hard_break",
    inconsistent=named(
        {
            "rows": "known_rows not between 0 and rows",
            "sums": "sum_up < 0 or sum_down < 0 or threshold <= 0",
            "threshold": "(threshold is null) <> (rise is null)",
            "is_alarm": "is_alarm <> coalesce(rise > 1, false)",
            "first_alarm_day": "(first_alarm_day is not null) <> is_alarm or first_alarm_day > prediction_date",
            "blame_rank": "blame_rank < 1 or (blame_rank is not null and kind <> 'feature')",
        }
    ),
)

_DEGRADATION = rows_of(
    MONITORING_DEGRADATION,
    ("measure", "model_hash"),
    worse="case when is_alarm then measure end",
    inconsistent=named(
        {
            "settled_date": "settled_date <> prediction_date - 1",
            "sum_up": "sum_up < 0 or threshold <= 0 or (threshold is null) <> (sum_up is null)",
            "is_alarm": "is_alarm <> coalesce(sum_up > threshold, false)",
            "first_alarm_day": "(first_alarm_day is not null) <> is_alarm or first_alarm_day > prediction_date",
            "expected_error": "expected_error not between expected_error_lower and expected_error_upper",
        }
    ),
)

DRIFT_RULES = (
    Rule(
        id="nothing_drifts",
        table=MONITORING_DRIFT.name,
        dimension="validity",
        severity="warn",
        frame=_DRIFT,
        expectations=(absent("drifted", says="no statistic has left the reference's days for good"),),
        reason="A model knows what its reference was like; beyond it, it guesses.",
        advice="dpm drift show: features to blame come first. A source that changed is mended, a market learnt anew.",
    ),
    Rule(
        id="nothing_broken",
        table=MONITORING_DRIFT.name,
        dimension="validity",
        severity="error",
        frame=_DRIFT,
        expectations=(absent("broken", says="no column has another unit or sign, or is null or constant"),),
        reason="What is broken on one day is a fault of the data, and today's predictions rest on it.",
        advice="Look at the column's source on the day before; mend it, then predict the day again (--force).",
    ),
    Rule(
        id="drift_consistent",
        table=MONITORING_DRIFT.name,
        dimension="consistency",
        severity="error",
        frame=_DRIFT,
        expectations=(
            unique(MONITORING_DRIFT.key),
            in_set("kind", DRIFT_KINDS, says="a column is a feature, a prediction or a target"),
            matches("model_hash", HASH, says="the bundle's hash is a full sha256"),
            absent("inconsistent", says="alarms are what sums and thresholds say"),
        ),
        reason="Trainings and alerts follow from these rows.",
        advice="Make the day again; if it stays, its computation is wrong.",
    ),
    Rule(
        id="champion_does_as_before",
        table=MONITORING_DEGRADATION.name,
        dimension="validity",
        severity="warn",
        frame=_DEGRADATION,
        expectations=(absent("worse", says="no loss has left that of the held-out days for good"),),
        reason="A champion that errs more than on the days that it was chosen for is no champion any more.",
        advice="dpm drift show tells since when; look at drift on these days, and train a challenger: dpm train.",
    ),
    Rule(
        id="degradation_consistent",
        table=MONITORING_DEGRADATION.name,
        dimension="consistency",
        severity="error",
        frame=_DEGRADATION,
        expectations=(
            unique(MONITORING_DEGRADATION.key),
            matches("model_hash", HASH, says="the bundle's hash is a full sha256"),
            absent("inconsistent", says="alarms are what sums and thresholds say"),
        ),
        reason="Trainings and alerts follow from these rows.",
        advice="Make the day again; if it stays, its computation is wrong.",
    ),
)
