"""Rules of the feature layer: a row for each eligible account, and values within what they can be.

The contracts are made from the features' catalogue, so they are handed in: `quality` does not know `features`.
"""

from __future__ import annotations

from daily_profit_model.engine import Query
from daily_profit_model.quality.conditions import beyond, figures_not_finite, missing, named
from daily_profit_model.quality.expectation import absent, between, equal, unique
from daily_profit_model.quality.frame import Frame, newest, rows_of
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables import Table
from daily_profit_model.tables.contract import INT
from daily_profit_model.tables.staging import STAGING_ACCOUNTS, STAGING_TRADES

NULL_LIMIT = 0.40
"""Share of all feature values of a day. An idle account has no trade to measure, a young one no window: on 260 days
of two sandbox firms 0.05 are null, and at most 0.21, on first days and without a market regime. Twice that."""

NEVER_NULL = "Null: never null"
"""How the catalogue says that a feature always has a value."""

_CHANCES = ("to_risk_on", "to_risk_off", "to_vol_spike")
_SIZES = ("hours", "lots", "trades", "symbols", "positions", "accounts", "anomalies")
"""Units of what is counted or measured from zero. Days are left out: those to a limit may be overdue."""

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

_OF_TRADES = """
with traded as (
    select
        date,
        account_id,
        count(*) as trades,
        sum(round(net_profit * 100)::bigint) as cents
    from staging_trades
    where date between $first_day and $last_day
        and is_resolved
    group by all
),
counted as (
    select date, account_id, trades, round((gross_profit + gross_loss) * 100)::bigint as cents
    from features_trade_daily
    where date between $first_day and $last_day
)
select
    date,
    account_id,
    coalesce(traded.trades, 0) as trades_of_account,
    coalesce(counted.trades, 0) as trades,
    coalesce(counted.cents, 0) - coalesce(traded.cents, 0) as cents_off
from traded
full join counted
    using (date, account_id)
"""

_PARTS_OF_TRADES = (
    "buys",
    "trades_with_stop_loss",
    "trades_with_take_profit",
    "weekend_trades",
    "trades_after_win",
    "trades_after_loss",
)
_FROM_ZERO = (
    "lots",
    "volume_usd",
    "gross_profit",
    "duration_hours",
    "duration_squared_deviations",
    "winners_duration_hours",
    "losers_duration_hours",
    "lots_after_win",
    "lots_after_loss",
)


def features_rules(features: Table) -> tuple[Rule, ...]:
    """The rules of features/account_daily, whose contract is `features`."""
    population = Query(_POPULATION, (newest(STAGING_ACCOUNTS), newest(features)))
    names = [column.name for column in features.columns if column.name not in features.key]
    never_null = [column.name for column in features.columns if column.description.endswith(NEVER_NULL)]
    known = ", ".join(f"count({name})" for name in names)
    rows = rows_of(
        features,
        outside_limits=named(limits_of(features)),
        not_finite=figures_not_finite(features),
        null_but_never=missing(never_null),
    )
    days = Frame(
        f"{features.name} nulls",
        features,
        (features.day_column,),
        Query(
            f"""
select date, count(*) as accounts, 1 - list_sum([{known}]) / ({len(names)} * count(*)) as null_share
from {features.view_name}
where date between $first_day and $last_day
group by date
""",
            (newest(features),),
        ),
        measures=True,
    )
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
            frame=rows,
            expectations=(
                unique(features.key),
                absent("outside_limits", says="shares, chances, counts and sizes are within what they can be"),
                absent("not_finite", says="no feature is infinite or not a number"),
            ),
            reason="A share outside 0 … 1, a negative count, an infinite ratio are errors of the feature query.",
            advice="Compare the samples with their rows in staging/accounts; correct the query and rebuild.",
        ),
        Rule(
            id="always_there",
            table=features.name,
            dimension="completeness",
            severity="error",
            frame=rows,
            expectations=(absent("null_but_never", says="a feature that is never null has a value"),),
            reason="The catalogue promises these values, and the model was never taught what their null means.",
            advice="The samples name the features: their input has become null in staging/accounts of the day.",
        ),
        Rule(
            id="mostly_there",
            table=features.name,
            dimension="completeness",
            severity="warn",
            frame=days,
            expectations=(between("null_share", high=NULL_LIMIT, says="most values of the day are there"),),
            reason="Nulls are honest, but when most are null an input is gone and predictions rest on little.",
            advice="Compare the day's null shares by feature with the day before: whole families point to their input.",
        ),
    )


def trade_days_rules(trade_days: Table) -> tuple[Rule, ...]:
    """The rules of features/trade_daily, whose contract is `trade_days`."""
    classes = ("forex_trades", "metals_trades", "index_trades", "crypto_trades", "energy_trades")
    sessions = ("asia_trades", "london_trades", "new_york_trades")
    rows = rows_of(
        trade_days,
        impossible_counts=named(
            {
                "trades": "trades < 1",
                "wins and losses": "winning_trades + losing_trades > trades",
                "classes": f"{' + '.join(classes)} > trades",
                "sessions": f"{' + '.join(sessions)} <> trades",
                "after win and loss": "trades_after_win + trades_after_loss > trades",
            }
            | {name: f"{name} not between 0 and trades" for name in _PARTS_OF_TRADES}
        ),
        impossible_sums=named(
            {name: f"{name} < 0" for name in _FROM_ZERO}
            | {"gross_loss": "gross_loss > 0", "lots_max": "lots_max > lots"}
        ),
        not_finite=figures_not_finite(trade_days),
    )
    against = Query(_OF_TRADES, (newest(STAGING_TRADES), newest(trade_days)))
    return (
        Rule(
            id="trade_days_valid",
            table=trade_days.name,
            dimension="validity",
            severity="error",
            frame=rows,
            expectations=(
                unique(trade_days.key),
                absent("impossible_counts", says="no part of the trades is larger than all of them"),
                absent(
                    "impossible_sums",
                    says="lots, volumes, times and gross profit are not negative, losses not positive",
                ),
                absent("not_finite", says="no sum is infinite or not a number"),
            ),
            reason="Every window of the behaviour features adds these days up, so an error stays for weeks.",
            advice="Compare with staging/trades of the account; correct the query, and rebuild from the day on.",
        ),
        Rule(
            id="trade_days_equal_trades",
            table=trade_days.name,
            dimension="consistency",
            severity="error",
            frame=Frame(f"{trade_days.name} against staging/trades", trade_days, trade_days.key, against),
            expectations=(
                equal(
                    "trades",
                    "trades_of_account",
                    says="every account with a resolved trade has its row, with all of them",
                ),
                between("cents_off", 0, 0, says="gross profit and gross loss add up to the net profit of the trades"),
            ),
            reason="An account without its row did not trade, for all that the features know.",
            advice="Rebuild the day: staging/trades was probably rebuilt after it, with accounts resolved since.",
        ),
    )


def limits_of(features: Table) -> dict[str, str]:
    """By feature that has physical limits the SQL condition that it lies outside them."""
    shares = {name: beyond(name, 0, 1) for name in (*shares_of(features), *_CHANCES)}
    sizes = {column.name: f"{column.name} < 0" for column in features.columns if column.unit in _SIZES}
    counts = {
        column.name: f"{column.name} < 0"
        for column in features.columns
        if column.type == INT and column.unit == "days" and "days_to_" not in column.name
    }
    terms = {column.name: beyond(column.name, 0, 100) for column in features.columns if column.name.endswith("_pct")}
    return shares | sizes | counts | terms


def shares_of(features: Table) -> tuple[str, ...]:
    """The features that are a part of a whole; others in the unit `share` are relative to the start."""
    return tuple(column.name for column in features.columns if column.unit == "share" and "_share" in column.name)
