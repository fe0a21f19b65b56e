"""Rules of what shadow deployments serve: who has traffic, whose accounts are theirs, and that their numbers are served.

The contracts belong to `modeling`, so they are handed in; the choice by hash is made here once more, in SQL.
"""

from __future__ import annotations

from daily_profit_model.engine import Query
from daily_profit_model.quality.conditions import HASH, if_there, missing, named
from daily_profit_model.quality.expectation import absent, between, matches, unique
from daily_profit_model.quality.frame import Frame, newest, rows_of
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables import Table
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY

CHAMPION = "champion"
"""Of rows that no shadow serves, as `modeling.serving` writes it."""

_PLACE = "('0x' || left(sha256(deployment || ':' || account_id), 16))::ubigint % 100"
"""`modeling.traffic.place_of`."""

_SHOWN = (
    "predicted_net_profit",
    "expected_net_profit",
    "lower_90",
    "upper_90",
    "probability_trade",
    "probability_profit",
    "calibration_version",
    "model_version",
    "model_hash",
)


def traffic_rules(traffic: Table) -> tuple[Rule, ...]:
    """The rules of predictions/traffic, and of who serves the rows of predictions/account_daily."""
    rows = rows_of(
        traffic,
        ("traffic", "model_hash"),
        missing_columns=missing(traffic.required_names),
        together="sum(traffic) over (partition by prediction_date)",
        half=named(
            {name: f"({name} is null) <> (failure is not null)" for name in ("calibration_version", "calibration")}
        ),
    )
    table = PREDICTIONS_ACCOUNT_DAILY
    served = Query(
        f"""
with served as (
    select prediction_date, account_id, coalesce(served_by, '{CHAMPION}') as served_by
    from predictions_account_daily
    where prediction_date between $first_day and $last_day
),
chosen as (
    select prediction_date, account_id, arg_min(deployment, number) as deployment
    from served
    join predictions_traffic
        using (prediction_date)
    where {_PLACE} < traffic
    group by all
)
select
    prediction_date,
    account_id,
    served_by,
    case when served_by not in ('{CHAMPION}', coalesce(deployment, '{CHAMPION}')) then served_by end as not_chosen,
    case when served_by = '{CHAMPION}' then deployment end as not_served
from served
left join chosen
    using (prediction_date, account_id)
""",
        (newest(table), if_there(traffic)),
    )
    frame = Frame(f"{table.name} against {traffic.name}", table, table.key, served, day=table.day_column)
    return (
        Rule(
            id="traffic_valid",
            table=traffic.name,
            dimension="validity",
            severity="error",
            frame=rows,
            expectations=(
                unique(traffic.key),
                absent("missing_columns", says="every required column has a value"),
                between("traffic", 1, 100, says="a deployment here has a share of the accounts"),
                between("together", high=100, says="the shares are no more than all accounts"),
                absent("half", says="a deployment has a calibration or has failed"),
                matches("model_hash", HASH, says="the model's hash is a full sha256"),
            ),
            reason="By these rows accounts are given away, and what was served is made again.",
            advice="Look at the deployments (dpm shadow list), then make the day again: materialise predictions/traffic.",
        ),
        Rule(
            id="traffic_by_hash",
            table=table.name,
            dimension="consistency",
            severity="error",
            frame=frame,
            expectations=(absent("not_chosen", says="a shadow serves the accounts in its traffic, and no other"),),
            reason="An account that changes hands, or that was picked by anything but the hash, is no fair sample.",
            advice="Served rows were changed, or traffic was after them: compare with predictions/traffic of the day.",
        ),
        Rule(
            id="traffic_served",
            table=table.name,
            dimension="completeness",
            severity="warn",
            frame=frame,
            expectations=(absent("not_served", says="an account in the traffic of a shadow is served by it"),),
            reason="The champion has served in its place: the shadow's bundle, scores or calibration failed on the day.",
            advice="The run's log says why, predictions/traffic the kind of error. Mended on the day: dpm predict --force.",
        ),
    )


def served_shadow_rules(shadow: Table) -> tuple[Rule, ...]:
    """The rule of predictions/shadow that holds what is served against it."""
    table = PREDICTIONS_ACCOUNT_DAILY
    differing = named({name: f"served.{name} is distinct from predicted.{name}" for name in _SHOWN})
    against = Query(
        f"""
select
    served.prediction_date,
    served.served_by as deployment,
    served.account_id,
    {differing} as differing
from predictions_account_daily as served
left join predictions_shadow as predicted
    on predicted.prediction_date = served.prediction_date
    and predicted.deployment = served.served_by
    and predicted.account_id = served.account_id
where served.prediction_date between $first_day and $last_day
    and served.served_by <> '{CHAMPION}'
""",
        (newest(shadow), if_there(table)),
    )
    return (
        Rule(
            id="served_as_shadowed",
            table=shadow.name,
            dimension="consistency",
            severity="error",
            frame=Frame(f"{shadow.name} against what is served", shadow, shadow.key, against, day=shadow.day_column),
            expectations=(absent("differing", says="what a shadow serves is what it predicts, to the last bit"),),
            reason="A shadow is judged by predictions/shadow; served is what it was judged for, or the decision is void.",
            advice="Make predictions/shadow of the day again; if it stays, served rows or their snapshot were changed.",
        ),
    )
