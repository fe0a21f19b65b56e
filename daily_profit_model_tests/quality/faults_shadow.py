"""Faults of the shadow deployments' tables. No tests here."""

from __future__ import annotations

from daily_profit_model_tests.quality.good_shadow import served_by_shadow
from daily_profit_model_tests.quality.small_firm import Day
from daily_profit_model_tests.quality.spoils import Fault, changed, removed, repeated

SCORES, SHADOW = "predictions/shadow_scores", "predictions/shadow"
TRAFFIC, PREDICTED = "predictions/traffic", "predictions/account_daily"
LOSSES, EVALUATION = "monitoring/shadow_losses", "monitoring/shadow_evaluation"
INFINITE = float("inf")
_KEY = "one row for each prediction_date, deployment"


def of_another_account(day: Day) -> None:
    day.rows[SCORES].append({**day.rows[SCORES][0], "account_id": "b"})


def too_many(day: Day) -> None:
    (row,) = day.rows[TRAFFIC]
    day.rows[TRAFFIC].append({**row, "deployment": "s2", "number": 2, "traffic": 86})


def given_to_the_shadow(day: Day) -> None:
    rows = day.rows[PREDICTED]
    rows[0] = served_by_shadow(rows[0])


def given_to_the_later_shadow(day: Day) -> None:
    """The account is in the traffic of both: by its hash the first of their hundred in the later one's."""
    (row,) = day.rows[TRAFFIC]
    later = {"deployment": "s2-20260208-0b0b0b0b", "number": 2, "traffic": 1}
    day.rows[TRAFFIC] = [{**row, **later}, row]
    day.rows[PREDICTED][-1]["served_by"] = later["deployment"]


def kept_from_the_shadow(day: Day) -> None:
    rows = day.rows[PREDICTED]
    own = ("predicted_net_profit", "expected_net_profit", "lower_90", "upper_90", "calibration_version")
    rows[-1] = {**rows[-1], **{name: rows[0][name] for name in (*own, "model_version", "served_by")}}


def served_other_numbers(day: Day) -> None:
    day.rows[PREDICTED][-1]["upper_90"] = 95.5


def not_predicted_by_the_shadow(day: Day) -> None:
    day.rows[SHADOW].pop()


def nobody_told(day: Day) -> None:
    del day.rows[PREDICTED][0]["served_by"]


TRAFFIC_FAULTS = (
    *(
        Fault(TRAFFIC, "traffic_valid", says, spoil)
        for says, spoil in (
            (_KEY, repeated(TRAFFIC)),
            ("every required column has a value", changed(TRAFFIC, number=None)),
            ("a deployment here has a share of the accounts", changed(TRAFFIC, deployment="s0", traffic=0)),
            ("the shares are no more than all accounts", too_many),
            ("a deployment has a calibration or has failed", changed(TRAFFIC, failure="BundleError")),
            ("a deployment has a calibration or has failed", changed(TRAFFIC, calibration=None)),
            ("the model's hash is a full sha256", changed(TRAFFIC, model_hash="0a")),
        )
    ),
    Fault(PREDICTED, "predictions_valid", "every required column has a value", nobody_told),
    *(
        Fault(PREDICTED, "traffic_by_hash", "a shadow serves the accounts in its traffic, and no other", spoil)
        for spoil in (given_to_the_shadow, given_to_the_later_shadow)
    ),
    Fault(PREDICTED, "traffic_served", "an account in the traffic of a shadow is served by it", kept_from_the_shadow),
    *(
        Fault(SHADOW, "served_as_shadowed", "what a shadow serves is what it predicts, to the last bit", spoil)
        for spoil in (served_other_numbers, not_predicted_by_the_shadow)
    ),
)

SHADOW_FAULTS = (
    *TRAFFIC_FAULTS,
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
