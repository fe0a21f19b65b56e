"""Rules that hold a metrics row against others: its account's newest row before, the trades, the hours, the plans.

What one row says of itself is judged in `rules_metrics`. Tables that are not in the lake are not compared with.
"""

from __future__ import annotations

from daily_profit_model.engine import Query
from daily_profit_model.quality.conditions import CENT, if_there, named
from daily_profit_model.quality.expectation import absent, between
from daily_profit_model.quality.frame import Frame, newest
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables.raw import (
    RAW_ACCOUNTS,
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_PLANS,
    RAW_TRADES_CLOSED,
)

CORRECTED_SHARE = 0.10
"""Metrics of the newest days are preliminary: the service corrects up to 3 % of their rows for some days
(RISK_API.md; measured on the sandbox: 10 of 366). Three times that means that something else is wrong."""

FEW_ROWS = 3
"""Rows of a day. Where few accounts trade, one corrected row is a large share: up to three are no pattern."""

COUNTED_ALIKE = 3.0
"""Factor. A service may count a trade's volume when it is opened and when it is closed, which is twice that of our feed
(the sandbox's is once, to the cent); another unit is a hundred times or more."""

LOOK_BACK_DAYS = 31
"""Days in which an account's newest row before is looked for: the longest pause seen on the sandbox is 31 days,
and 88 % of the plans end an account after 30 without a trade (RISK_API.md)."""

_SAME_ACCOUNT = "platform, broker, login, account_id"

_AGAINST_BEFORE = Frame(
    f"{RAW_METRICS_DAILY.name} against the row before",
    RAW_METRICS_DAILY,
    RAW_METRICS_DAILY.key,
    Query(
        f"""
with account_rows as (
    select
        date, {_SAME_ACCOUNT}, status, starting_balance, current_balance, approved_payouts, net_profit,
        prior_days_balance,
        lag(date) over account as date_before,
        lag(status) over account as status_before,
        lag(starting_balance) over account as starting_balance_before,
        lag(current_balance) over account as balance_before,
        lag(approved_payouts) over account as payouts_before
    from raw_metrics_daily
    where date >= $first_day - interval {LOOK_BACK_DAYS} day
        and date <= $last_day
    window account as (partition by {_SAME_ACCOUNT} order by date)
),
gaps as (
    select
        *,
        -- payouts of days without a row are in the sum of those approved
        round(balance_before + net_profit - (approved_payouts - payouts_before) - current_balance, 2) as balance_gap,
        case when date_before = date - 1 then round(prior_days_balance - balance_before, 2) end as prior_gap
    from account_rows
    where date >= $first_day
        and date_before >= date - {LOOK_BACK_DAYS}
)
select
    date, {_SAME_ACCOUNT}, date_before, status, status_before, starting_balance, starting_balance_before,
    balance_before, current_balance, net_profit,
    case when sum((abs(balance_gap) > {CENT})::int) over (partition by date) > {FEW_ROWS}
        then balance_gap else 0 end as balance_gap,
    case when sum((abs(prior_gap) > {CENT})::int) over (partition by date) > {FEW_ROWS}
        then prior_gap else 0 end as prior_gap,
    case when status_before <> 1 and status = 1 then 'ended with ' || status_before end as revived,
    case when starting_balance <> starting_balance_before then 'was ' || starting_balance_before end as restarted
from gaps
""",
        (if_there(RAW_METRICS_DAILY, first=-LOOK_BACK_DAYS),),
    ),
)

_OTHER_SIZES = named(
    {
        name: f"{name} not between {of_trades} / {COUNTED_ALIKE} and {of_trades} * {COUNTED_ALIKE}"
        for name, of_trades in (("total_lots", "lots"), ("total_volume", "volume"))
    }
)

_AGAINST_TRADES = Frame(
    f"{RAW_METRICS_DAILY.name} against {RAW_TRADES_CLOSED.name}",
    RAW_METRICS_DAILY,
    RAW_METRICS_DAILY.key,
    Query(
        f"""
with trades as (
    select
        date,
        platform,
        broker,
        login,
        count(*) as trades,
        sum(profit + coalesce(commission, 0) + coalesce(fee, 0) + coalesce(swap, 0)) as net_profit,
        sum(coalesce(commission, 0) + coalesce(fee, 0) + coalesce(swap, 0)) as costs,
        -- not known where one trade does not tell it
        case when count(lots) = count(*) then sum(lots) end as lots,
        case when count(volume_usd) = count(*) then sum(volume_usd) end as volume
    from raw_trades_closed
    where date between $first_day and $last_day
    group by all
),
logins as (
    select date, platform, broker, login, max(account_id) as account_id
    from raw_accounts
    where date between $first_day and $last_day
    group by all
),
-- a trade of a login that the day's snapshot does not know, a test account's among them, is no row's
traded as (
    select trades.*, logins.account_id
    from trades
    left join logins
        using (date, platform, broker, login)
),
compared as (
    select
        date,
        platform,
        broker,
        login,
        coalesce(metrics.account_id, traded.account_id) as account_id,
        metrics.account_id is not null as has_row,
        metrics.net_profit,
        metrics.num_trades,
        metrics.gross_profit + metrics.gross_loss - metrics.net_profit as gross_gap,
        coalesce(traded.net_profit, 0) as net_profit_of_trades,
        coalesce(traded.trades, 0) as trades,
        coalesce(traded.costs, 0) as costs,
        metrics.total_lots,
        metrics.total_volume,
        traded.lots,
        traded.volume
    from (select * from raw_metrics_daily where date between $first_day and $last_day) as metrics
    full join traded
        using (date, platform, broker, login)
    -- a login without an account is not compared, nor a day whose trades are not in the lake
    where (metrics.account_id is not null or traded.account_id is not null)
        and date in (select date from trades)
)
select
    date,
    platform,
    broker,
    login,
    account_id,
    net_profit,
    net_profit_of_trades,
    num_trades,
    trades,
    costs,
    {_OTHER_SIZES} as other_sizes,
    case when not has_row then trades || ' trades' end as without_row,
    case when has_row then round(net_profit - net_profit_of_trades, 2) end as gap,
    case when has_row then num_trades - trades end as trades_gap,
    -- gross sums may be before or after costs
    round(least(abs(gross_gap), abs(gross_gap + costs)), 2) as gross_gap
from compared
""",
        (newest(RAW_METRICS_DAILY), if_there(RAW_TRADES_CLOSED), if_there(RAW_ACCOUNTS)),
    ),
)

_PLANS = Frame(
    f"{RAW_METRICS_DAILY.name} against {RAW_PLANS.name}",
    RAW_METRICS_DAILY,
    RAW_METRICS_DAILY.key,
    Query(
        """
select
    date,
    metrics.platform,
    metrics.broker,
    metrics.login,
    metrics.account_id,
    plan_id,
    (plans.plan_id is not null)::int as is_known
from raw_metrics_daily as metrics
left join raw_plans as plans
    using (date, plan_id)
where date between $first_day and $last_day
    and metrics.plan_id is not null
    and date in (select date from raw_plans)
""",
        (newest(RAW_METRICS_DAILY), if_there(RAW_PLANS)),
    ),
)

_HOURS = Frame(
    f"{RAW_METRICS_HOURLY.name} against {RAW_METRICS_DAILY.name}",
    RAW_METRICS_HOURLY,
    RAW_METRICS_DAILY.key,
    Query(
        f"""
with hours as (
    select
        date, {_SAME_ACCOUNT}, sum(num_trades) as trades, sum(net_profit) as net_profit,
        count(distinct hour) filter (num_trades > 0) as hours
    from raw_metrics_hourly
    where date between $first_day and $last_day
    group by all
),
traded as (
    select date, platform, broker, login, count(distinct hour(close_time)) as hours
    from raw_trades_closed
    where date between $first_day and $last_day
    group by all
),
gaps as (
    select
        date,
        {_SAME_ACCOUNT},
        days.num_trades,
        days.net_profit,
        coalesce(hours.trades, 0) - days.num_trades as trades_gap,
        round(coalesce(hours.net_profit, 0) - days.net_profit, 2) as profit_gap,
        traded.hours - coalesce(hours.hours, 0) as missing_hours
    from raw_metrics_daily as days
    left join hours
        using (date, {_SAME_ACCOUNT})
    left join traded
        using (date, platform, broker, login)
    where date between $first_day and $last_day
)
select
    date, {_SAME_ACCOUNT}, num_trades, net_profit, missing_hours,
    case when sum((trades_gap <> 0)::int) over (partition by date) > {FEW_ROWS} then trades_gap else 0 end
        as trades_gap,
    case when sum((abs(profit_gap) > {CENT})::int) over (partition by date) > {FEW_ROWS} then profit_gap else 0 end
        as profit_gap
from gaps
""",
        (newest(RAW_METRICS_HOURLY), if_there(RAW_METRICS_DAILY), if_there(RAW_TRADES_CLOSED)),
    ),
)

_MOSTLY = 1 - CORRECTED_SHARE

DAILY_RELATIONS_RULES = (
    Rule(
        id="net_profit_equals_trades",
        table=RAW_METRICS_DAILY.name,
        dimension="consistency",
        severity="warn",
        frame=_AGAINST_TRADES,
        expectations=(
            between("gap", -CENT, CENT, mostly=_MOSTLY, says="net profit is the sum over the closed trades"),
        ),
        reason="The target is the sum of profit, commission, fee and swap of the day's closed trades.",
        advice="Newest days: fetch again after the corrections. Older ones: one of the feeds is incomplete.",
    ),
    Rule(
        id="trades_counted",
        table=RAW_METRICS_DAILY.name,
        dimension="volume",
        severity="warn",
        frame=_AGAINST_TRADES,
        expectations=(
            between("trades_gap", 0, 0, says="as many trades as closed", mostly=_MOSTLY),
            absent("other_sizes", says="lots and volume are about those of the closed trades", mostly=_MOSTLY),
        ),
        reason="Metrics and trades tell of the same trades; one in ten is left to corrections of the newest days.",
        advice="Compare with monitoring/reconciliation of the day, and fetch the feed again that stands alone.",
    ),
    Rule(
        id="profits_add_up",
        table=RAW_METRICS_DAILY.name,
        dimension="consistency",
        severity="warn",
        frame=_AGAINST_TRADES,
        expectations=(
            between(
                "gross_gap",
                high=CENT,
                mostly=_MOSTLY,
                says="gross profit and gross loss add up to the net profit, before or after the costs of the trades",
            ),
        ),
        reason="What was won and what was lost is all there is, but for the costs.",
        advice="Look which of the three fields changed its sign or unit against the days before.",
    ),
    Rule(
        id="traders_have_rows",
        table=RAW_METRICS_DAILY.name,
        dimension="completeness",
        severity="error",
        frame=_AGAINST_TRADES,
        expectations=(absent("without_row", says="every account with a closed trade has its row"),),
        reason="An account without a row is taken for one that did not trade: a false zero in the target (L9).",
        advice="Fetch the metrics of the day again. If it stays, the service leaves accounts out: ask its operators.",
    ),
    Rule(
        id="balance_carried_on",
        table=RAW_METRICS_DAILY.name,
        dimension="consistency",
        severity="warn",
        frame=_AGAINST_BEFORE,
        expectations=(
            between(
                "balance_gap",
                -CENT,
                CENT,
                mostly=_MOSTLY,
                says="balance = balance of the newest row before + net profit − payouts since",
            ),
            between("prior_gap", -CENT, CENT, mostly=_MOSTLY, says="the prior day's balance is that of the row before"),
        ),
        reason="Money that comes or goes without a trade or a payout is a row that is missing or wrong.",
        advice="Look for a day without a row between the two; newest days: fetch again after the corrections.",
    ),
    Rule(
        id="ended_stay_ended",
        table=RAW_METRICS_DAILY.name,
        dimension="consistency",
        severity="warn",
        frame=_AGAINST_BEFORE,
        expectations=(absent("revived", says="an account that has ended does not come back"),),
        reason="An account that has ended is no longer predicted; staging lets go of it for good.",
        advice="Ask the service what the status means; if it revives accounts, staging must take them up again.",
    ),
    Rule(
        id="start_is_constant",
        table=RAW_METRICS_DAILY.name,
        dimension="consistency",
        severity="warn",
        frame=_AGAINST_BEFORE,
        expectations=(absent("restarted", says="the starting balance is that of the row before"),),
        reason="All relative features are divided by it; a change moves them without a trade.",
        advice="A reset or a scaled account: ask the risk desk. In many rows: the service has changed the unit.",
    ),
    Rule(
        id="plan_known",
        table=RAW_METRICS_DAILY.name,
        dimension="referential",
        severity="warn",
        frame=_PLANS,
        expectations=(between("is_known", low=1, says="the plan is in the plan files", shows=("plan_id",)),),
        reason="Without its plan an account has no limits, no target and no peers among the features.",
        advice="Put a newer file of plans into the plans folder, and load the day's plans again.",
    ),
)

HOURLY_RELATIONS_RULES = (
    Rule(
        id="hours_add_up",
        table=RAW_METRICS_HOURLY.name,
        dimension="consistency",
        severity="warn",
        frame=_HOURS,
        expectations=(
            between("trades_gap", 0, 0, mostly=_MOSTLY, says="the trades of the hours are those of the day"),
            between("profit_gap", -CENT, CENT, mostly=_MOSTLY, says="the profits of the hours add up to the day's"),
            between("missing_hours", high=0, says="every hour with a closed trade has its row"),
        ),
        reason="Hours are the parts of the day; daily rows are corrected for some days, hourly ones need not be.",
        advice="monitoring/reconciliation names the accounts and the hours; fetch the hourly metrics again.",
    ),
)
