-- staging/accounts of one day: yesterday's rows of the accounts that were alive, moved on by what
-- the day tells. A fold over days: a backfill runs this text day after day, so its bits are those
-- of the daily runs. What accumulates (equity high, trading days) is a maximum or a count.
with metrics as (
    {staging/account_days}
),
identities as (
    select login, platform, broker, max(account_id) as account_id
    from raw_accounts
    where date = $first_day
    group by all
),
positions as (
    select
        identities.account_id,
        max(identities.login) as login,
        max(identities.platform) as platform,
        max(identities.broker) as broker,
        count(*) as open_positions,
        -- sums over whole cents: their bits do not depend on the order of rows
        sum(round(raw_trades_open.unrealized_profit * 100)::hugeint)::double / 100 as open_pnl,
        sum(round(raw_trades_open.volume_usd * 100)::hugeint)::double / 100 as open_volume
    from raw_trades_open
    join identities
        on raw_trades_open.login = identities.login
        and raw_trades_open.platform = identities.platform
        and raw_trades_open.broker = identities.broker
    where raw_trades_open.date = $first_day
    group by identities.account_id
),
-- who was alive at the end of yesterday; whoever had ended has left
yesterday as (
    select *
    from staging_accounts
    where date = $first_day - interval 1 day
        and coalesce(ineligible_reason, 'state_unknown') = 'state_unknown'
),
-- what the day tells of an account, from its best source; all-time rows count only while live
sightings as (
    select
        account_id, login, platform, broker, plan_id, trader_id, type as account_type, phase, status, country,
        'metrics' as state_source, 1 as preference,
        starting_balance, current_balance as balance, current_equity as equity,
        approved_payouts, pending_payouts, days_to_next_payout, first_trade_date::date as first_trade_date,
        -- no trade is a true zero; a row that gives neither number says nothing (PITFALLS L9)
        coalesce(net_profit, case when num_trades = 0 then 0 end) as net_profit,
        num_trades as trades_closed,
        has_traded
    from metrics
    where date = $first_day
    union all by name
    select
        account_id, login, platform, broker, plan_id, trader_id, type as account_type, phase, status, country,
        'snapshot' as state_source, 2 as preference,
        starting_balance, current_balance as balance, current_equity as equity,
        approved_payouts, pending_payouts, first_trade_date::date as first_trade_date
    from raw_accounts
    where date = $first_day
        and is_live
        -- an account that had ended before today has no life to go on with
        and (status = 1 or account_id in (select account_id from yesterday))
    union all by name
    select account_id, login, platform, broker, 'position' as state_source, 3 as preference
    from positions
),
today as (
    select *
    from sightings
    -- of several logins one that lives
    qualify row_number() over (
        partition by account_id
        order by preference, coalesce(status = 1, false) desc, coalesce(status <> 1, false), login, platform, broker
    ) = 1
),
state as (
    select
        coalesce(today.account_id, yesterday.account_id) as account_id,
        coalesce(today.login, yesterday.login) as login,
        coalesce(today.platform, yesterday.platform) as platform,
        coalesce(today.broker, yesterday.broker) as broker,
        coalesce(today.plan_id, yesterday.plan_id) as plan_id,
        coalesce(today.trader_id, yesterday.trader_id) as trader_id,
        coalesce(today.account_type, yesterday.account_type) as account_type,
        coalesce(today.phase, yesterday.phase) as phase,
        coalesce(today.status, yesterday.status) as status,
        coalesce(today.country, yesterday.country) as country,
        case
            when today.preference <= 2 then today.state_source
            when yesterday.account_id is not null then 'carried'
            else 'position'
        end as state_source,
        case when today.preference <= 2 then $first_day else yesterday.state_date end as state_date,
        coalesce(yesterday.first_seen_date, $first_day) as first_seen_date,
        coalesce(today.starting_balance, yesterday.starting_balance) as starting_balance,
        coalesce(today.balance, yesterday.balance) as balance,
        coalesce(today.equity, yesterday.equity) as equity,
        coalesce(today.approved_payouts, yesterday.approved_payouts) as approved_payouts,
        coalesce(today.pending_payouts, yesterday.pending_payouts) as pending_payouts,
        coalesce(today.days_to_next_payout, greatest(yesterday.days_to_next_payout - 1, 0)) as days_to_next_payout,
        coalesce(today.first_trade_date, yesterday.first_trade_date) as first_trade_date,
        -- the day's fetch is complete, so an account without a metrics row did not trade: a true zero
        case when today.preference = 1 then today.net_profit else 0.0 end as net_profit,
        case when today.preference = 1 then today.trades_closed else 0 end as trades_closed,
        coalesce(today.has_traded, false) as has_traded,
        yesterday.equity_high as former_high,
        yesterday.equity_high_date as former_high_date,
        yesterday.last_trade_date as former_trade_date,
        coalesce(yesterday.active_trading_days, 0) as former_trading_days,
        coalesce(yesterday.active_days_at_last_non_win, 0) as former_non_win,
        coalesce(yesterday.active_days_at_last_non_loss, 0) as former_non_loss
    from today
    full join yesterday
        on today.account_id = yesterday.account_id
),
accumulated as (
    select
        *,
        former_trading_days + has_traded::bigint as active_trading_days,
        greatest(former_high, equity, starting_balance) as equity_high
    from state
),
with_terms as (
    select
        accumulated.*,
        case when has_traded then $first_day else former_trade_date end as last_trade_date,
        raw_plans.type as plan_type,
        raw_plans.leverage,
        raw_plans.profit_target_pct,
        raw_plans.max_trailing_drawdown_pct as max_drawdown_pct,
        raw_plans.daily_loss_limit_pct,
        raw_plans.is_drawdown_relative,
        raw_plans.profit_share_pct,
        raw_plans.minimum_required_active_trading_days as min_trading_days,
        raw_plans.maximum_time as max_trading_days,
        raw_plans.liquidate_friday,
        raw_plans.inactivity_period as inactivity_period_days,
        raw_plans.daily_drawdown_by_balance_equity,
        raw_plans.enable_consistency,
        raw_plans.valid_from as plan_valid_from,
        positions.open_positions, positions.open_pnl, positions.open_volume
    from accumulated
    left join raw_plans
        on raw_plans.plan_id = accumulated.plan_id
        and raw_plans.date = $first_day
    left join positions
        on positions.account_id = accumulated.account_id
),
judged as (
    select
        *,
        -- the one eligibility rule: what is trained on and what is predicted (PITFALLS L1, L10)
        case
            when status <> 1 then 'ended'
            when status is null or starting_balance is null then 'state_unknown'
            -- the service may end an idle account without a row that says so; a row of the day would show it,
            -- and an open position shows that it lives
            when state_source in ('carried', 'position')
                and open_positions is null
                and $first_day - greatest(last_trade_date, first_seen_date)
                    > coalesce(nullif(inactivity_period_days, 0), $dormant_days)
                then 'inactive'
        end as ineligible_reason
    from with_terms
)
select
    $first_day as date,
    account_id, login, platform, broker, plan_id, trader_id, account_type, phase, status, country,
    state_source, state_date, first_seen_date,
    starting_balance, balance, equity, approved_payouts, pending_payouts, days_to_next_payout, first_trade_date,
    net_profit, trades_closed, has_traded,
    coalesce(open_positions, 0) as open_positions, open_pnl, open_volume,
    equity_high,
    case when equity_high is not null and equity_high is not distinct from former_high then former_high_date
        when equity_high is not null then $first_day end as equity_high_date,
    last_trade_date,
    active_trading_days,
    -- a trading day whose profit is not known ends both streaks: nothing says that it went on
    case when has_traded and coalesce(net_profit, 0) <= 0 then active_trading_days else former_non_win end
        as active_days_at_last_non_win,
    case when has_traded and coalesce(net_profit, 0) >= 0 then active_trading_days else former_non_loss end
        as active_days_at_last_non_loss,
    plan_type, leverage, profit_target_pct, max_drawdown_pct, daily_loss_limit_pct, is_drawdown_relative,
    profit_share_pct, min_trading_days, max_trading_days, liquidate_friday, inactivity_period_days,
    daily_drawdown_by_balance_equity, enable_consistency, plan_valid_from,
    ineligible_reason is null as is_eligible,
    ineligible_reason
from judged
