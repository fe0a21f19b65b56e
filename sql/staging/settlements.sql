-- What the service's row of a day settles about an account. An account without a row on a complete day
-- did not trade: a true zero (that is the reader's join to say). Read by training, outcomes and conformity.
select
    date,
    account_id,
    case
        when coalesce(num_trades > 0, net_profit <> 0, false) then 'traded'
        when status <> 1 then 'closed'
        else 'idle'
    end as settlement,
    case
        when coalesce(num_trades > 0, net_profit <> 0, false) then net_profit
        when status <> 1 then null
        -- no trade is a true zero; a row that gives neither number says nothing (PITFALLS L9)
        when num_trades = 0 then 0
        else net_profit
    end as net_profit
from (
    -- an account may trade under several logins: profit and trades are its sum, in whole cents
    select * replace (
        case
            when count(*) over account_day = 1 then net_profit
            when count(net_profit) over account_day > 0
                then (sum(round(net_profit * 100)::hugeint) over account_day)::double / 100
        end as net_profit,
        (sum(num_trades) over account_day)::bigint as num_trades
    )
    from raw_metrics_daily
    window account_day as (partition by account_id, date)
    qualify row_number() over (partition by account_id, date order by login, platform, broker) = 1
) as account_days
