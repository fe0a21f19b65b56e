"""The rule that holds the champion's served predictions against what they are made of: the day's scores and its
calibration. What shadow deployments serve: `rules_traffic`.

The contracts and the figures of calibration belong to `modeling`, so they are handed in. What a prediction says of
itself is judged in `rules_predictions`.
"""

from __future__ import annotations

from collections.abc import Sequence

from daily_profit_model.engine import Query
from daily_profit_model.quality.conditions import CENT, if_there, named
from daily_profit_model.quality.expectation import absent
from daily_profit_model.quality.frame import Frame, newest
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables import Table
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY


def served_rules(
    scores: Table, calibration: Table, *, activities: Sequence[str], edges: Sequence[float], least_reach: float
) -> tuple[Rule, ...]:
    """The rule over `scores` (predictions/model_scores) and `calibration` (monitoring/interval_calibration).

    `activities`: the calibration's groups, `edges`: the probabilities of a trade from which the second and each further
    one begins; `least_reach`: part of the profit scale that every reach has more.
    """
    table = PREDICTIONS_ACCOUNT_DAILY
    cases = " ".join(
        f"when probability_trade >= {edge!r}::double then '{activity}'"
        for activity, edge in reversed(list(zip(activities[1:], edges, strict=True)))
    )
    differing = named(
        {
            **{name: f"served.{name} <> made.{name}" for name in ("model_hash", "calibration_version")},
            **{
                name: f"abs(served.{name} - made.{name}) > {CENT}"
                for name in ("predicted_net_profit", "lower_90", "upper_90")
            },
            "expected_net_profit": "abs(served.expected_net_profit - greatest(made.lower_90, least(made.upper_90, mean)))"
            f" > {CENT}",
            **{name: f"served.{name} <> made.{name}" for name in ("probability_trade", "probability_profit")},
        }
    )
    against = Query(
        f"""
with scored as (
    select *, case {cases} else '{activities[0]}' end as activity
    from predictions_model_scores
    where prediction_date between $first_day and $last_day
),
thresholds as (
    select
        prediction_date,
        activity,
        plan_type,
        max(calibration_version) as calibration_version,
        max(threshold) filter (where tail = 'lower') as lower,
        max(threshold) filter (where tail = 'upper') as upper
    from monitoring_interval_calibration
    where prediction_date between $first_day and $last_day
    group by all
),
made as (
    select
        scored.prediction_date,
        scored.account_id,
        scored.model_hash,
        whole.calibration_version,
        median as predicted_net_profit,
        mean,
        probability_trade,
        probability_profit,
        median - coalesce(own.lower, whole.lower) * (greatest(median - q05, 0) + {least_reach} * profit_scale)
            as lower_90,
        median + coalesce(own.upper, whole.upper) * (greatest(q95 - median, 0) + {least_reach} * profit_scale)
            as upper_90
    from scored
    join thresholds as whole
        on whole.prediction_date = scored.prediction_date
        and whole.activity = scored.activity
        and whole.plan_type = '*'
    left join thresholds as own
        on own.prediction_date = scored.prediction_date
        and own.activity = scored.activity
        and own.plan_type = scored.plan_type
)
select
    prediction_date,
    account_id,
    served.predicted_net_profit,
    served.expected_net_profit,
    served.lower_90,
    served.upper_90,
    {differing} as differing
from predictions_account_daily as served
join made
    using (prediction_date, account_id)
where prediction_date between $first_day and $last_day
    and coalesce(served_by, 'champion') = 'champion'
""",
        (newest(table), if_there(scores), if_there(calibration)),
    )
    return (
        Rule(
            id="served_as_scored",
            table=table.name,
            dimension="consistency",
            severity="error",
            frame=Frame(f"{table.name} against {scores.name}", table, table.key, against, day=table.day_column),
            expectations=(
                absent("differing", says="what is served are the day's scores, stretched by the day's calibration"),
            ),
            reason="Neither a figure nor an end of an interval is made in serving: it follows from what is stored.",
            advice="Served rows were changed, or made from other scores: restore the day's files, or predict it again.",
        ),
    )
