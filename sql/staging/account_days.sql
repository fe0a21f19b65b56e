-- Daily metrics, one row per account and day: an account may trade under several logins. Profit and trades
-- are its sum, in whole cents, and unknown where one login's are; it has traded where one login has. All else
-- is that of its first living login: an account has ended when all of its logins have.
select
    * exclude (said) replace (
        case
            when count(*) over account_day = 1 then net_profit
            when count(said) over account_day = count(*) over account_day
                then (sum(round(said * 100)::hugeint) over account_day)::double / 100
        end as net_profit,
        case
            when count(num_trades) over account_day = count(*) over account_day
                then (sum(num_trades) over account_day)::bigint
        end as num_trades
    ),
    bool_or(coalesce(num_trades > 0, net_profit <> 0, false)) over account_day as has_traded
from (
    -- no trade is a true zero; a row that gives neither number says nothing (PITFALLS L9)
    select *, coalesce(net_profit, case when num_trades = 0 then 0 end) as said
    from raw_metrics_daily
) as login_days
window account_day as (partition by account_id, date)
qualify row_number() over (
    partition by account_id, date
    order by coalesce(status = 1, false) desc, coalesce(status <> 1, false), login, platform, broker
) = 1
