"""Thirteen leaks, each written as somebody in a hurry would write it, each into a table of its own. No tests here.

All stand in one pipeline with honest tables, so that one audit must tell them from one another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pyarrow as pa

from daily_profit_model.engine import Query, Source
from daily_profit_model.features.audit import Check
from daily_profit_model.features.audit.differences import ROWS
from daily_profit_model.features.pipeline import Step
from daily_profit_model.lake import Lake, read
from daily_profit_model.staging.accounts import accounts_query
from daily_profit_model.staging.trades import known_logins
from daily_profit_model.tables import Column, Table
from daily_profit_model.tables.contract import DAY, FLOAT, TEXT
from daily_profit_model.tables.raw import RAW_ACCOUNTS, RAW_MARKET_REGIMES, RAW_METRICS_DAILY, RAW_PLANS
from daily_profit_model.tables.staging import STAGING_ACCOUNTS
from daily_profit_model_tests.staging.firm_days import DORMANT_DAYS

HONEST = "features/honest"
LOOK_BACK = 5

_SQL = """
with account_days as (
    select *, round(net_profit * 100)::bigint as profit_cents
    from staging_accounts
    where date between $first_day - interval {back} day and $last_day
),
windows as (
    select
        *,
        (profit_cents + coalesce(lag(profit_cents, 1) over life, 0)) / 100.0 as pnl_sum_2d,
        {window} as in_window
    from account_days
    window life as (partition by account_id, first_seen_date order by date)
)
select date, account_id, leverage, pnl_sum_2d, {selected} as planted
from windows
{joined}
where date between $first_day and $last_day
    and is_eligible
"""


@dataclass(frozen=True)
class Leak:
    """A leaky table, and what the audit must say of it."""

    step: Step
    checks: tuple[Check, ...]
    """Checks that must find it, each for itself."""
    column: str = "planted"
    holds_target: bool = False
    """True: its values are the net profit of D+1, which the tripwire must suspect."""

    @property
    def table(self) -> str:
        return self.step.table.name


def features(
    name: str,
    window: str = "0.0",
    *,
    selected: str = "in_window",
    joined: str = "",
    back: int = LOOK_BACK,
    last: int = 0,
    more: tuple[Source, ...] = (),
    frames: Callable[[Lake], dict[str, pa.Table]] = lambda _: {},
) -> Step:
    """A small table of features: two honest columns and `planted`."""
    columns = (Column("date", DAY, "Day"), Column("account_id", TEXT, "Account"))
    values = (Column(value, FLOAT, value) for value in ("leverage", "pnl_sum_2d", "planted"))
    table = Table(name, "Small", ("date", "account_id"), (*columns, *values))
    sql = _SQL.format(window=window, selected=selected, joined=joined, back=back - 1)
    source = Source(STAGING_ACCOUNTS, first=1 - back, last=last, optional=last > 0)
    return Step(table, lambda lake: Query(sql, (source, *more), frames=frames(lake)))


def _lifetimes(lake: Lake) -> dict[str, pa.Table]:
    newest = lake.partitions(RAW_ACCOUNTS.name)[-1:]
    rows = read(lake, RAW_ACCOUNTS, newest, as_known="newest", columns=["account_id", "net_profit"])
    return {"lifetimes": rows.rename_columns(["account_id", "lifetime_profit"])}


def _terms_of_today(lake: Lake) -> dict[str, pa.Table]:
    newest = lake.partitions(RAW_PLANS.name)[-1:]
    rows = read(lake, RAW_PLANS, newest, as_known="newest", columns=["plan_id", "leverage"])
    return {"terms": rows.rename_columns(["plan_id", "leverage_of_plan"])}


def _in_new_york(query: Query) -> Query:
    """staging/accounts with the days of the metrics told by another clock; one day more is read to make up for it."""
    local = "(date::timestamp at time zone 'UTC' at time zone 'America/New_York')::date"
    read_there = f"from (select * replace ({local} as date) from raw_metrics_daily)"
    own = Source(SHIFTED, first=-1, last=-1, is_own_past=True, name=STAGING_ACCOUNTS.view_name)
    others = [source for source in query.sources if source.table not in (RAW_METRICS_DAILY, STAGING_ACCOUNTS)]
    metrics = Source(RAW_METRICS_DAILY, last=1, optional=True)
    return replace(query, sql=query.sql.replace("from raw_metrics_daily", read_there), sources=(*others, metrics, own))


SHIFTED = replace(STAGING_ACCOUNTS, name="staging/accounts_of_new_york")
TOMORROW = Source(RAW_METRICS_DAILY, first=1, last=1, optional=True)
NEWEST_METRICS = Source(RAW_METRICS_DAILY, as_known="newest")
NEWEST_REGIME = Source(RAW_MARKET_REGIMES, as_known="newest")

LEAKS = {
    "future shift": Leak(
        features("features/future_shift", "lead(profit_cents, 1) over life / 100.0"),
        ("truncated", "backfill"),
        holds_target=True,
    ),
    "same-day target": Leak(
        features(
            "features/same_day_target",
            selected="target.net_profit",
            joined="left join (select account_id, date - 1 as date, net_profit from raw_metrics_daily) as target "
            "using (account_id, date)",
            more=(TOMORROW,),
        ),
        ("truncated", "poisoned"),
        holds_target=True,
    ),
    "late correction": Leak(
        features(
            "features/late_correction",
            selected="metrics.net_profit",
            joined="left join (select account_id, date, net_profit from raw_metrics_daily) as metrics "
            "using (account_id, date)",
            more=(NEWEST_METRICS,),
        ),
        ("truncated", "poisoned"),
    ),
    "whole-sample scaling": Leak(
        features("features/scaled", "(equity - avg(equity) over ()) / stddev_samp(equity) over ()"),
        ("truncated", "backfill", "look-back"),
    ),
    "centred window": Leak(
        features("features/centred", "avg(profit_cents) over (life rows between 1 preceding and 1 following) / 100.0"),
        ("truncated", "backfill"),
    ),
    "today's plan terms": Leak(
        features(
            "features/terms_of_today",
            selected="leverage_of_plan",
            joined="left join terms using (plan_id)",
            frames=_terms_of_today,
        ),
        ("truncated", "poisoned"),
    ),
    "all-time join": Leak(
        features(
            "features/all_time",
            selected="lifetime_profit",
            joined="left join lifetimes using (account_id)",
            frames=_lifetimes,
        ),
        ("truncated", "poisoned"),
    ),
    "survivorship": Leak(
        features(
            "features/survivors",
            joined="semi join (select * from staging_accounts where is_eligible) as alive "
            "on alive.account_id = windows.account_id and alive.date = windows.date + 1",
            last=1,
        ),
        ("truncated", "poisoned"),
        column=ROWS,
    ),
    "back-filled gap": Leak(
        features(
            "features/gaps_filled",
            "first_value(open_pnl ignore nulls) over (life rows between current row and unbounded following)",
        ),
        ("truncated", "backfill"),
    ),
    "look-back too short": Leak(
        features(
            "features/short_look_back",
            "sum(profit_cents) over (life rows between 4 preceding and current row) / 100.0",
            back=3,
        ),
        ("backfill", "look-back"),
    ),
    "regime updated later": Leak(
        features(
            "features/late_regime",
            selected="sentiment_score",
            joined="left join raw_market_regimes using (date)",
            more=(NEWEST_REGIME,),
        ),
        ("truncated", "poisoned"),
    ),
    "timezone shift by a day": Leak(
        Step(SHIFTED, lambda _: _in_new_york(accounts_query(DORMANT_DAYS))),
        ("truncated", "poisoned"),
        column="net_profit",
        holds_target=True,
    ),
    "survivors among later identities": Leak(
        features(
            "features/still_known",
            selected="coalesce(still_known, 0.0)",
            joined="left join (select distinct account_id, 1.0::double as still_known from known_logins) as survivors "
            "using (account_id)",
            frames=lambda lake: {"known_logins": known_logins(lake)},
        ),
        ("poisoned",),
    ),
}

STAGING = Step(STAGING_ACCOUNTS, lambda _: accounts_query(DORMANT_DAYS))
HONEST_STEPS = (STAGING, features(HONEST, "equity / starting_balance"))
ALL_STEPS = (*HONEST_STEPS, *(leak.step for leak in LEAKS.values()))
