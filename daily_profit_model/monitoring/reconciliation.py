"""Reconciliation: what the service holds against what is in the lake, and the raw tables of a day against one another.

Set-based, in sql/monitoring/reconciliation; the service is asked by `risk_api.counts`. Which disagreement is
an alarm is said by `quality.rules_reconciliation`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

import pyarrow as pa

from daily_profit_model.engine import Query, Source, run_table
from daily_profit_model.engine.sql_text import sql_text
from daily_profit_model.lake import Lake, PartitionFile
from daily_profit_model.risk_api.counts import Wanted
from daily_profit_model.risk_api.raw_tables import QUESTIONS
from daily_profit_model.staging.trades import known_logins
from daily_profit_model.tables.contract import DAY, FLAG, INT, TEXT
from daily_profit_model.tables.raw import (
    RAW_ACCOUNTS,
    RAW_MARKET_REGIMES,
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_PLANS,
    RAW_TRADES_CLOSED,
    RAW_TRADES_OPEN,
)
from daily_profit_model.tables.reconciliation import MONITORING_RECONCILIATION

SQL = sql_text("monitoring/reconciliation")
RECONCILED = (
    RAW_PLANS,
    RAW_ACCOUNTS,
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_TRADES_CLOSED,
    RAW_TRADES_OPEN,
    RAW_MARKET_REGIMES,
)
OWN_DAY = tuple(Source(table, as_known="newest", optional=True) for table in RECONCILED)
"""What a day is made from, as its footer records it: a revision of any of these makes it new."""

REFERENCE_DAYS = 28
"""Four weeks: every weekday four times."""
FEWEST_REFERENCES = 100
"""Account-days among which the fewest hours are looked for. One more of the same kind has fewer than all of
them with a probability below 1 in 101, as any of them is equally likely to be the smallest."""
SMALL_TRADES, SMALL_SHARE = 1, 0.10
"""A count of trades that is off by no more is a warning: one trade at the edge of a day, or less than a tenth,
leaves an account's statistics nearly as they are. More is an error."""
CENTS = 1
"""Sums of rounded numbers may differ by so much."""
DAYS_TOGETHER = 30
"""Days that one query compares: 30,000 trades a day keep it within 0.5 GB."""

_HELD = pa.schema(
    [
        ("date", DAY),
        ("table_name", TEXT),
        ("is_there", FLAG),
        ("service_rows", INT),
        ("our_rows", INT),
        ("test_rows", INT),
        ("went", TEXT),
    ]
)


def wanted_counts(days: Sequence[str]) -> list[Wanted]:
    """What to ask the service for the reconciliation of `days`."""
    return [(table, date.fromisoformat(day)) for day in days for table in QUESTIONS]


def reconcile(
    lake: Lake, service_rows: Mapping[Wanted, int], days: Sequence[str], *, final_until: date
) -> Iterator[tuple[str, pa.Table]]:
    """monitoring/reconciliation of each of `days` (ascending), whether or not raw partitions of it are there.

    `service_rows`: the service's totals now. `final_until`: the last day that the service corrects no more;
    profits that differ on later ones are warnings.
    """
    logins = known_logins(lake)
    complete = lake.partitions(RAW_METRICS_DAILY.name)
    for first in range(0, len(days), DAYS_TOGETHER):
        together = days[first : first + DAYS_TOGETHER]
        query = Query(
            SQL,
            _sources(complete, together[0]),
            parameters={
                "final_until": final_until,
                "reference_days": REFERENCE_DAYS,
                "fewest_references": FEWEST_REFERENCES,
                "small_trades": SMALL_TRADES,
                "small_share": SMALL_SHARE,
                "cents": CENTS,
            },
            frames={
                "held": _held(lake, service_rows, together),
                "known_logins": logins,
                "complete_days": pa.table({"date": pa.array(complete, TEXT).cast(DAY)}),
            },
        )
        yield from run_table(query, lake, MONITORING_RECONCILIATION, together).items()


def _sources(complete: Sequence[str], first: str) -> tuple[Source, ...]:
    """The day's tables, and the past that lifetimes and the usual number of hours are told by."""
    start = date.fromisoformat(first)
    history = (start - date.fromisoformat(complete[0])).days if complete else 0
    looks_back = {
        RAW_METRICS_DAILY.name: max(history, REFERENCE_DAYS),
        RAW_METRICS_HOURLY.name: REFERENCE_DAYS,
    }
    return tuple(
        Source(table, first=-looks_back.get(table.name, 0), as_known="newest", optional=True)
        for table in (RAW_ACCOUNTS, RAW_METRICS_DAILY, RAW_METRICS_HOURLY, RAW_TRADES_CLOSED)
    )


def _held(lake: Lake, service_rows: Mapping[Wanted, int], days: Sequence[str]) -> pa.Table:
    """A row a table and day: what the service holds, and what the newest fetch received."""
    rows = []
    for day in days:
        for table in RECONCILED:
            file = lake.describe(table.name, day, "newest")
            rows.append(
                {
                    "date": date.fromisoformat(day),
                    "table_name": table.name,
                    "is_there": file is not None,
                    "service_rows": service_rows.get((table.name, date.fromisoformat(day))),
                    **_received(file),
                }
            )
    return pa.Table.from_pylist(rows, schema=_HELD)


def _received(file: PartitionFile | None) -> dict[str, object]:
    """The distinct rows of a fetch, wherever they went; a repeated one is there already."""
    if file is None:
        return {"our_rows": None, "test_rows": 0, "went": None}
    went = {name: int(str(file.facts.get(name, 0))) for name in ("stored", "quarantined", "test_accounts")}
    told = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in went.items())
    return {"our_rows": sum(went.values()), "test_rows": went["test_accounts"], "went": told}


def final_until(newest: date, correction_days: int) -> date:
    """The last day whose corrections are over, once the days before `newest` (complete) have been read again."""
    return newest - timedelta(days=correction_days)
