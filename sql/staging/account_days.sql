-- Daily metrics, one row per account and day: an account may trade under several logins. Profit and trades
-- are its sum, in whole cents; all else is that of its first login.
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
