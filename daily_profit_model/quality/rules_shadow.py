"""Rules of the shadow deployments' tables: uncalibrated scores, predictions, losses beside the champion, evaluations.

The contracts belong to `modeling`, so they are handed in.
"""

from __future__ import annotations

from daily_profit_model.engine import Query
from daily_profit_model.quality.conditions import HASH, figures_not_finite, missing, named
from daily_profit_model.quality.expectation import absent, equal, in_set, matches, unique
from daily_profit_model.quality.frame import Frame, newest, rows_of
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables import Table

DECISIONS = ("continue", "promote", "stop_harm", "stop_futility", "stop_end")
"""Those of monitoring.shadow_test."""

ROUNDING = 1e-9
"""USD, or share: a difference of two stored numbers is itself to the last bits of a double."""

_CHANCES = {name: f"{name} not between 0 and 1" for name in ("probability_trade", "probability_profit")}


def shadow_scores_rules(scores: Table, snapshots: Table) -> tuple[Rule, ...]:
    """The rules of predictions/shadow_scores; `snapshots` is the contract of the frozen rows that are scored."""
    rows = rows_of(
        scores,
        ("model_hash",),
        missing_columns=missing(scores.required_names),
        not_finite=figures_not_finite(scores),
        impossible=named(
            {"q05": "q05 > median", "q95": "median > q95", "profit_scale": "profit_scale <= 0"} | _CHANCES
        ),
    )
    against = Query(
        """
with frozen as (
    select prediction_date, account_id
    from predictions_feature_snapshots
    where prediction_date between $first_day and $last_day
),
scored as (
    select prediction_date, deployment, account_id
    from predictions_shadow_scores
    where prediction_date between $first_day and $last_day
),
wanted as (
    select frozen.prediction_date, deployments.deployment, frozen.account_id
    from frozen
    join (select distinct prediction_date, deployment from scored) as deployments
        using (prediction_date)
)
select
    prediction_date,
    deployment,
    account_id,
    (wanted.account_id is not null)::int as has_features,
    (scored.account_id is not null)::int as has_score
from wanted
full join scored
    using (prediction_date, deployment, account_id)
""",
        (newest(scores), newest(snapshots)),
    )
    compared = f"{scores.name} against {snapshots.name}"
    return (
        Rule(
            id="shadow_scores_valid",
            table=scores.name,
            dimension="validity",
            severity="error",
            frame=rows,
            expectations=(
                unique(scores.key),
                absent("missing_columns", says="every required column has a value"),
                absent("not_finite", says="no score is infinite or not a number"),
                absent("impossible", says="quantiles are in order, chances and the profit's scale possible"),
                matches("model_hash", HASH, says="the model's hash is a full sha256"),
            ),
            reason="A shadow is judged by these numbers: what is wrong in them decides for or against it.",
            advice="Look at the bundle of the deployment's version (dpm models show); stop it if it does not fit.",
        ),
        Rule(
            id="shadow_scores_all",
            table=scores.name,
            dimension="completeness",
            severity="error",
            frame=Frame(compared, scores, scores.key, against, day="prediction_date"),
            expectations=(equal("has_score", "has_features", says="every deployment scores exactly the frozen rows"),),
            reason="A shadow that scores other accounts than the champion is compared on a choice of its own.",
            advice="Make the day again: dpm run --stages shadows --force over it.",
        ),
    )


def shadow_rules(shadow: Table) -> tuple[Rule, ...]:
    """The rules of predictions/shadow."""
    rows = rows_of(
        shadow,
        ("calibration_version",),
        missing_columns=missing(shadow.required_names),
        not_finite=figures_not_finite(shadow),
        impossible=named(
            {
                "lower_90": "lower_90 > predicted_net_profit",
                "upper_90": "predicted_net_profit > upper_90",
                "expected_net_profit": "expected_net_profit not between lower_90 and upper_90",
                "profit likelier than trade": "probability_profit > probability_trade",
            }
            | _CHANCES
        ),
    )
    return (
        Rule(
            id="shadow_predictions_valid",
            table=shadow.name,
            dimension="validity",
            severity="error",
            frame=rows,
            expectations=(
                unique(shadow.key),
                absent("missing_columns", says="every required column has a value"),
                absent("not_finite", says="no prediction is infinite or not a number"),
                absent("impossible", says="median and mean lie in the interval, chances are possible"),
                matches("calibration_version", "^[0-9a-f]{16}$", says="the calibration is sixteen digits of a sha256"),
            ),
            reason="A shadow is held to what holds of served predictions, or it could not serve.",
            advice="Look at the scores of the day (predictions/shadow_scores) first, then at the past outcomes.",
        ),
    )


def shadow_losses_rules(losses: Table) -> tuple[Rule, ...]:
    """The rules of monitoring/shadow_losses."""
    shares = ("champion_miss", "shadow_miss")
    rows = rows_of(
        losses,
        missing_columns=missing(losses.required_names),
        not_finite=figures_not_finite(losses),
        impossible=named(
            {name: f"{name} < 0" for name in ("champion_loss", "shadow_loss")}
            | {name: f"{name} not between 0 and 1" for name in shares}
            | {"accounts": "accounts < 1"}
        ),
        unequal=named(
            {
                "difference": f"abs(champion_loss - shadow_loss - difference) > {ROUNDING} "
                "and isfinite(champion_loss - shadow_loss)",
                "excess_miss": f"abs(shadow_miss - champion_miss - excess_miss) > {ROUNDING}",
            }
        ),
    )
    return (
        Rule(
            id="shadow_losses_valid",
            table=losses.name,
            dimension="validity",
            severity="error",
            frame=rows,
            expectations=(
                unique(losses.key),
                absent("missing_columns", says="every required column has a value"),
                absent("not_finite", says="no figure is infinite or not a number"),
                absent("impossible", says="losses, shares and counts are possible"),
                absent("unequal", says="differences are those of the two sides"),
            ),
            reason="Evidence is made of these differences, each day one.",
            advice="Make the day again from predictions/shadow and monitoring/outcomes.",
        ),
    )


def shadow_evaluation_rules(evaluation: Table) -> tuple[Rule, ...]:
    """The rules of monitoring/shadow_evaluation."""
    rows = rows_of(
        evaluation,
        ("decision",),
        missing_columns=missing(evaluation.required_names),
        impossible=named(
            {
                **{name: f"{name} < 0" for name in ("evidence_better", "evidence_worse", "evidence_guard")},
                "days": "days not between 1 and planned_days",
                "comparisons": "comparisons < 1",
                "bounds": "lower_95 > upper_95",
                "end_p_value": "end_p_value not between 0 and 1",
                "decided_on": "decided_on > prediction_date or (decided_on is null) <> (decision = 'continue')",
            }
        ),
        unfounded=named(
            {
                "promote": "decision = 'promote' and mean_difference <= 0",
                "stop_harm": "decision = 'stop_harm' and evidence_worse < threshold_worse",
                "promote early": "decision = 'promote' and days < planned_days and evidence_better < threshold_better",
            }
        ),
    )
    return (
        Rule(
            id="shadow_evaluation_valid",
            table=evaluation.name,
            dimension="validity",
            severity="error",
            frame=rows,
            expectations=(
                unique(evaluation.key),
                absent("missing_columns", says="every required column has a value"),
                in_set("decision", DECISIONS, says="a decision is one of those that there are"),
                absent("impossible", says="days, evidence and bounds are possible, and a decision has its day"),
            ),
            reason="A version is promoted by such a row, by a person or by the platform itself.",
            advice="Make the day again from monitoring/shadow_losses: dpm shadow evaluate.",
        ),
        Rule(
            id="shadow_decision_founded",
            table=evaluation.name,
            dimension="consistency",
            severity="error",
            frame=rows,
            expectations=(absent("unfounded", says="a decision has the evidence that it needs"),),
            reason="A promotion without its evidence is a claim without a measurement.",
            advice="Do not act on the row; make it again, and if it stays, look at monitoring.shadow_test.",
        ),
    )
