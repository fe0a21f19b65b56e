"""Rules of the feature layer: a row for each eligible account, and values within what they can be.

The features' contract is made from their catalogue, so it is handed in: `quality` does not know `features`.
"""

from __future__ import annotations

from daily_profit_model.engine import Query
from daily_profit_model.quality.expectation import between, equal, unique
from daily_profit_model.quality.frame import Frame, newest, rows_of
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables import Table
from daily_profit_model.tables.staging import STAGING_ACCOUNTS

_POPULATION = """
with eligible as (
    select date, account_id
    from staging_accounts
    where is_eligible
        and date between $first_day and $last_day
),
featured as (
    select date, account_id
    from features_account_daily
    where date between $first_day and $last_day
)
select
    date,
    account_id,
    (eligible.account_id is not null)::int as is_eligible,
    (featured.account_id is not null)::int as has_features
from eligible
full join featured
    using (date, account_id)
"""


def features_rules(features: Table) -> tuple[Rule, ...]:
    """The rules of features/account_daily, whose contract is `features`."""
    population = Query(_POPULATION, (newest(STAGING_ACCOUNTS), newest(features)))
    shares = shares_of(features)
    return (
        Rule(
            id="population_equals_eligible",
            table=features.name,
            dimension="completeness",
            severity="error",
            blocking=True,
            frame=Frame(f"{features.name} population", features, features.key, population),
            expectations=(equal("has_features", "is_eligible", says="exactly the eligible accounts have features"),),
            reason="Training and prediction must see the same accounts, or survivors bias the model (L1, L10).",
            advice="Rebuild the features of the day; staging/accounts was probably rebuilt after them.",
        ),
        Rule(
            id="features_valid",
            table=features.name,
            dimension="validity",
            severity="error",
            frame=rows_of(features, shares),
            expectations=(
                unique(features.key),
                *(between(name, 0, 1, says=f"{name} is within 0 and 1") for name in shares),
            ),
            reason="A share outside 0 … 1 or an account that is there twice is an error of the feature query.",
            advice="Compare the samples with their rows in staging/accounts; correct the query and rebuild.",
        ),
    )


def shares_of(features: Table) -> tuple[str, ...]:
    """The features that are a part of a whole; others in the unit `share` are relative to the start."""
    return tuple(column.name for column in features.columns if column.unit == "share" and "_share" in column.name)
