"""Rules of what is scored: frozen features, uncalibrated scores, conformity and the calibration of intervals.

The contracts belong to `modeling` and `features`, so they are handed in. The served predictions: `rules_predictions`.
"""

from __future__ import annotations

from daily_profit_model.engine import Query
from daily_profit_model.quality.conditions import HASH, figures_not_finite, if_there, missing, named
from daily_profit_model.quality.expectation import (
    Expectation,
    absent,
    between,
    equal,
    in_set,
    matches,
    unique,
)
from daily_profit_model.quality.frame import Frame, newest, rows_of
from daily_profit_model.quality.rule import Dimension, Rule, Severity
from daily_profit_model.tables import Table


def snapshot_rules(snapshots: Table, features: Table) -> tuple[Rule, ...]:
    """The rules of predictions/feature_snapshots; `features` is the contract of features/account_daily."""
    served = [name for name in features.column_names if name not in ("date", "account_id", "login", "plan_id")]
    values = ", ".join(f"coalesce({name}::varchar, '∅')" for name in served)
    text = f"sha256(concat_ws('|', {values}))"
    rows = rows_of(
        snapshots,
        ("features_hash",),
        own_hash=text,
        days_off="prediction_date - feature_date - 1",
        hours_off="date_diff('hour', prediction_date::timestamp, as_of::timestamp) - 6",
    )
    against = Query(
        f"""
with features as (
    select date + 1 as prediction_date, account_id, {text} as features_hash
    from features_account_daily
    where date + 1 between $first_day and $last_day
)
select
    prediction_date,
    account_id,
    coalesce(features.features_hash, 'no features') as hash_of_features,
    coalesce(snapshots.features_hash, 'no snapshot') as hash_served
from features
full join (
    select prediction_date, account_id, features_hash
    from predictions_feature_snapshots
    where prediction_date between $first_day and $last_day
) as snapshots
    using (prediction_date, account_id)
-- a day whose features are no longer in the lake is not compared
where prediction_date in (select prediction_date from features)
""",
        (newest(snapshots), if_there(features, first=-1, last=-1)),
    )
    return (
        Rule(
            id="snapshots_valid",
            table=snapshots.name,
            dimension="validity",
            severity="error",
            frame=rows,
            expectations=(
                unique(snapshots.key),
                between("days_off", 0, 0, says="the features are those of the day before"),
                between("hours_off", 0, 0, says="they are served as of the cut-off"),
                equal("own_hash", "features_hash", says="the hash is that of the row's own values"),
            ),
            reason="What was served is proved by its hash: a row that differs from it was changed afterwards.",
            advice="Restore the day's file: served files are never made again (lake, `is_served`).",
        ),
        Rule(
            id="snapshots_equal_features",
            table=snapshots.name,
            dimension="consistency",
            severity="warn",
            frame=Frame(
                f"{snapshots.name} against {features.name}", snapshots, snapshots.key, against, day="prediction_date"
            ),
            expectations=(
                equal("hash_served", "hash_of_features", says="what is scored are the features of the day before"),
            ),
            reason="Model and features must see the same values; features that were rebuilt since differ openly (L6).",
            advice="Just made: the features changed in between, make the snapshot again. Later: a correction came.",
        ),
    )


def scores_rules(scores: Table, snapshots: Table) -> tuple[Rule, ...]:
    """The rules of predictions/model_scores, whose contract is `scores`."""
    rows = rows_of(
        scores,
        ("model_version", "model_hash", "probability_trade", "probability_profit"),
        missing_columns=missing(scores.required_names),
        not_finite=figures_not_finite(scores),
        crossed=named({"q05": "q05 > median", "q95": "median > q95"}),
        impossible=named(
            {name: f"{name} not between 0 and 1" for name in ("probability_trade", "probability_profit")}
            | {
                "profit likelier than trade": "probability_profit > probability_trade",
                "profit_scale": "profit_scale <= 0",
            }
        ),
        other_model="case when model_hash <> max(model_hash) over (partition by prediction_date) "
        "then model_version end",
    )
    against = Query(
        """
with frozen as (
    select prediction_date, account_id
    from predictions_feature_snapshots
    where prediction_date between $first_day and $last_day
),
scored as (
    select prediction_date, account_id
    from predictions_model_scores
    where prediction_date between $first_day and $last_day
)
select
    prediction_date,
    account_id,
    (frozen.account_id is not null)::int as has_features,
    (scored.account_id is not null)::int as has_score
from frozen
full join scored
    using (prediction_date, account_id)
""",
        (newest(scores), newest(snapshots)),
    )
    return (
        Rule(
            id="scores_valid",
            table=scores.name,
            dimension="validity",
            severity="error",
            frame=rows,
            expectations=(
                unique(scores.key),
                absent("missing_columns", says="every required column has a value"),
                absent("not_finite", says="no score is infinite or not a number"),
                absent("crossed", says="the quantiles do not cross"),
                absent("impossible", says="probabilities and the profit's scale are possible"),
            ),
            reason="Calibration stretches these quantiles: what crosses here crosses in the served interval.",
            advice="Look at the model in force on the day (models/champion); it does not fit the features served.",
        ),
        Rule(
            id="one_model_a_day",
            table=scores.name,
            dimension="consistency",
            severity="error",
            frame=rows,
            expectations=(
                absent("other_model", says="all scores of a day are one model's"),
                matches("model_hash", HASH, says="the model's hash is a full sha256"),
            ),
            reason="The champion in force on the day scores all of it; two models make two populations.",
            advice="Score the day again; see models/champion for who was in force.",
        ),
        Rule(
            id="snapshot_scored",
            table=scores.name,
            dimension="completeness",
            severity="error",
            frame=Frame(f"{scores.name} against {snapshots.name}", scores, scores.key, against, day="prediction_date"),
            expectations=(equal("has_score", "has_features", says="exactly the frozen rows are scored"),),
            reason="A row that is not scored is an account without a prediction.",
            advice="Score the day again: dpm run --stages predictions.",
        ),
    )


def conformity_rules(conformity: Table) -> tuple[Rule, ...]:
    """The rules of monitoring/conformity, whose contract is `conformity`."""
    numbers = ("lower_excess", "upper_excess", "lower_stretch", "upper_stretch")
    rows = rows_of(
        conformity,
        missing_columns=missing(conformity.required_names),
        impossible=named(
            {name: f"isnan({name}) or isinf({name})" for name in numbers[:2]}
            | {name: f"{name} < 0 or isnan({name})" for name in numbers[2:]}
            | {"both sides": "lower_stretch > 0 and upper_stretch > 0"}
        ),
    )
    return (
        Rule(
            id="conformity_valid",
            table=conformity.name,
            dimension="validity",
            severity="error",
            frame=rows,
            expectations=(
                unique(conformity.key),
                absent("missing_columns", says="every required column has a value"),
                absent("impossible", says="an outcome lies on one side of the median, by a finite distance"),
            ),
            reason="Every interval of the next weeks is as wide as these rows say.",
            advice="Make the day again from model_scores and raw/metrics_daily; if it stays, a scale is zero.",
        ),
    )


def calibration_rules(calibration: Table) -> tuple[Rule, ...]:
    """The rules of monitoring/interval_calibration, whose contract is `calibration`."""
    shares = ("level", "miss_rate", "window_miss_rate")
    rows = rows_of(
        calibration,
        ("model_hash", "calibration_version"),
        impossible=named(
            {name: f"{name} not between 0 and 1" for name in shares}
            | {"threshold": "threshold < 0 or isnan(threshold) or isinf(threshold)"}
            | {name: f"{name} < 0" for name in ("window_days", "window_rows", "accounts", "mean_width", "median_width")}
        ),
        tails="count(*) over (partition by prediction_date, activity, plan_type)",
    )

    def rule(
        rule_id: str,
        dimension: Dimension,
        severity: Severity,
        expectations: tuple[Expectation, ...],
        reason: str,
        advice: str,
    ) -> Rule:
        return Rule(rule_id, calibration.name, dimension, severity, rows, expectations, reason, advice)

    return (
        rule(
            "calibration_valid",
            "validity",
            "error",
            (
                unique(calibration.key),
                in_set("tail", ("lower", "upper"), says="a tail is the lower or the upper one"),
                absent("impossible", says="levels are within 0 and 1, thresholds and widths not negative"),
                matches("calibration_version", "^[0-9a-f]{16}$", says="the version is sixteen digits of a sha256"),
            ),
            "The served interval applies these levels and thresholds as they stand.",
            "Look at the window's rows in monitoring/conformity; make the day's calibration again.",
        ),
        rule(
            "both_tails",
            "completeness",
            "error",
            (between("tails", 2, 2, says="every group has its lower and its upper tail"),),
            "An interval has two ends, each with a threshold of its own.",
            "Make the day's calibration again; a group with one tail was written by other code.",
        ),
    )
