"""Faults of the shadow deployments' tables. No tests here."""

from __future__ import annotations

from daily_profit_model_tests.quality.small_firm import Day
from daily_profit_model_tests.quality.spoils import Fault, changed, removed, repeated

SCORES, SHADOW = "predictions/shadow_scores", "predictions/shadow"
LOSSES, EVALUATION = "monitoring/shadow_losses", "monitoring/shadow_evaluation"
INFINITE = float("inf")
_KEY = "one row for each prediction_date, deployment"


def of_another_account(day: Day) -> None:
    day.rows[SCORES].append({**day.rows[SCORES][0], "account_id": "b"})


SHADOW_FAULTS = (
    *(
        Fault(SCORES, "shadow_scores_valid", says, spoil)
        for says, spoil in (
            (f"{_KEY}, account_id", repeated(SCORES)),
            ("every required column has a value", changed(SCORES, probability_trade=None)),
            ("no score is infinite or not a number", changed(SCORES, mean=INFINITE)),
            ("quantiles are in order, chances and the profit's scale possible", changed(SCORES, q05=11.0)),
            ("quantiles are in order, chances and the profit's scale possible", changed(SCORES, profit_scale=0.0)),
            ("the model's hash is a full sha256", changed(SCORES, model_hash="0a")),
        )
    ),
    *(
        Fault(SCORES, "shadow_scores_all", "every deployment scores exactly the frozen rows", spoil)
        for spoil in (removed(SCORES), of_another_account)
    ),
    *(
        Fault(SHADOW, "shadow_predictions_valid", says, spoil)
        for says, spoil in (
            (f"{_KEY}, account_id", repeated(SHADOW)),
            ("every required column has a value", changed(SHADOW, model_version=None)),
            ("no prediction is infinite or not a number", changed(SHADOW, q95=INFINITE)),
            ("median and mean lie in the interval, chances are possible", changed(SHADOW, lower_90=11.0)),
            ("median and mean lie in the interval, chances are possible", changed(SHADOW, probability_trade=1.01)),
            ("the calibration is sixteen digits of a sha256", changed(SHADOW, calibration_version="0a")),
        )
    ),
    *(
        Fault(LOSSES, "shadow_losses_valid", says, spoil)
        for says, spoil in (
            (_KEY, repeated(LOSSES)),
            ("every required column has a value", changed(LOSSES, champion_version=None)),
            ("no figure is infinite or not a number", changed(LOSSES, shadow_loss=INFINITE, difference=-INFINITE)),
            ("losses, shares and counts are possible", changed(LOSSES, accounts=0)),
            ("losses, shares and counts are possible", changed(LOSSES, shadow_loss=-1.0, difference=61.0)),
            ("differences are those of the two sides", changed(LOSSES, difference=-10.0)),
            ("differences are those of the two sides", changed(LOSSES, excess_miss=0.2)),
        )
    ),
    *(
        Fault(EVALUATION, "shadow_evaluation_valid", says, spoil)
        for says, spoil in (
            (_KEY, repeated(EVALUATION)),
            ("every required column has a value", changed(EVALUATION, rule=None)),
            ("a decision is one of those that there are", changed(EVALUATION, decision="wait")),
            ("days, evidence and bounds are possible, and a decision has its day", changed(EVALUATION, days=61)),
            (
                "days, evidence and bounds are possible, and a decision has its day",
                changed(EVALUATION, decided_on=None),
            ),
            ("days, evidence and bounds are possible, and a decision has its day", changed(EVALUATION, lower_95=99.0)),
        )
    ),
    *(
        Fault(EVALUATION, "shadow_decision_founded", "a decision has the evidence that it needs", spoil)
        for spoil in (
            changed(EVALUATION, mean_difference=0.0),
            changed(EVALUATION, evidence_better=49.0),
            changed(EVALUATION, decision="stop_harm"),
        )
    ),
)
