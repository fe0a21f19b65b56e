"""Rules of the raw feeds as feeds: a day that repeats the day before, and one that comes late.

Both look healthy row by row. What the rows say is judged in `rules_raw` and its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence

from daily_profit_model.engine import Query, Source
from daily_profit_model.quality.expectation import between
from daily_profit_model.quality.frame import Frame, arrivals
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import (
    RAW_MARKET_REGIMES,
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_TRADES_CLOSED,
    RAW_TRADES_OPEN,
)
from daily_profit_model.tables.raw_regimes import INSTRUMENTS

REPEATED_LIMIT = 0.5
"""Share of the rows: two days on which half of the accounts made the same to the cent are one day served twice."""

FEWEST_REPEATED = 5
"""Rows below which two quiet days may agree by chance."""

LATE_HOURS = 1.0
"""Hours after its usual time: predictions must be there an hour after the cut-off, and need every feed."""


def _against_the_day_before(table: Table, same: Sequence[str], where: str) -> Frame:
    """How many of the day's rows (`where`) equal one of the day before in all of `same`."""
    text = f"""
with own as (
    select date, {", ".join(same)}
    from {table.view_name}
    where {where}
)
select
    today.date,
    count(*) as rows,
    count(before.date) as repeated,
    case when count(*) >= {FEWEST_REPEATED} then count(before.date) / count(*) end as repeated_share
from own as today
left join (select distinct date + 1 as next_day, * from own) as before
    on before.next_day = today.date
    and {" and ".join(f"before.{name} is not distinct from today.{name}" for name in same)}
where today.date between $first_day and $last_day
group by today.date
"""
    sources = (Source(table, first=-1, last=0, as_known="newest", optional=True),)
    return Frame(f"{table.name} against the day before", table, ("date",), Query(text, sources), measures=True)


_PRICES = [f"{symbol.lower()}_last_price" for symbol in INSTRUMENTS]
_REGIMES = Frame(
    "raw/market_regimes against the day before",
    RAW_MARKET_REGIMES,
    ("date",),
    Query(
        f"""
select
    today.date,
    {" + ".join(f"coalesce((today.{name} <> before.{name})::int, 0)" for name in _PRICES)} as moved,
    {" + ".join(f"(today.{name} is not null and before.{name} is not null)::int" for name in _PRICES)} as both_known,
    case when both_known > 0 then (moved = 0)::int end as is_repeated
from raw_market_regimes as today
join raw_market_regimes as before
    on before.date = today.date - 1
where today.date between $first_day and $last_day
""",
        (Source(RAW_MARKET_REGIMES, first=-1, last=0, as_known="newest", optional=True),),
    ),
    measures=True,
)

_ACTED = "num_trades > 0"
_MADE = ("platform", "broker", "login", "num_trades", "net_profit", "gross_profit", "gross_loss", "total_lots")
_FROZEN = (
    (RAW_METRICS_DAILY, _MADE, _ACTED),
    (RAW_METRICS_HOURLY, ("hour", *_MADE), _ACTED),
    (RAW_TRADES_CLOSED, ("platform", "broker", "login", "position", "ticket", "close_time", "profit"), "true"),
)


def _not_frozen(table: Table, same: Sequence[str], where: str) -> Rule:
    return Rule(
        id="day_not_frozen",
        table=table.name,
        dimension="timeliness",
        severity="error",
        frame=_against_the_day_before(table, same, where),
        expectations=(
            between(
                "repeated_share",
                high=REPEATED_LIMIT,
                says="the day does not repeat the day before",
                shows=("repeated", "rows"),
            ),
        ),
        reason=f"A feed that serves yesterday once more looks whole. {REPEATED_LIMIT:.0%} of {FEWEST_REPEATED} or more "
        "rows that agree to the cent are no chance.",
        advice="Ask the service whether it has moved on; fetch the day again (dpm ingest FEED --force) when it has.",
    )


def _in_time(table: Table) -> Rule:
    return Rule(
        id="arrives_in_time",
        table=table.name,
        dimension="timeliness",
        severity="warn",
        frame=arrivals(table),
        expectations=(
            between(
                "later_than_usual_h",
                high=LATE_HOURS,
                says="the day came no later than an hour after its usual time",
                shows=("arrived_after_h", "usually_after_h"),
            ),
        ),
        reason="Predictions wait for the last of the feeds. The usual time is the median of the two weeks before; days "
        "that were filled later than on their morning tell nothing, and are not judged.",
        advice="Look at monitoring/feed_health of the morning: was the service slow, or was the run started late?",
    )


FEED_RULES = (
    *(_not_frozen(table, same, where) for table, same, where in _FROZEN),
    Rule(
        id="day_not_frozen",
        table=RAW_MARKET_REGIMES.name,
        dimension="timeliness",
        severity="error",
        frame=_REGIMES,
        expectations=(
            between("is_repeated", high=0, says="some price has moved since the day before", shows=("both_known",)),
        ),
        reason="Ten prices, two of them traded on every day of the week, do not all stand still.",
        advice="Look who writes the documents; the day's regime counts as known as it stands.",
    ),
    *(
        _in_time(table)
        for table in (RAW_METRICS_DAILY, RAW_METRICS_HOURLY, RAW_TRADES_CLOSED, RAW_TRADES_OPEN, RAW_MARKET_REGIMES)
    ),
)
