-- staging/trades: trades of the day with their account, symbol class and session.
-- One account per (login, platform, broker) and day: the identity known by the day. A login that was not
-- known by then is looked up among those known now: of what is known later, identity alone may be used for
-- a past day (RISK_API.md). Trades of test accounts are kept out.
with identities as (
    select
        date,
        login,
        platform,
        broker,
        max(account_id) as account_id
    from (
        select date, login, platform, broker, account_id
        from staging_accounts
        union all
        select date, login, platform, broker, account_id
        from raw_metrics_daily
        union all
        select date, login, platform, broker, account_id
        from raw_accounts
    )
    where date between $first_day and $last_day
    group by all
),
trades as (
    select
        *,
        upper(trim(coalesce(std_symbol, trd_symbol))) as symbol
    from raw_trades_closed
    where date between $first_day and $last_day
)
select
    trades.date,
    trades.platform,
    trades.broker,
    trades.login,
    trades.position,
    trades.ticket,
    coalesce(identities.account_id, known_logins.account_id) as account_id,
    coalesce(identities.account_id, known_logins.account_id) is not null as is_resolved,
    trades.symbol,
    case
        when regexp_matches(trades.symbol, '^(XAU|XAG|XPT|XPD|GOLD|SILVER)') then 'metals'
        when regexp_matches(trades.symbol, '^(BTC|ETH|LTC|XRP|SOL|ADA|DOT|DOGE|BCH|BNB)') then 'crypto'
        when regexp_matches(trades.symbol, '(^(USO|UKO|XTI|XBR|XNG)|OIL|WTI|BRENT|NGAS|NATGAS)') then 'energy'
        when regexp_matches(trades.symbol, '^(SPX|US500|NDX|NAS|USTEC|US30|US100|DJ|GER|DE30|DE40|DAX|UK100|FTSE|JP225|JPN|EU50|STOXX|FRA40|AUS200|HK50|US2000|RUS)')
            then 'index'
        when regexp_matches(trades.symbol, '^(EUR|GBP|USD|JPY|CHF|AUD|NZD|CAD|SGD|SEK|NOK|MXN|ZAR|TRY|CNH|HKD|PLN)(EUR|GBP|USD|JPY|CHF|AUD|NZD|CAD|SGD|SEK|NOK|MXN|ZAR|TRY|CNH|HKD|PLN)')
            then 'forex'
        else 'other'
    end as symbol_class,
    case
        when hour(trades.open_time) < 8 or hour(trades.open_time) >= 22 then 'asia'
        when hour(trades.open_time) < 13 then 'london'
        else 'new_york'
    end as session,
    trades.side,
    trades.lots,
    trades.volume_usd,
    coalesce(trades.stop_loss, 0) <> 0 as has_stop_loss,
    coalesce(trades.take_profit, 0) <> 0 as has_take_profit,
    trades.open_time,
    trades.close_time,
    (epoch_ms(trades.close_time) - epoch_ms(trades.open_time))::double / 3600000 as duration_hours,
    trades.profit,
    coalesce(trades.commission, 0) as commission,
    coalesce(trades.commission, 0) + coalesce(trades.fee, 0) + coalesce(trades.swap, 0) as costs,
    trades.profit + (coalesce(trades.commission, 0) + coalesce(trades.fee, 0) + coalesce(trades.swap, 0)) as net_profit
from trades
left join identities
    on trades.date = identities.date
    and trades.login = identities.login
    and trades.platform = identities.platform
    and trades.broker = identities.broker
left join known_logins
    on trades.login = known_logins.login
    and trades.platform = known_logins.platform
    and trades.broker = known_logins.broker
where identities.account_id is not null
    or not coalesce(known_logins.is_test, false)
