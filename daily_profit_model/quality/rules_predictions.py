"""Rules of the prediction layer: every eligible account is predicted, and nothing contradicts itself."""

from __future__ import annotations

from daily_profit_model.engine import Query, Source
from daily_profit_model.quality.expectation import at_least, between, equal, unique
from daily_profit_model.quality.frame import Frame, newest, rows_of
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables.predictions import PORTFOLIO_DAILY, PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model.tables.staging import STAGING_ACCOUNTS

_MISSING = ", ".join(f"case when {name} is null then '{name}' end" for name in PREDICTIONS_ACCOUNT_DAILY.required_names)
_SIZES = "list_transform(top_features, lambda feature: abs(feature.contribution))"

_PREDICTED = Frame(
    "predictions/account_daily population",
    PREDICTIONS_ACCOUNT_DAILY,
    ("prediction_date", "account_id"),
    Query(
        """
with eligible as (
    select date + 1 as prediction_date, account_id
    from staging_accounts
    where is_eligible
        and date + 1 between $first_day and $last_day
),
predicted as (
    select prediction_date, account_id
    from predictions_account_daily
    where prediction_date between $first_day and $last_day
)
select
    prediction_date,
    account_id,
    (eligible.account_id is not null)::int as is_eligible,
    (predicted.account_id is not null)::int as is_predicted
from eligible
full join predicted
    using (prediction_date, account_id)
""",
        (Source(STAGING_ACCOUNTS, first=-1, last=-1), newest(PREDICTIONS_ACCOUNT_DAILY)),
    ),
    day="prediction_date",
)

_ADDED_UP = Frame(
    "predictions/portfolio_daily against the predictions",
    PORTFOLIO_DAILY,
    ("prediction_date",),
    Query(
        """
with predicted as (
    select prediction_date, count(*) as accounts, sum(expected_net_profit) as expected
    from predictions_account_daily
    where prediction_date between $first_day and $last_day
    group by all
),
stated as (
    select
        prediction_date,
        sum(accounts) filter (where level = 'firm') as firm_accounts,
        sum(accounts) filter (where level = 'plan') as plan_accounts,
        sum(expected_net_profit) filter (where level = 'firm') as firm_expected,
        sum(expected_net_profit) filter (where level = 'plan') as plan_expected
    from predictions_portfolio_daily
    where prediction_date between $first_day and $last_day
    group by all
)
select
    prediction_date,
    coalesce(predicted.accounts, 0)::bigint as accounts,
    coalesce(stated.firm_accounts, 0)::bigint as firm_accounts,
    coalesce(stated.plan_accounts, 0)::bigint as plan_accounts,
    abs(coalesce(stated.firm_expected, 0) - coalesce(predicted.expected, 0)) as firm_gap,
    abs(coalesce(stated.plan_expected, 0) - coalesce(predicted.expected, 0)) as plan_gap
from predicted
full join stated
    using (prediction_date)
""",
        (newest(PREDICTIONS_ACCOUNT_DAILY), newest(PORTFOLIO_DAILY)),
    ),
    day="prediction_date",
)

PREDICTIONS_RULES = (
    Rule(
        id="portfolio_adds_up",
        table=PORTFOLIO_DAILY.name,
        dimension="consistency",
        severity="error",
        frame=_ADDED_UP,
        expectations=(
            equal("firm_accounts", "accounts", says="the firm has every predicted account"),
            equal("plan_accounts", "accounts", says="the plans together have every predicted account, each once"),
            between("firm_gap", high=0.01, says="the firm's expectation is the sum of the accounts' means to the cent"),
            between("plan_gap", high=0.01, says="the plans' expectations add up to it"),
        ),
        reason="Limits are set on these sums; one that leaves accounts out or counts them twice is a wrong limit.",
        advice="Make the day's sums again from its predictions: dpm run --stages predictions.",
    ),
    Rule(
        id="every_eligible_account_predicted",
        table=PREDICTIONS_ACCOUNT_DAILY.name,
        dimension="completeness",
        severity="error",
        blocking=True,
        frame=_PREDICTED,
        expectations=(
            equal(
                "is_predicted",
                "is_eligible",
                says="exactly the accounts eligible at the end of D−1 are predicted",
            ),
        ),
        reason="Sums over accounts and the risk desk's limits count on every live account being there.",
        advice="Rebuild the day from its features on: dpm run --stages features predictions.",
    ),
    Rule(
        id="predictions_valid",
        table=PREDICTIONS_ACCOUNT_DAILY.name,
        dimension="validity",
        severity="error",
        frame=rows_of(
            PREDICTIONS_ACCOUNT_DAILY,
            (
                "predicted_net_profit",
                "lower_90",
                "upper_90",
                "probability_trade",
                "probability_profit",
            ),
            missing=f"length(concat_ws(', ', {_MISSING}))",
            features_disordered=f"({_SIZES} <> list_reverse_sort({_SIZES}))::int",
        ),
        expectations=(
            unique(PREDICTIONS_ACCOUNT_DAILY.key),
            between("missing", high=0, says="every required column has a value"),
            at_least("predicted_net_profit", "lower_90", says="the median is not below the interval"),
            at_least("upper_90", "predicted_net_profit", says="the median is not above the interval"),
            between("probability_trade", 0, 1, says="the probability of a trade is within 0 and 1"),
            between("probability_profit", 0, 1, says="the probability of a profit is within 0 and 1"),
            at_least("probability_trade", "probability_profit", says="a profit is not likelier than a trade"),
            between("features_disordered", high=0, says="the reasons are ordered by size"),
        ),
        reason="Crossing quantiles or impossible probabilities: model and calibration do not fit together.",
        advice="Look at the model in force on the day (models/champion); correct it, predict the day again.",
    ),
)
