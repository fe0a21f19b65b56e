"""Which endpoint and question fills each raw table, and how all-time rows become the rows of a day.

Asking belongs to `asking`, how pages are made complete to `paging`, how rows are read to `decode`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

import pyarrow as pa

from daily_profit_model.risk_api.client import Params
from daily_profit_model.risk_api.decoded import Decoded
from daily_profit_model.tables.contract import DAY, FLAG, Table
from daily_profit_model.tables.raw import (
    RAW_ACCOUNTS,
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_TEST_LOGINS,
    RAW_TRADES_CLOSED,
    RAW_TRADES_OPEN,
)
from daily_profit_model.tables.raw_fields import IDENTITY

PAGE_LIMIT = 1000
"""Rows a page, the most that the service gives."""


def _dates(days: Sequence[date]) -> Params:
    return {"dates": ",".join(f"{day:%Y%m%d}" for day in days)}


def _trade_dates(days: Sequence[date]) -> Params:
    if len(days) == 1:
        return {"trade-date": f"{days[0]:%Y%m%d}"}
    return {"trade-date-from": f"{days[0]:%Y%m%d}", "trade-date-to": f"{days[-1]:%Y%m%d}"}


@dataclass(frozen=True)
class Question:
    """What is asked of the service for consecutive days of one table."""

    table: Table
    endpoint: str
    params: Callable[[Sequence[date]], Params]


QUESTIONS = {
    question.table.name: question
    for question in (
        Question(RAW_METRICS_DAILY, "v2/metrics/daily", _dates),
        Question(RAW_METRICS_HOURLY, "v2/metrics/hourly", _dates),
        Question(RAW_TRADES_CLOSED, "v2/trades/closed", _trade_dates),
        Question(RAW_TRADES_OPEN, "v2/trades/open", _trade_dates),
    )
}


ALL_TIME = Question(RAW_ACCOUNTS, "v2/metrics/alltime", lambda _: {})
"""Every account as it is now: no day can be asked for."""


def stamp(decoded: Decoded, day: date, *, is_live: bool) -> Decoded:
    """Decoded accounts as the rows of `day`: one decoding serves many days."""
    rows: pa.Table = decoded.rows
    rejected = decoded.quarantined
    kept = {"date": _constant(rows, day, DAY), "is_live": _constant(rows, is_live, FLAG)}
    kept |= {column.name: rows[column.name] for column in IDENTITY}
    columns = [
        kept[name] if name in kept else rows[name] if is_live else pa.nulls(rows.num_rows, kind)
        for name, kind in zip(rows.schema.names, rows.schema.types, strict=True)
    ]
    return replace(
        decoded,
        rows=pa.table(columns, schema=rows.schema),
        quarantined=rejected.set_column(0, "date", _constant(rejected, day, DAY)),
        requests=decoded.requests if is_live else 0,  # one answer for many days is counted once
    )


def _constant(rows: pa.Table, value: date | bool, kind: pa.DataType) -> pa.Array:
    return pa.repeat(pa.scalar(value, kind), rows.num_rows)


def logins_of_tests(decoded: Decoded, day: date) -> pa.Table:
    """Rows of raw/test_logins for `day` from decoded accounts."""
    platforms, brokers, logins = zip(*decoded.test_logins, strict=True) if decoded.test_logins else ((), (), ())
    columns = [[day] * len(logins), platforms, brokers, logins]
    return pa.table(columns, schema=RAW_TEST_LOGINS.schema())
