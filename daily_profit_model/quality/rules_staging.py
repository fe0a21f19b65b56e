"""Rules of the staging layer: an account has one row a day and a state, a trade has its account."""

from __future__ import annotations

from daily_profit_model.engine import Query, Source
from daily_profit_model.quality.conditions import missing, named
from daily_profit_model.quality.expectation import (
    Expectation,
    absent,
    at_least,
    between,
    in_set,
    not_in_set,
    pair_in_set,
    unique,
)
from daily_profit_model.quality.frame import Frame, newest, rows_of
from daily_profit_model.quality.rule import Dimension, Rule, Severity
from daily_profit_model.quality.rules_finite import finite_rule
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import RAW_METRICS_DAILY
from daily_profit_model.tables.staging import STAGING_ACCOUNTS, STAGING_TRADES

UNRESOLVED_LIMIT = 0.10
"""Share of the day's trades. Trades of test accounts are never resolved: up to 4 % on sandbox weekends."""

OLDEST_STATE = 90
"""Days since the state or the last trade. Plans end an account after 14 to 60 idle days (RISK_API.md: 30 for 88 %),
which its row then says; on the sandbox no eligible account's state is older than 30 days."""

TERMS_SHARE = 0.95
"""Share of the eligible accounts whose plan's terms are known. The plan files are put in place by hand, so a few
new plans may come late; one account in twenty without limits means that a file is missing."""

OTHER_SHARE = 0.05
"""Share of the trades in the class `other`: an instrument nobody has classed, exotic by definition. None on the
sandbox; one trade in twenty means that symbols are written in another way."""

SYMBOL_CLASSES = ("forex", "metals", "index", "crypto", "energy", "other")
SESSIONS = ("asia", "london", "new_york")
STATE_SOURCES = ("metrics", "snapshot", "carried", "position")

SUM_TOLERANCE = 1e-6
"""USD. A sum of four doubles of some thousands is off by less than a millionth."""

_STATE_NEEDED = ("status", "starting_balance", "state_date")
_DATES = ("state_date", "first_seen_date", "last_trade_date", "equity_high_date", "first_trade_date")

_ACCOUNTS = rows_of(
    STAGING_ACCOUNTS,
    ("state_source", "status", "equity_high", "equity"),
    **{f"eligible_{name}": f"case when is_eligible then ({name} is not null)::int end" for name in _STATE_NEEDED},
    eligible="case when is_eligible then 'yes' else 'no' end",
    reason_given="coalesce(ineligible_reason, 'none')",
    living_status="case when is_eligible then coalesce(status, 0) end",
    # counted for those to be predicted
    state_age="case when is_eligible then date - greatest(state_date, last_trade_date) end",
    not_positive="case when is_eligible then "
    f"{named({name: f'{name} <= 0' for name in ('starting_balance', 'balance', 'equity')})} end",
    terms_missing=f"case when is_eligible then {missing(('plan_valid_from',))} end",
    later_dates=named({name: f"{name} > date" for name in _DATES}),
    idle_but=named(
        {
            "net_profit": "not has_traded and net_profit <> 0",
            "trades_closed": "not has_traded and trades_closed <> 0",
            "last_trade_date": "has_traded and last_trade_date <> date",
        }
    ),
    impossible_counters=named(
        {
            "open_positions": "open_positions < 0",
            "open_pnl": "(open_pnl is not null) <> (open_positions > 0)",
            "active_trading_days": "active_trading_days < has_traded::int",
            "active_days_at_last_non_win": "active_days_at_last_non_win not between 0 and active_trading_days",
            "active_days_at_last_non_loss": "active_days_at_last_non_loss not between 0 and active_trading_days",
        }
    ),
)

_COPIED = {
    "net_profit": "net_profit",
    "trades_closed": "num_trades",
    "status": "status",
    "phase": "phase",
    "plan_id": "plan_id",
    "starting_balance": "starting_balance",
    "balance": "current_balance",
    "equity": "current_equity",
    "approved_payouts": "approved_payouts",
    "pending_payouts": "pending_payouts",
}
"""Columns that staging takes from the day's metrics as they are, by their names there."""

_AGAINST_METRICS = Frame(
    f"{STAGING_ACCOUNTS.name} against {RAW_METRICS_DAILY.name}",
    STAGING_ACCOUNTS,
    STAGING_ACCOUNTS.key,
    Query(
        f"""
with metrics as (
    select *
    from raw_metrics_daily
    where date between $first_day and $last_day
    -- of an account with several logins staging has sums
    qualify count(*) over (partition by date, account_id) = 1
)
select
    date,
    account_id,
    accounts.net_profit,
    metrics.net_profit as net_profit_of_metrics,
    {
            named(
                {
                    ours: f"metrics.{theirs} is not null and accounts.{ours} is distinct from metrics.{theirs}"
                    for ours, theirs in _COPIED.items()
                }
            )
        } as differing
from staging_accounts as accounts
join metrics
    using (date, account_id)
where date between $first_day and $last_day
    and accounts.state_source = 'metrics'
""",
        # as known at the cut-off: that is what staging is made from
        (newest(STAGING_ACCOUNTS), Source(RAW_METRICS_DAILY, optional=True)),
    ),
)

_TRADES = rows_of(
    STAGING_TRADES,
    ("symbol_class", "session", "duration_hours", "close_time", "open_time"),
    sum_gap="abs(net_profit - profit - costs)",
    missing_columns=missing(("symbol_class", "session")),
    half_resolved="case when is_resolved <> (account_id is not null) then coalesce(account_id, 'none') end",
)

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


def _rule(
    table: Table,
    frame: Frame,
    rule_id: str,
    dimension: Dimension,
    severity: Severity,
    expectations: tuple[Expectation, ...],
    reason: str,
    advice: str,
) -> Rule:
    return Rule(rule_id, table.name, dimension, severity, frame, expectations, reason, advice)


def _of_accounts(
    rule_id: str,
    dimension: Dimension,
    severity: Severity,
    expectations: tuple[Expectation, ...],
    reason: str,
    advice: str,
) -> Rule:
    return _rule(STAGING_ACCOUNTS, _ACCOUNTS, rule_id, dimension, severity, expectations, reason, advice)


STAGING_RULES = (
    finite_rule(STAGING_ACCOUNTS),
    finite_rule(STAGING_TRADES),
    _of_accounts(
        "accounts_have_state",
        "completeness",
        "error",
        (
            unique(STAGING_ACCOUNTS.key),
            *(between(f"eligible_{name}", low=1, says=f"an eligible account has a {name}") for name in _STATE_NEEDED),
        ),
        "Features are lags over one row an account and day; money is also relative to the start.",
        "Look at the samples in raw/accounts and raw/metrics_daily; rebuild staging from the day on.",
    ),
    _of_accounts(
        "eligibility_agrees",
        "consistency",
        "error",
        (
            pair_in_set(
                "eligible",
                "reason_given",
                [("yes", "none"), *(("no", why) for why in ("ended", "inactive", "state_unknown"))],
                says="who is not eligible has a reason, and who is has none",
            ),
            in_set("living_status", (0, 1), says="no eligible account has ended"),
            in_set("state_source", STATE_SOURCES, says="the state comes from a source that is known"),
        ),
        "One rule of eligibility serves training and prediction (L1, L10): both read this flag.",
        "The query of staging/accounts contradicts itself: correct it, and rebuild staging from the day on.",
    ),
    _of_accounts(
        "state_fresh",
        "timeliness",
        "warn",
        (between("state_age", high=OLDEST_STATE, says="no eligible account is carried on for more than 90 days"),),
        "A state carried on for so long is that of an account that ended without a row to say so.",
        "Look at the account in the service's own screens; its plan lacks a period of inactivity, perhaps.",
    ),
    _of_accounts(
        "balances_positive",
        "validity",
        "warn",
        (absent("not_positive", says="an eligible account has balances above zero"),),
        "The firm closes an account long before its balance is gone; zero is a field that was not filled.",
        "Compare with raw/metrics_daily of the state's date.",
    ),
    _of_accounts(
        "terms_known",
        "referential",
        "warn",
        (
            absent(
                "terms_missing", says="the plan's terms are known of nearly all eligible accounts", mostly=TERMS_SHARE
            ),
        ),
        "Distances to limits, peers and the eligibility of idle accounts are made from the plan's terms.",
        "Put a newer file of plans into the plans folder, load the day's plans again, rebuild staging.",
    ),
    _of_accounts(
        "nothing_from_the_future",
        "timeliness",
        "error",
        (absent("later_dates", says="no date of a row lies after its day"),),
        "What happens after the day is not known on it (L2, L3).",
        "Look at the field in raw/metrics_daily and raw/accounts of the day; rebuild staging from the day on.",
    ),
    _of_accounts(
        "idle_is_zero",
        "consistency",
        "error",
        (absent("idle_but", says="without a trade the day's profit is zero, and with one it is the last trading day"),),
        "No trade is a true zero (L9); a profit without a trade is in no count of trading days.",
        "Look at the account's row in raw/metrics_daily: profit and count of trades contradict each other.",
    ),
    _rule(
        STAGING_ACCOUNTS,
        _AGAINST_METRICS,
        "state_as_told",
        "consistency",
        "error",
        (absent("differing", says="an account's state is what its metrics of the day say"),),
        "Target, balance and eligibility are read here: what differs from its source was changed or mixed up.",
        "Rebuild staging from the day on; if it stays, the query of staging/accounts is wrong.",
    ),
    _of_accounts(
        "high_holds",
        "consistency",
        "error",
        (at_least("equity_high", "equity", says="the highest equity is not below the equity"),),
        "Trailing drawdown is measured from the high: one below the equity promises room that is not there.",
        "Rebuild staging from the account's first day on: the high is carried from day to day.",
    ),
    _of_accounts(
        "counters_possible",
        "consistency",
        "error",
        (absent("impossible_counters", says="counts of positions and trading days contain one another"),),
        "Streaks and open risk are read from these counters, which are carried from day to day.",
        "Rebuild staging from the first of the days that fail.",
    ),
    _rule(
        STAGING_TRADES,
        _TRADES,
        "trades_valid",
        "validity",
        "error",
        (
            unique(STAGING_TRADES.key),
            absent("missing_columns", says="every trade has its class and its session"),
            in_set("symbol_class", SYMBOL_CLASSES, says="the class is one of the classes"),
            in_set("session", SESSIONS, says="the session is one of the sessions"),
            between("duration_hours", low=0, says="no trade was held for less than no time"),
            between("sum_gap", high=SUM_TOLERANCE, says="net profit is profit and costs"),
            absent("half_resolved", says="a trade is resolved when its account is known, and only then"),
        ),
        "Features count trades by class, session and account, and add up their net profit.",
        "The query of staging/trades is wrong: correct it, and rebuild the day.",
    ),
    _rule(
        STAGING_TRADES,
        _TRADES,
        "symbols_classed",
        "referential",
        "warn",
        (
            not_in_set(
                "symbol_class",
                ("other",),
                mostly=1 - OTHER_SHARE,
                says="nearly all trades are in a class that is known",
            ),
        ),
        "A trade in `other` is in no share of a class, so the classes of its account add up to less than one.",
        "Which symbols: staging/trades of the day, class `other`. Class them in sql/staging/trades.",
    ),
    _rule(
        STAGING_TRADES,
        _RESOLUTION,
        "trades_resolved",
        "referential",
        "warn",
        (between("unresolved_share", high=UNRESOLVED_LIMIT, says="nearly all trades have their account"),),
        "A trade without an account is missing from every feature of its trader.",
        "Accounts opened today appear tomorrow; if not, raw/accounts is incomplete: fetch it again.",
    ),
)
