"""Whether a day's declared look-back is all that it rests on: the day made from it, and from all history."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.engine import Query, Source, run_table
from daily_profit_model.features.audit.differences import Difference, differences
from daily_profit_model.features.pipeline import Step
from daily_profit_model.lake import Lake, read
from daily_profit_model.lake.lake import AsKnown
from daily_profit_model.lake.partition_file import conform
from daily_profit_model.partitions import days_between

HISTORY_ROWS = 50_000
"""Rows of a source's whole history that are kept in memory; accounts are sampled so that they suffice."""
ACCOUNT = "account_id"


class Histories:
    """All history of what the steps with a look-back read, of a sample of accounts, day after day.

    It is read from the stored tables: both makings that are compared rest on the same rows.
    """

    def __init__(self, lake: Lake, steps: Sequence[Step], last_day: str, seed: int) -> None:
        queries = ((step, step.query(lake)) for step in steps)
        self._steps = [(step, query) for step, query in queries if not query.fold and _looks_back(query)]
        self._lake, self._seed = lake, seed
        self._sources = {_key(source): source for _, query in self._steps for source in query.sources}
        self._rows: dict[_Key, list[pa.Table]] = {key: [] for key in self._sources}
        shares = (self._share_of(source.table.name, last_day) for source in self._sources.values())
        self._share = min(shares, default=1.0)
        self.accounts: set[str] = set()

    def days(self) -> set[str]:
        """Every day that some source has."""
        return {day for source in self._sources.values() for day in self._lake.partitions(source.table.name)}

    def remember(self, day: str) -> None:
        """Take in one more day; days come in ascending order."""
        for key, source in self._sources.items():
            rows = read(self._lake, source.table, [day], as_known=source.as_known)
            if ACCOUNT in rows.column_names:
                chosen = self._sampled(pc.unique(rows[ACCOUNT]).to_pylist())
                self.accounts.update(chosen)
                rows = rows.filter(pc.is_in(rows[ACCOUNT], pa.array(chosen, pa.string())))
            if rows.num_rows:
                self._rows[key].append(rows)

    def compare(self, day: str) -> Iterator[tuple[str, Mapping[str, Difference]]]:
        """Table → columns of `day` that more history than declared changes, of the accounts remembered."""
        for step, query in self._steps:
            everything = {source.view: self._of(source) for source in query.sources}
            declared = {
                source.view: _between(everything[source.view], source, source.days(day)) for source in query.sources
            }
            first = min((_first_day(rows, source) for source, rows in self._pairs(query, everything)), default=day)
            days = days_between(date.fromisoformat(min(first, day)), date.fromisoformat(day))
            alone = self._made(step, query, declared, [day], day)
            with_history = self._made(step, query, everything, days, day)
            yield step.table.name, differences(step.table.key, alone, with_history)

    def _made(
        self, step: Step, query: Query, frames: Mapping[str, pa.Table], days: Sequence[str], day: str
    ) -> pa.Table:
        of_frames = replace(query, sources=(), frames={**query.frames, **frames})
        return conform(step.table, day, run_table(of_frames, self._lake, step.table, days)[day])

    def _of(self, source: Source) -> pa.Table:
        found = self._rows[_key(source)]
        return pa.concat_tables(found) if found else source.table.schema().empty_table()

    def _pairs(self, query: Query, frames: Mapping[str, pa.Table]) -> Iterator[tuple[Source, pa.Table]]:
        return ((source, frames[source.view]) for source in query.sources if frames[source.view].num_rows)

    def _share_of(self, table: str, last_day: str) -> float:
        days = [day for day in self._lake.partitions(table) if day <= last_day]
        newest = self._lake.describe(table, days[-1]) if days else None
        rows = 0 if newest is None else newest.rows * len(days)
        return min(1.0, HISTORY_ROWS / rows) if rows else 1.0

    def _sampled(self, accounts: Sequence[str | None]) -> list[str]:
        """Those of `accounts` that are in the sample: a hash decides, so an account is in it on all days or none."""
        named = [account for account in accounts if account is not None]
        if self._share >= 1:
            return named
        limit = self._share * 2**32
        return [account for account in named if zlib.crc32(f"{self._seed}|{account}".encode()) < limit]


_Key = tuple[str, AsKnown]


def _key(source: Source) -> _Key:
    return source.table.name, source.as_known


def _looks_back(query: Query) -> bool:
    return any(source.first < 0 and not source.is_own_past for source in query.sources)


def _between(rows: pa.Table, source: Source, days: Sequence[str]) -> pa.Table:
    column = rows[source.table.day_column]
    first, last = (pa.scalar(date.fromisoformat(day), pa.date32()) for day in (days[0], days[-1]))
    return rows.filter(pc.and_(pc.greater_equal(column, first), pc.less_equal(column, last)))


def _first_day(rows: pa.Table, source: Source) -> str:
    return str(pc.min(rows[source.table.day_column]).as_py())
