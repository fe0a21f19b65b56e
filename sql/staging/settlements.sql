-- What the service's row of a day settles about an account. An account without a row on a complete day
-- did not trade: a true zero (that is the reader's join to say). Read by training, outcomes and conformity.
select
    date,
    account_id,
    case
        when has_traded then 'traded'
        when status <> 1 then 'closed'
        else 'idle'
    end as settlement,
    case
        when has_traded then net_profit
        when status <> 1 then null
        -- no trade is a true zero; a row that gives neither number says nothing (PITFALLS L9)
        when num_trades = 0 then 0
        else net_profit
    end as net_profit
from (
    {staging/account_days}
) as account_days
