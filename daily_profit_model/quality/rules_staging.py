"""Rules of the staging layer: an account has one row a day and a state, a trade has its account."""

from __future__ import annotations

from daily_profit_model.engine import Query
from daily_profit_model.quality.expectation import between, unique
from daily_profit_model.quality.frame import Frame, newest, rows_of
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables.staging import STAGING_ACCOUNTS, STAGING_TRADES

UNRESOLVED_LIMIT = 0.10
"""Share of the day's trades. Trades of test accounts are never resolved: up to 4 % on sandbox weekends."""

_STATE_NEEDED = ("status", "starting_balance", "state_date")

_RESOLUTION = Frame(
    "staging/trades resolution",
    STAGING_TRADES,
    ("date",),
    Query(
        """
select
    date,
    count(*) as trades,
    count(*) filter (where not is_resolved) as unresolved,
    count(*) filter (where not is_resolved) / count(*) as unresolved_share
from staging_trades
where date between $first_day and $last_day
group by date
""",
        (newest(STAGING_TRADES),),
    ),
    measures=True,
)

STAGING_RULES = (
    Rule(
        id="accounts_have_state",
        table=STAGING_ACCOUNTS.name,
        dimension="completeness",
        severity="error",
        frame=rows_of(
            STAGING_ACCOUNTS,
            **{
                f"eligible_{name}": f"case when is_eligible then ({name} is not null)::int end"
                for name in _STATE_NEEDED
            },
        ),
        expectations=(
            unique(STAGING_ACCOUNTS.key),
            *(between(f"eligible_{name}", low=1, says=f"an eligible account has a {name}") for name in _STATE_NEEDED),
        ),
        reason="Features are lags over one row an account and day; money is also relative to the start.",
        advice="Look at the samples in raw/accounts and raw/metrics_daily; rebuild staging from the day on.",
    ),
    Rule(
        id="trades_resolved",
        table=STAGING_TRADES.name,
        dimension="referential",
        severity="warn",
        frame=_RESOLUTION,
        expectations=(between("unresolved_share", high=UNRESOLVED_LIMIT, says="nearly all trades have their account"),),
        reason="A trade without an account is missing from every feature of its trader.",
        advice="Accounts opened today appear tomorrow; if not, raw/accounts is incomplete: fetch it again.",
    ),
)
