"""Rules of the raw layer: nothing is lost on the way in, and records say nothing impossible."""

from __future__ import annotations

from daily_profit_model.engine import Query
from daily_profit_model.quality.expectation import at_least, between, equal, in_set, unique
from daily_profit_model.quality.frame import Frame, footer_counts, newest, rows_of
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import (
    RAW_ACCOUNTS,
    RAW_MARKET_BARS,
    RAW_MARKET_REGIMES,
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_PLANS,
    RAW_QUARANTINE,
    RAW_TRADES_CLOSED,
    RAW_TRADES_OPEN,
)

STATUSES = (1, 2, 3)
PHASES = (1, 2, 3, 4)
LOWEST_PLATFORM = 4
SIDES = ("buy", "sell")

QUARANTINE_LIMIT = 0.02
"""Share of a fetch. 40 % were once rejected for a date format and nobody saw it (PITFALLS); real rejects
are single rows, so that two in a hundred already mean a change of format."""

CORRECTED_SHARE = 0.10
"""Metrics of the newest days are preliminary: the service corrects up to 3 % of their rows for some days
(RISK_API.md; measured on the sandbox: 10 of 366). Three times that means that something else is wrong."""

CENT = 0.01

_FROM_API = (RAW_ACCOUNTS, RAW_METRICS_DAILY, RAW_METRICS_HOURLY, RAW_TRADES_CLOSED, RAW_TRADES_OPEN)
_FETCHED = (*_FROM_API, RAW_PLANS, RAW_MARKET_REGIMES, RAW_MARKET_BARS)

_ENUMS = (
    in_set("status", STATUSES, says="status is 1, 2 or 3"),
    in_set("phase", PHASES, says="phase is 1, 2, 3 or 4"),
    between("platform", LOWEST_PLATFORM, says="platform is 4 or more"),
)

_METRICS_AND_TRADES = Frame(
    "raw/metrics_daily against raw/trades_closed",
    RAW_METRICS_DAILY,
    RAW_METRICS_DAILY.key,
    Query(
        """
with trades as (
    select
        date,
        platform,
        broker,
        login,
        sum(profit + coalesce(commission, 0) + coalesce(fee, 0) + coalesce(swap, 0)) as net_profit
    from raw_trades_closed
    where date between $first_day and $last_day
    group by all
)
select
    metrics.date,
    metrics.platform,
    metrics.broker,
    metrics.login,
    metrics.account_id,
    metrics.net_profit,
    coalesce(trades.net_profit, 0) as net_profit_of_trades,
    round(metrics.net_profit - coalesce(trades.net_profit, 0), 2) as gap
from raw_metrics_daily as metrics
left join trades
    using (date, platform, broker, login)
where metrics.date between $first_day and $last_day
""",
        (newest(RAW_METRICS_DAILY), newest(RAW_TRADES_CLOSED)),
    ),
)


def _rows_accounted_for(table: Table) -> Rule:
    return Rule(
        id="rows_accounted_for",
        table=table.name,
        dimension="completeness",
        severity="error",
        blocking=True,
        frame=footer_counts(table),
        expectations=(
            equal(
                "received",
                "accounted",
                says="received = stored + quarantined + test accounts + repeated + late",
            ),
            equal("stored", "rows_in_file", says="the file holds as many rows as were stored"),
        ),
        reason="Nothing may be lost without a trace: a row that is not stored is quarantined or counted.",
        advice="Fetch the day again (dpm run --force). If it stays, the reader loses rows: mend it first.",
    )


def _no_schema_drift(table: Table) -> Rule:
    return Rule(
        id="schema_known",
        table=table.name,
        dimension="validity",
        severity="warn",
        frame=footer_counts(table),
        expectations=(
            between("unknown_fields", high=0, says="the service sends no field that the contract does not know"),
            between("unreadable", high=0, says="every value of an optional field can be read"),
        ),
        reason="A new field, or a value in a new form, is how a change of the service shows first.",
        advice="Which fields: unknown_fields and unreadable in the partition's metadata. Extend the contract.",
    )


RAW_RULES = (
    *(_rows_accounted_for(table) for table in _FETCHED),
    *(_no_schema_drift(table) for table in _FROM_API),
    Rule(
        id="accounts_valid",
        table=RAW_ACCOUNTS.name,
        dimension="validity",
        severity="error",
        frame=rows_of(RAW_ACCOUNTS, ("status", "phase")),
        expectations=(unique(RAW_ACCOUNTS.key), *_ENUMS),
        reason="Trades find their account through this table, and status and phase decide who is predicted.",
        advice="A new value of an enum: ask what it means and extend the set. Two rows: fetch again.",
    ),
    Rule(
        id="metrics_valid",
        table=RAW_METRICS_DAILY.name,
        dimension="validity",
        severity="error",
        frame=rows_of(RAW_METRICS_DAILY, ("status", "phase", "gross_profit", "gross_loss")),
        expectations=(
            unique(RAW_METRICS_DAILY.key),
            *_ENUMS,
            between("gross_profit", low=0, says="gross profit is not negative"),
            between("gross_loss", high=0, says="gross loss is not positive"),
        ),
        reason="The target and the state of every account come from these rows.",
        advice="Look at the samples in the service's own screens; a flipped sign is a changed export.",
    ),
    Rule(
        id="net_profit_equals_trades",
        table=RAW_METRICS_DAILY.name,
        dimension="consistency",
        severity="warn",
        frame=_METRICS_AND_TRADES,
        expectations=(
            between(
                "gap",
                -CENT,
                CENT,
                mostly=1 - CORRECTED_SHARE,
                says="net profit is the sum over the closed trades",
            ),
        ),
        reason="The target is the sum of profit, commission, fee and swap of the day's closed trades.",
        advice="Newest days: fetch again after the corrections. Older ones: one of the feeds is incomplete.",
    ),
    Rule(
        id="metrics_valid",
        table=RAW_METRICS_HOURLY.name,
        dimension="validity",
        severity="error",
        frame=rows_of(RAW_METRICS_HOURLY),
        expectations=(
            unique(RAW_METRICS_HOURLY.key),
            between("hour", 0, 23, says="hour is 0 to 23"),
        ),
        reason="An hour that is there twice counts twice in every sum over the day.",
        advice="Fetch the day again.",
    ),
    Rule(
        id="trades_valid",
        table=RAW_TRADES_CLOSED.name,
        dimension="validity",
        severity="error",
        frame=rows_of(RAW_TRADES_CLOSED, ("side", "lots", "open_time", "close_time")),
        expectations=(
            unique(RAW_TRADES_CLOSED.key),
            in_set("side", SIDES, says="side is buy or sell"),
            between("lots", low=0, says="lots are not negative"),
            at_least("close_time", "open_time", says="closed no earlier than opened"),
        ),
        reason="A trade that is there twice, or closes before it opens, spoils all statistics of its account.",
        advice="Look at the samples in the trading platform; many of one account point to a clock or an export.",
    ),
    Rule(
        id="quarantine_small",
        table=RAW_QUARANTINE.name,
        dimension="validity",
        severity="warn",
        frame=footer_counts(RAW_QUARANTINE, *_FETCHED),
        expectations=(
            between("quarantined_share", high=QUARANTINE_LIMIT, says="few of the received rows were rejected"),
        ),
        reason="Rejected rows are missing downstream; many of them mean that a format has changed.",
        advice="Read the reasons in raw/quarantine of the day; mend the reader, then fetch the day again.",
    ),
)
