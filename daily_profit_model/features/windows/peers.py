"""Where an account stands on a day among the eligible accounts of its plan type. Nothing later than the day."""

from __future__ import annotations

from daily_profit_model.engine import Stage

_PEERS = "partition by date, plan_type"


def _rank(value: str) -> str:
    """Share of the peers that are below it; ties share the lowest place. Null: no value, or no peer."""
    below = f"rank() over ({_PEERS} order by {value} nulls last) - 1"
    others = f"count({value}) over ({_PEERS}) - 1"
    return f"case when {value} is not null then ({below})::double / nullif({others}, 0) end"


PEERS = Stage(
    "peers",
    f"""with eligible as (
    select
        account_id,
        first_seen_date,
        date,
        plan_type,
        case when n_5 > 0 then s_5 end as profit_5,
        case when starting_balance > 0 then equity / starting_balance end as equity_to_start,
        x,
        traded
    from (
        select account_id, first_seen_date, date, plan_type, equity, starting_balance
        from staging_accounts
        where date in (select date from wanted_days)
            and is_eligible
            and plan_type is not null
    ) as account_days
    join profit_5
        using (account_id, first_seen_date, date)
    join profit_days
        using (account_id, first_seen_date, date)
)
select
    account_id,
    first_seen_date,
    date,
    {_rank("profit_5")} as profit_rank,
    {_rank("equity_to_start")} as equity_rank,
    -- sums of whole numbers, exact in any order
    sum(x) over ({_PEERS}) / nullif(count(x) over ({_PEERS}), 0) as peers_profit,
    sum(traded) over ({_PEERS}) / count(*) over ({_PEERS}) as peers_traded,
    count(*) over ({_PEERS}) as peers
from eligible""",
    {"staging_accounts": (0,), "profit_5": (0,), "profit_days": (0,)},
)
