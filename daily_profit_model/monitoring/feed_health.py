"""How the calls of a day went, and how far behind their feeds were: a row an endpoint from the request log.

What was called is in raw/requests; how new the rows were that it brought is told by the footers of the raw
tables. Both as they were at the end of the day, so that a day says the same whenever it is computed. When
that is an alarm is decided in `quality.rules_monitoring`.

A feed is stale by how far its newest row lies before the instant that it was to reach:
- v2/metrics/alltime says how things are now: the latest change of an account (`updated_date`) against the instant
  at which the answer was stored. A change at midnight sharp is a date, good for its whole day.
- v2/trades/open is a snapshot of a day's end: the end of the newest day with positions against the last midnight.
- Daily feeds tell of whole days: the end of the newest day with rows (closed trades: the latest close, hourly
  metrics: the end of the latest hour) against the cut-off at 06:00 of the day of the calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from daily_profit_model.engine import Query, run
from daily_profit_model.engine.sql_text import sql_text
from daily_profit_model.lake import Lake
from daily_profit_model.lake.lake import cut_off, damaged, revision_of
from daily_profit_model.tables import Table
from daily_profit_model.tables.contract import FLAG, TEXT, TIMESTAMP
from daily_profit_model.tables.monitoring import FEED_HEALTH
from daily_profit_model.tables.raw import (
    RAW_ACCOUNTS,
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_TRADES_CLOSED,
    RAW_TRADES_OPEN,
)
from daily_profit_model.tables.raw_requests import RAW_REQUESTS

SQL = sql_text("monitoring/feed_health")
A_DAY = timedelta(days=1)

_FEEDS_SCHEMA = pa.schema(
    [("endpoint", TEXT), ("table_name", TEXT), ("is_live", FLAG), ("newest_at", TIMESTAMP), ("due_at", TIMESTAMP)]
)


@dataclass(frozen=True)
class Stored:
    """The footer of a revision: of which day, stored when, and what its columns reach."""

    day: date
    ingested_at: datetime
    metadata: pq.FileMetaData

    def most(self, column: str) -> object:
        """The largest value of a column; None when all are null."""
        groups = [self.metadata.row_group(number) for number in range(self.metadata.num_row_groups)]
        place = self.metadata.schema.names.index(column)
        statistics = [group.column(place).statistics for group in groups]
        return max((each.max for each in statistics if each is not None and each.has_min_max), default=None)


Reach = tuple[datetime, datetime]
"""The instant that the newest row reaches, and the one that it was to reach."""


@dataclass(frozen=True)
class Feed:
    """An endpoint, the table that it feeds, and what its newest revision with rows reaches."""

    endpoint: str
    table: Table
    is_live: bool
    reach: Callable[[Stored, date], Reach | None]
    """Of a revision, for calls of a day; None: the revision does not tell."""
    days_back: int | None = None
    """How many days before the calls a partition may lie to tell; None: any number."""


def _of_changes(stored: Stored, calls_on: date) -> Reach | None:
    changed = stored.most("updated_date")
    if not isinstance(changed, datetime) or stored.ingested_at.date() != calls_on:
        return None
    is_a_date = changed.time() == time(0)
    return min(changed + A_DAY, stored.ingested_at) if is_a_date else changed, stored.ingested_at


def _of_snapshots(stored: Stored, calls_on: date) -> Reach | None:
    return (_end_of(stored.day), _start_of(calls_on)) if stored.metadata.num_rows else None


def _of_days(stored: Stored, calls_on: date) -> Reach | None:
    return (_end_of(stored.day), _due_on(calls_on)) if stored.metadata.num_rows else None


def _of_hours(stored: Stored, calls_on: date) -> Reach | None:
    hour = stored.most("hour")
    return (_start_of(stored.day) + timedelta(hours=hour + 1), _due_on(calls_on)) if isinstance(hour, int) else None


def _of_closes(stored: Stored, calls_on: date) -> Reach | None:
    closed = stored.most("close_time")
    return (closed, _due_on(calls_on)) if isinstance(closed, datetime) else None


FEEDS = (
    Feed("v2/metrics/alltime", RAW_ACCOUNTS, is_live=True, reach=_of_changes, days_back=1),
    Feed("v2/metrics/daily", RAW_METRICS_DAILY, is_live=False, reach=_of_days),
    Feed("v2/metrics/hourly", RAW_METRICS_HOURLY, is_live=False, reach=_of_hours),
    Feed("v2/trades/closed", RAW_TRADES_CLOSED, is_live=False, reach=_of_closes),
    Feed("v2/trades/open", RAW_TRADES_OPEN, is_live=True, reach=_of_snapshots),
)


def feed_health(lake: Lake, day: str) -> pa.Table:
    """Rows of monitoring/feed_health for the calls of `day`; none before the first day of the log."""
    logged = lake.partitions(RAW_REQUESTS.name)
    if not logged or day < logged[0]:
        return FEED_HEALTH.schema().empty_table()
    frames = {"requests": requests_of(lake, day), "feeds": _feeds(lake, date.fromisoformat(day))}
    return run(Query(SQL, (), frames=frames), lake, [day]).select(FEED_HEALTH.column_names).cast(FEED_HEALTH.schema())


def requests_of(lake: Lake, day: str) -> pa.Table:
    """The log of a day, from all its files. Raises LakeError when one is damaged."""
    names = RAW_REQUESTS.stored_names
    schema = pa.schema([RAW_REQUESTS.schema().field(name) for name in names])
    parts = [_read(path, day, names).cast(schema) for path in lake.files(RAW_REQUESTS.name, day)]
    return pa.concat_tables(parts) if parts else schema.empty_table()


def _read(path: UPath, day: str, names: list[str]) -> pa.Table:
    try:
        with path.open("rb") as stream:
            return pq.ParquetFile(stream).read(columns=names).select(names).replace_schema_metadata(None)
    except (OSError, KeyError, ValueError) as error:
        raise damaged(path, RAW_REQUESTS.name, day, error) from error


def _feeds(lake: Lake, day: date) -> pa.Table:
    rows = []
    for feed in FEEDS:
        reached = _reach(lake, feed, day)
        newest, due = reached or (None, None)
        rows.append(
            {
                "endpoint": feed.endpoint,
                "table_name": feed.table.name,
                "is_live": feed.is_live,
                "newest_at": newest,
                "due_at": due,
            }
        )
    return pa.Table.from_pylist(rows, schema=_FEEDS_SCHEMA)


def _reach(lake: Lake, feed: Feed, day: date) -> Reach | None:
    """Of the newest partition that tells, as it was stored by the end of `day`."""
    oldest = date.min if feed.days_back is None else day - timedelta(days=feed.days_back)
    for stored in _stored(lake, feed.table, oldest, until=_end_of(day)):
        if (reached := feed.reach(stored, day)) is not None:
            return reached
    return None


def _stored(lake: Lake, table: Table, oldest: date, until: datetime) -> Iterator[Stored]:
    """The newest revision stored before `until` of each partition, from the newest day down to `oldest`."""
    for partition in reversed(lake.partitions(table.name)):
        if partition < oldest.isoformat():
            return
        for path in reversed(lake.files(table.name, partition)):
            ingested_at = revision_of(path)
            if ingested_at is not None and ingested_at < until:
                yield Stored(date.fromisoformat(partition), ingested_at, _footer(path, table, partition))
                break


def _footer(path: UPath, table: Table, partition: str) -> pq.FileMetaData:
    try:
        with path.open("rb") as stream:
            return pq.read_metadata(stream)
    except (OSError, ValueError) as error:
        raise damaged(path, table.name, partition, error) from error


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(0), tzinfo=UTC)


def _end_of(day: date) -> datetime:
    return _start_of(day) + A_DAY


def _due_on(day: date) -> datetime:
    """The cut-off that falls on `day`: what the day before brought is due then."""
    return cut_off(day - A_DAY)
