"""Rules of raw/accounts, the snapshot of all accounts: who is there, and what a snapshot filled later may tell."""

from __future__ import annotations

from daily_profit_model.engine import Query
from daily_profit_model.quality.conditions import CENT, disordered, if_there, missing, named
from daily_profit_model.quality.expectation import Expectation, absent, between, matches_not, unique
from daily_profit_model.quality.frame import Frame, newest, rows_of
from daily_profit_model.quality.rule import Dimension, Rule, Severity
from daily_profit_model.quality.rules_metrics import DISTRIBUTION, ENUMS, IMPOSSIBLE_COUNTS
from daily_profit_model.tables.raw import RAW_ACCOUNTS, RAW_METRICS_DAILY, RAW_PLANS

NO_ID = r"^\s*$|^(?i:nan|none|null|nat)$|\.0$"
"""What programs write for nothing, and what is left of a number that passed through a float column."""

UNLISTED_SHARE = 0.10
"""Of the accounts that traded: one that was opened on the day is in the next day's snapshot. As many trades as may be
without their account (`rules_staging`)."""

_BALANCES = ("starting_balance", "current_balance", "current_equity")
_TOLD_OF_NOW = ("status", "plan_id", *_BALANCES, "net_profit", "num_trades", "last_trade_close", "updated_date")

_ROWS = rows_of(
    RAW_ACCOUNTS,
    ("status", "phase"),
    # none of the balances, or all of them
    not_whole=f"case when is_live and coalesce({', '.join(_BALANCES)}) is not null then {missing(_BALANCES)} end",
    told_of_now=f"case when not is_live then {named({column: f'{column} is not null' for column in _TOLD_OF_NOW})} end",
    impossible_counts=named(IMPOSSIBLE_COUNTS),
    disordered_profits=disordered(DISTRIBUTION, CENT),
    impossible_times=named(
        {
            "first_trade_open": "first_trade_open > last_trade_open",
            "last_trade_close": "last_trade_close < first_trade_open",
            "life_time_in_days": "life_time_in_days < 0",
            "first_trade_date": "first_trade_date::date > date + 1",
        }
    ),
    # not counted distinct: over windows that takes long
    other_account="case when min(account_id) over (partition by date, platform, broker, login) <> max(account_id) over (partition by date, platform, broker, login) then max(account_id) over (partition by date, platform, broker, login) end",
)

_PLANS = Frame(
    f"{RAW_ACCOUNTS.name} against {RAW_PLANS.name}",
    RAW_ACCOUNTS,
    RAW_ACCOUNTS.key,
    Query(
        """
select
    date,
    accounts.platform,
    accounts.broker,
    accounts.login,
    accounts.account_id,
    plan_id,
    (plans.plan_id is not null)::int as is_known
from raw_accounts as accounts
left join raw_plans as plans
    using (date, plan_id)
where date between $first_day and $last_day
    and accounts.plan_id is not null
    and date in (select date from raw_plans)
""",
        (newest(RAW_ACCOUNTS), if_there(RAW_PLANS)),
    ),
)

_TRADERS = Frame(
    f"{RAW_ACCOUNTS.name} against {RAW_METRICS_DAILY.name}",
    RAW_ACCOUNTS,
    RAW_ACCOUNTS.key,
    Query(
        """
select
    date,
    platform,
    broker,
    login,
    account_id,
    (accounts.account_id is not null)::int as is_listed
from raw_metrics_daily as metrics
left join raw_accounts as accounts
    using (date, platform, broker, login, account_id)
where date between $first_day and $last_day
    and metrics.num_trades > 0
    and date in (select date from raw_accounts)
""",
        (newest(RAW_ACCOUNTS), if_there(RAW_METRICS_DAILY)),
    ),
)

_STAYED = Frame(
    f"{RAW_ACCOUNTS.name} of the day before",
    RAW_ACCOUNTS,
    RAW_ACCOUNTS.key,
    Query(
        """
-- a snapshot that was filled later knows accounts that were opened since, so it is not held against the next
select
    before.date + 1 as date,
    before.platform,
    before.broker,
    before.login,
    before.account_id,
    (today.account_id is not null)::int as is_there
from raw_accounts as before
left join raw_accounts as today
    on today.date = before.date + 1
    and today.platform = before.platform
    and today.broker = before.broker
    and today.login = before.login
    and today.account_id = before.account_id
where before.date between $first_day - 1 and $last_day - 1
    and before.is_live
    and before.date + 1 in (select date from raw_accounts)
""",
        (if_there(RAW_ACCOUNTS, first=-1),),
    ),
)


def _rule(
    rule_id: str,
    dimension: Dimension,
    severity: Severity,
    expectations: tuple[Expectation, ...],
    reason: str,
    advice: str,
    frame: Frame = _ROWS,
) -> Rule:
    return Rule(rule_id, RAW_ACCOUNTS.name, dimension, severity, frame, expectations, reason, advice)


ACCOUNTS_RULES = (
    _rule(
        "accounts_valid",
        "validity",
        "error",
        (unique(RAW_ACCOUNTS.key), *ENUMS),
        "Trades find their account through this table, and status and phase decide who is predicted.",
        "A new value of an enum: ask what it means and extend the set. Two rows: fetch again.",
    ),
    _rule(
        "identities_written",
        "validity",
        "error",
        tuple(
            matches_not(column, NO_ID, says=f"{column} is an id, no blank and no written null")
            for column in ("account_id", "login")
        ),
        "Trades are joined to accounts by these texts; `nan` or `123.0` joins nothing, or everything.",
        "Look how the service writes the id today; the reader takes numbers and text, and nothing else.",
    ),
    _rule(
        "login_has_one_account",
        "uniqueness",
        "error",
        (absent("other_account", says="a login on its platform and broker belongs to one account"),),
        "Trades carry a login alone: with two accounts behind it, one gets the other's trades.",
        "Ask the service which of the two accounts the login has now.",
    ),
    _rule(
        "snapshot_whole",
        "completeness",
        "warn",
        (absent("not_whole", says="starting balance, balance and equity are there together"),),
        "A balance without its start has no meaning for the features, and the other way round.",
        "Ask the service which field it has stopped to fill.",
    ),
    _rule(
        "past_tells_identity_alone",
        "timeliness",
        "error",
        (absent("told_of_now", says="a snapshot that was filled later holds identities alone"),),
        "All-time metrics tell only of now; in a past day they are the future (L2, L3).",
        "The reader has kept what it must drop: correct it, and fill the day again.",
    ),
    _rule(
        "lifetimes_possible",
        "consistency",
        "error",
        (
            absent("impossible_counts", says="no count is larger than the count of trades"),
            absent("disordered_profits", says="minimum, percentiles, median and maximum ascend"),
            absent("impossible_times", says="the first trade lies before the last, and not in the future"),
        ),
        "Statistics of one set of trades contain one another, whatever the trades are.",
        "The samples name the field; swapped fields are a change of the service's export.",
    ),
    _rule(
        "accounts_stay",
        "volume",
        "warn",
        (between("is_there", low=1, says="every account of yesterday's snapshot is there today"),),
        "The all-time metrics list every account that there ever was; trades of a missing one are unresolved.",
        "A page was lost, or the service removes accounts: fetch the accounts again, then ask its operators.",
        _STAYED,
    ),
    _rule(
        "traders_listed",
        "completeness",
        "warn",
        (
            between(
                "is_listed",
                low=1,
                mostly=1 - UNLISTED_SHARE,
                says="nearly all accounts that traded are in the snapshot",
            ),
        ),
        "Trades find their account here, whether the snapshot was taken on the day or filled later.",
        "A page was lost, or ids were read wrongly: compare the samples with their rows in raw/metrics_daily.",
        _TRADERS,
    ),
    _rule(
        "plan_known",
        "referential",
        "warn",
        (between("is_known", low=1, says="the plan is in the plan files", shows=("plan_id",)),),
        "Without its plan an account has no limits, no target and no peers among the features.",
        "Put a newer file of plans into the plans folder, and load the day's plans again.",
        _PLANS,
    ),
)
