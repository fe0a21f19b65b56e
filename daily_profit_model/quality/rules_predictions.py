"""Rules of the prediction layer: every eligible account is predicted, and nothing contradicts itself."""

from __future__ import annotations

from daily_profit_model.engine import Query, Source
from daily_profit_model.quality.conditions import HASH, if_there, named, not_finite
from daily_profit_model.quality.expectation import absent, at_least, between, equal, matches, unique
from daily_profit_model.quality.frame import Frame, newest, rows_of
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables.predictions import PORTFOLIO_DAILY, PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model.tables.staging import STAGING_ACCOUNTS

WIDEST = 1.0
"""Starting balances. Plans end an account at a loss of 6 to 12 % of it (RISK_API.md), so an interval as wide as
the whole is no forecast; the widest of 51,021 on the sandbox has 0.53 of it."""

SINCE_TRAFFIC = 5
"""Code version of predictions/account_daily since which every row says who serves it."""

CODE_VERSION = r"^.+-[0-9a-f]{16}$"
"""The asset's version and sixteen digits of a sha256."""

_SIZES = "list_transform(top_features, lambda feature: abs(feature.contribution))"

_ROWS = rows_of(
    PREDICTIONS_ACCOUNT_DAILY,
    (
        "predicted_net_profit",
        "lower_90",
        "upper_90",
        "probability_trade",
        "probability_profit",
        "model_hash",
        "features_hash",
        "snapshot_hash",
        "calibration_version",
        "code_version",
    ),
    missing_columns=named(
        {name: f"{name} is null" for name in PREDICTIONS_ACCOUNT_DAILY.required_names}
        # rows of before there was traffic do not have it, and are the champion's
        | {"served_by": f"served_by is null and try_cast(split_part(code_version, '-', 1) as int) >= {SINCE_TRAFFIC}"}
    ),
    not_finite=not_finite(("predicted_net_profit", "expected_net_profit", "lower_90", "upper_90")),
    features_disordered=f"({_SIZES} <> list_reverse_sort({_SIZES}))::int",
    days_off="prediction_date - feature_date - 1",
    hours_off="date_diff('hour', prediction_date::timestamp, as_of::timestamp) - 6",
    other_model="case when model_hash <> max(model_hash) over (partition by prediction_date, coalesce(served_by, 'champion')) "
    "then model_version end",
)

_OF_SCORES = Frame(
    "predictions/account_daily against the account's scale",
    PREDICTIONS_ACCOUNT_DAILY,
    ("prediction_date", "account_id"),
    Query(
        """
select
    predicted.prediction_date,
    predicted.account_id,
    accounts.starting_balance,
    (upper_90 - lower_90) / accounts.starting_balance as relative_width,
    abs(expected_net_profit) / accounts.starting_balance as relative_mean
from predictions_account_daily as predicted
join staging_accounts as accounts
    on accounts.date = predicted.prediction_date - 1
    and accounts.account_id = predicted.account_id
where predicted.prediction_date between $first_day and $last_day
""",
        (newest(PREDICTIONS_ACCOUNT_DAILY), if_there(STAGING_ACCOUNTS, first=-1, last=-1)),
    ),
    day="prediction_date",
)

_PORTFOLIO = rows_of(
    PORTFOLIO_DAILY,
    ("lower_90", "upper_90", "days_of_evidence", "accounts"),
    half="case when (lower_90 is null) <> (upper_90 is null) then 'one end' end",
    impossible=named({name: f"{name} < 0" for name in ("accounts", "days_of_evidence")}),
)

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
        frame=_ROWS,
        expectations=(
            unique(PREDICTIONS_ACCOUNT_DAILY.key),
            absent("missing_columns", says="every required column has a value"),
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
    Rule(
        id="predictions_dated",
        table=PREDICTIONS_ACCOUNT_DAILY.name,
        dimension="timeliness",
        severity="error",
        frame=_ROWS,
        expectations=(
            between("days_off", 0, 0, says="the features are those of the day before"),
            between("hours_off", 0, 0, says="the prediction is as of the cut-off"),
        ),
        reason="A prediction of D rests on what was known at the cut-off of D−1, and on nothing later.",
        advice="Predict the day again: the row was made from the snapshot of another day.",
    ),
    Rule(
        id="one_model_a_day",
        table=PREDICTIONS_ACCOUNT_DAILY.name,
        dimension="consistency",
        severity="error",
        frame=_ROWS,
        expectations=(absent("other_model", says="all predictions of a day that one serves are one model's"),),
        reason="The champion in force on the day predicts all of it, a shadow its traffic; outcomes are judged by version.",
        advice="Predict the day again; see models/champion for who was in force.",
    ),
    Rule(
        id="lineage_recorded",
        table=PREDICTIONS_ACCOUNT_DAILY.name,
        dimension="validity",
        severity="error",
        frame=_ROWS,
        expectations=(
            *(
                matches(name, HASH, says=f"{name} is a full sha256")
                for name in ("model_hash", "features_hash", "snapshot_hash")
            ),
            matches("calibration_version", "^[0-9a-f]{16}$", says="calibration_version is sixteen digits of a sha256"),
            matches("code_version", CODE_VERSION, says="code_version is a version and sixteen digits of a sha256"),
        ),
        reason="By these a prediction is explained and made again, years later.",
        advice="Predict the day again with the code of today.",
    ),
    Rule(
        id="figures_finite",
        table=PREDICTIONS_ACCOUNT_DAILY.name,
        dimension="validity",
        severity="error",
        frame=_ROWS,
        expectations=(absent("not_finite", says="no predicted figure is infinite or not a number"),),
        reason="One such figure makes every sum over accounts one.",
        advice="Look at the account's row in predictions/model_scores and its group's threshold.",
    ),
    Rule(
        id="scale_plausible",
        table=PREDICTIONS_ACCOUNT_DAILY.name,
        dimension="distribution",
        severity="warn",
        frame=_OF_SCORES,
        expectations=(
            between("relative_width", high=WIDEST, says="no interval is wider than the account's starting balance"),
            between("relative_mean", high=WIDEST, says="no mean is larger than the account's starting balance"),
        ),
        reason="Limits end an account long before it has lost its start in a day; such a figure is no forecast.",
        advice="Compare with the account's profit scale in predictions/model_scores: a unit may have changed.",
    ),
    Rule(
        id="portfolio_valid",
        table=PORTFOLIO_DAILY.name,
        dimension="validity",
        severity="error",
        frame=_PORTFOLIO,
        expectations=(
            unique(PORTFOLIO_DAILY.key),
            at_least("upper_90", "lower_90", says="the interval is in order"),
            absent("half", says="an interval has both ends or none"),
            absent("impossible", says="accounts and days of evidence are not negative"),
        ),
        reason="Limits of the firm are set on these intervals.",
        advice="Make the day's sums again from its predictions: dpm run --stages predictions.",
    ),
)
