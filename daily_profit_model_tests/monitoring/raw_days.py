"""Raw days by hand in which everything adds up, and the service's counts of them. No tests here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from daily_profit_model.lake import Lake, write_revision
from daily_profit_model.monitoring.reconciliation import RECONCILED, reconcile
from daily_profit_model.risk_api.counts import Wanted
from daily_profit_model.risk_api.raw_tables import QUESTIONS

Record = dict[str, Any]
FIRST = date(2026, 3, 2)
FINAL = FIRST + timedelta(days=60)
BY_NAME = {table.name: table for table in RECONCILED}


def day(offset: int) -> str:
    return (FIRST + timedelta(days=offset)).isoformat()


def login(account: str) -> Record:
    return {"platform": 5, "broker": 1, "login": f"login-{account}"}


def identity(account: str) -> Record:
    return {**login(account), "account_id": account}


@dataclass
class Day:
    """What the raw tables of a day hold; `facts` are counts that differ from what is stored."""

    rows: dict[str, list[Record]]
    facts: dict[str, dict[str, int]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


def good_day(offset: int, *, accounts: Sequence[str] = ("a", "b"), trades: int = 3, live: bool = False) -> Day:
    """Every account closes `trades` trades of 10.05 USD net, two an hour from 09:00 on; account `idle` none."""
    noon = datetime.combine(FIRST + timedelta(days=offset), datetime.min.time(), UTC)
    closed, hourly = [], []
    for account in accounts:
        for number in range(trades):
            at = noon + timedelta(hours=9 + number // 2)
            closed.append(
                {**login(account), "position": str(number), "side": "buy", "lots": 1.0, "open_time": at,
                 "close_time": at + timedelta(minutes=30), "profit": 10.30, "commission": -0.2, "swap": -0.05}
            )  # fmt: skip
        for hour in range((trades + 1) // 2):
            count = min(2, trades - 2 * hour)
            hourly.append(
                {**identity(account), "hour": 9 + hour, "num_trades": count, "net_profit": round(10.05 * count, 2)}
            )
    of_day = [
        {**identity(account), "num_trades": trades, "net_profit": round(10.05 * trades, 2)} for account in accounts
    ]
    lives = [
        {**identity(account), "is_live": live, "num_trades": trades * (offset + 1) if live else None,
         "first_trade_date": datetime(2026, 3, 2, tzinfo=UTC) if live else None,
         "last_trade_close": noon + timedelta(hours=10) if live else None}
        for account in accounts
    ]  # fmt: skip
    return Day(
        {
            "raw/plans": [],
            "raw/market_regimes": [],
            "raw/accounts": [*lives, {**identity("idle"), "is_live": live, "num_trades": 0 if live else None}],
            "raw/metrics_daily": [*of_day, {**identity("idle"), "num_trades": 0, "net_profit": None}],
            "raw/metrics_hourly": hourly,
            "raw/trades_closed": closed,
            "raw/trades_open": [],
        }
    )


def store(lake: Lake, offset: int, made: Day) -> None:
    """Write the day's tables, each with a footer that counts what a truthful fetch would have counted."""
    today = FIRST + timedelta(days=offset)
    for name, records in made.rows.items():
        if name in made.missing:
            continue
        table = BY_NAME[name]
        complete = [{**dict.fromkeys(table.column_names), **record, "date": today} for record in records]
        rows = pa.Table.from_pylist(complete, schema=table.schema())
        facts = {"received": len(records), "stored": len(records), "quarantined": 0, "test_accounts": 0}
        at = datetime.combine(today + timedelta(days=1), datetime.min.time(), UTC)
        write_revision(
            lake, table, today.isoformat(), rows, ingested_at=at, code_version="1",
            facts=facts | made.facts.get(name, {}),
        )  # fmt: skip


def counted(made: Mapping[int, Day]) -> dict[Wanted, int]:
    """What a service that holds exactly these rows counts."""
    return {
        (table, FIRST + timedelta(days=offset)): len(of_day.rows[table])
        for offset, of_day in made.items()
        for table in QUESTIONS
    }


def findings(
    lake: Lake, made: Mapping[int, Day], offset: int, *, counts: Mapping[Wanted, int] | None = None, final: date = FINAL
) -> list[Record]:
    """The findings of one day, once all days are stored."""
    rows = rows_of(lake, made, offset, counts=counts, final=final)
    return [row for row in rows if row["finding"] != "summary"]


def rows_of(
    lake: Lake, made: Mapping[int, Day], offset: int, *, counts: Mapping[Wanted, int] | None = None, final: date = FINAL
) -> list[Record]:
    """All rows of monitoring/reconciliation of one day, once all days are stored."""
    for number, of_day in made.items():
        store(lake, number, of_day)
    held = counted(made) if counts is None else counts
    ((_, rows),) = reconcile(lake, held, [day(offset)], final_until=final)
    found: list[Record] = rows.sort_by([("table_name", "ascending"), ("login", "ascending")]).to_pylist()
    return found
