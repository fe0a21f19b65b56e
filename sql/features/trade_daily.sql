-- features/trade_daily: what an account traded on a day, one row per account with a closed trade whose account is
-- known. Money is summed in whole cents, lots in millionths, time in milliseconds: sums of whole numbers have
-- the same bits in whatever order the rows come.
with trades as (
    select
        *,
        round(lots * 1000000)::bigint as lots_millionths,
        round(volume_usd * 100)::bigint as volume_cents,
        round(commission * 100)::bigint as commission_cents,
        round(net_profit * 100)::bigint as profit_cents,
        epoch_ms(close_time) - epoch_ms(open_time) as duration_ms
    from staging_trades
    where date between $first_day and $last_day
        and is_resolved
),
-- openings and closings of the day in the order in which the account saw them; of one instant openings come first,
-- so that no trade follows itself or one that closed as it opened
moments as (
    select
        date, account_id, platform, broker, login, position, ticket,
        open_time as happened_at, 0 as is_closing, lots_millionths, null::bigint as closed_cents
    from trades
    union all
    select
        date, account_id, platform, broker, login, position, ticket,
        close_time, 1, null, profit_cents
    from trades
),
-- each opening with what the account's newest closing before it, on the same day, had made
reactions as (
    select
        date,
        account_id,
        is_closing,
        lots_millionths,
        last_value(closed_cents ignore nulls) over (
            partition by date, account_id
            order by happened_at, is_closing, platform, broker, login, position, ticket
            rows between unbounded preceding and current row
        ) as former_cents
    from moments
),
reacting as (
    select
        date,
        account_id,
        count(*) filter (where former_cents > 0) as trades_after_win,
        count(*) filter (where former_cents < 0) as trades_after_loss,
        sum(lots_millionths) filter (where former_cents > 0) as lots_after_win,
        sum(lots_millionths) filter (where former_cents < 0) as lots_after_loss
    from reactions
    where is_closing = 0
    group by date, account_id
),
by_symbol as (
    select
        date,
        account_id,
        symbol,
        count(*) as trades,
        sum(volume_cents) as volume_cents
    from trades
    where symbol is not null
    group by date, account_id, symbol
),
symbols as (
    select
        date,
        account_id,
        list_sort(list({'symbol': symbol, 'trades': trades, 'volume_usd': volume_cents::double / 100})) as symbols
    from by_symbol
    group by date, account_id
),
days as (
    select
        date,
        account_id,
        count(*) as trades,
        count(*) filter (where profit_cents > 0) as winning_trades,
        count(*) filter (where profit_cents < 0) as losing_trades,
        count(*) filter (where side = 'buy') as buys,
        count(*) filter (where has_stop_loss) as trades_with_stop_loss,
        count(*) filter (where has_take_profit) as trades_with_take_profit,
        count(*) filter (where isodow(open_time) >= 6) as weekend_trades,
        count(*) filter (where symbol_class = 'forex') as forex_trades,
        count(*) filter (where symbol_class = 'metals') as metals_trades,
        count(*) filter (where symbol_class = 'index') as index_trades,
        count(*) filter (where symbol_class = 'crypto') as crypto_trades,
        count(*) filter (where symbol_class = 'energy') as energy_trades,
        count(*) filter (where session = 'asia') as asia_trades,
        count(*) filter (where session = 'london') as london_trades,
        count(*) filter (where session = 'new_york') as new_york_trades,
        sum(lots_millionths) as lots_millionths,
        max(lots_millionths) as lots_max_millionths,
        sum(volume_cents) as volume_cents,
        sum(commission_cents) as commission_cents,
        sum(greatest(profit_cents, 0)) as gain_cents,
        sum(least(profit_cents, 0)) as loss_cents,
        sum(duration_ms) as duration_ms,
        sum(duration_ms::decimal(38, 0) * duration_ms) as duration_ms_squared,
        sum(duration_ms) filter (where profit_cents > 0) as winners_ms,
        sum(duration_ms) filter (where profit_cents < 0) as losers_ms
    from trades
    group by date, account_id
)
select
    date,
    account_id,
    trades,
    winning_trades,
    losing_trades,
    buys,
    trades_with_stop_loss,
    trades_with_take_profit,
    weekend_trades,
    forex_trades,
    metals_trades,
    index_trades,
    crypto_trades,
    energy_trades,
    asia_trades,
    london_trades,
    new_york_trades,
    lots_millionths::double / 1000000 as lots,
    lots_max_millionths::double / 1000000 as lots_max,
    coalesce(volume_cents, 0)::double / 100 as volume_usd,
    coalesce(commission_cents, 0)::double / 100 as commission,
    gain_cents::double / 100 as gross_profit,
    loss_cents::double / 100 as gross_loss,
    duration_ms::double / 3600000 as duration_hours,
    -- the sum of squared deviations, from whole numbers: no digit is lost before the division
    (trades * duration_ms_squared - duration_ms::decimal(38, 0) * duration_ms)::double / trades
        / 12960000000000 as duration_squared_deviations,
    coalesce(winners_ms, 0)::double / 3600000 as winners_duration_hours,
    coalesce(losers_ms, 0)::double / 3600000 as losers_duration_hours,
    trades_after_win,
    trades_after_loss,
    coalesce(lots_after_win, 0)::double / 1000000 as lots_after_win,
    coalesce(lots_after_loss, 0)::double / 1000000 as lots_after_loss,
    coalesce(symbols, []) as symbols
from days
join reacting
    using (date, account_id)
left join symbols
    using (date, account_id)
