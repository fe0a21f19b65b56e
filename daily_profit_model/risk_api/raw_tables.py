"""Which endpoint and question fills each raw table, and the fetch of one table's day.

How pages are made complete belongs to `paging`, how rows are read to `decode`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pyarrow as pa

from daily_profit_model.risk_api.client import Params, RiskApi
from daily_profit_model.risk_api.days import split_by_day
from daily_profit_model.risk_api.decode import Decoded, decode, decode_clean_days
from daily_profit_model.risk_api.paging import Pages, fetch_all
from daily_profit_model.tables.contract import DAY, FLAG, Table
from daily_profit_model.tables.raw import (
    RAW_ACCOUNTS,
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_TRADES_CLOSED,
    RAW_TRADES_OPEN,
)
from daily_profit_model.tables.raw_fields import IDENTITY

PAGE_LIMIT = 1000
"""Rows a page, the most that the service gives."""


DAYS_A_QUESTION = 10
"""Enough to fill pages where a day has few rows; ten days of 30,000 trades are 180 MB of JSON."""


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


def natural_key(table: Table) -> list[str]:
    """The natural key's fields as the service names them."""
    return [source for name in table.key if (source := table.column(name).source)]


def fetch(api: RiskApi, table_name: str, day: date) -> Decoded:
    """The complete rows of `day` of a table that has a date upstream (`raw/metrics_daily`, …)."""
    question = QUESTIONS[table_name]
    return decode(question.table, _asked(api, question, [day]).bodies, day=day)


def fetch_days(api: RiskApi, table_name: str, days: Sequence[date]) -> Iterator[tuple[date, Decoded]]:
    """For each of `days`, in order, exactly what `fetch` gives, in fewer requests where days are small.

    Consecutive days share a question. If a row of the answer belongs to none of its days, each of
    them is asked for alone, so that the row is quarantined where `fetch` would.
    """
    question = QUESTIONS[table_name]
    field = question.table.column("date").source
    for run in _runs(days):
        bodies = _asked(api, question, run).bodies
        if (clean := decode_clean_days(question.table, bodies, run)) is not None:
            yield from clean.items()
            continue
        by_day = split_by_day(bodies, str(field), run) if len(run) > 1 else {run[0]: bodies}
        for day in run:
            yield (
                day,
                fetch(api, table_name, day) if by_day is None else decode(question.table, by_day.get(day, []), day=day),
            )


def _asked(api: RiskApi, question: Question, days: Sequence[date]) -> Pages:
    key = natural_key(question.table)
    return fetch_all(api, question.endpoint, question.params(days), key=key, limit=PAGE_LIMIT)


def _runs(days: Sequence[date]) -> Iterator[list[date]]:
    """`days` cut into runs of consecutive days, none longer than a question may be."""
    run: list[date] = []
    for day in days:
        if run and (day - run[-1] != timedelta(days=1) or len(run) == DAYS_A_QUESTION):
            yield run
            run = []
        run.append(day)
    if run:
        yield run


def fetch_alltime(api: RiskApi) -> Pages:
    """Every account as it is now; `accounts_of` makes the rows of one day or of many from it."""
    return fetch_all(api, "v2/metrics/alltime", {}, key=natural_key(RAW_ACCOUNTS), limit=PAGE_LIMIT)


def accounts_of(pages: Pages, day: date, *, is_live: bool) -> Decoded:
    """The rows of raw/accounts for `day`.

    `is_live`: the fetch was made while `day` was the newest complete day, so that its state is the
    day's. Otherwise only identity is kept, because nothing else may be said of a past day.
    """
    return stamp(decode(RAW_ACCOUNTS, pages.bodies, day=day), day, is_live=is_live)


def fetch_accounts(api: RiskApi, day: date, *, is_live: bool) -> Decoded:
    """The rows of raw/accounts for `day`, fetched for this day alone."""
    return accounts_of(fetch_alltime(api), day, is_live=is_live)


def stamp(decoded: Decoded, day: date, *, is_live: bool) -> Decoded:
    """Decoded accounts as the rows of `day`: one decoding serves many days."""
    rows, rejected = decoded.rows, decoded.quarantined
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
    )


def _constant(rows: pa.Table, value: date | bool, kind: pa.DataType) -> pa.Array:
    return pa.repeat(pa.scalar(value, kind), rows.num_rows)
