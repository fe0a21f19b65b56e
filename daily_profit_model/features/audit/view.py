"""The lake as it was when a day's cut-off had come, and with a poisoned future. Nothing of the user's is written.

What is raw lies in the user's lake; what is made of it comes from the audit's own lake alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from upath import UPath

from daily_profit_model.features.audit.logins import IS_LIVE, Asked, are_among
from daily_profit_model.features.audit.poison import identities, poisoned, poisoned_identities, thinned
from daily_profit_model.lake import Lake
from daily_profit_model.lake.lake import REVISION_FORMAT, cut_off, first_fetch, revision_of
from daily_profit_model.lake.partition_file import SINGLE_FILE

DAYS_AHEAD = 3
"""A poisoned future has so many days at least, also behind the newest day of the lake."""
ANY_DAY = "any"
"""Stands for the audited day where a poisoned file is the same for all of them."""


@dataclass(frozen=True)
class Morning(Lake):
    """What exists at the cut-off of `day`: no later partition, and no revision that was stored later.

    Where every revision of a partition was stored later (a day filled afterwards), its first one stands for what
    was known, by the rule of `Lake.file`. Of a later snapshot of accounts only the identities exist.
    """

    stored: Lake
    """The user's lake."""
    made: Lake
    """The tables of the pipeline, as the audit has made them."""
    made_tables: frozenset[str]
    later: Later
    day: str

    def partitions(self, table: str) -> list[str]:
        home = self.made if table in self.made_tables else self.stored
        return [one for one in home.partitions(table) if one <= self.day] + self.later_partitions(table)

    def files(self, table: str, partition: str) -> list[UPath]:
        if partition > self.day:
            return self.later_files(table, partition)
        if table in self.made_tables:
            return self.made.files(table, partition)
        files = self.stored.files(table, partition)
        limit = cut_off(date.fromisoformat(self.day))
        return [path for path in files if (revision_of(path) or limit) <= limit] or first_fetch(files)

    def later_partitions(self, table: str) -> list[str]:
        newest = self.later.newest(table)
        return [newest] if table in self.later.identities and newest > self.day else []

    def later_files(self, table: str, partition: str) -> list[UPath]:
        return [self.later.identities_of(table)] if partition in self.later_partitions(table) else []


@dataclass(frozen=True)
class PoisonedMorning(Morning):
    """The same with everything later there, and poisoned: later partitions, and later revisions of every partition.

    Of identities that came later, also of those that stand for `day` since they were taken afterwards, what is
    `asked` for stays.
    """

    own: Lake
    """The tables of the pipeline of `day` itself, made in this view."""
    asked: Asked

    def files(self, table: str, partition: str) -> list[UPath]:
        if partition > self.day:
            return self.later_files(table, partition)
        if table in self.made_tables:
            home = self.own if partition == self.day else self.made
            return home.files(table, partition)
        files = super().files(table, partition)
        if table in self.later.identities:
            files = [self.later.thinned_of(path, table, partition, self.day, self.asked) for path in files]
        is_revised = any(revision_of(path) for path in files)
        return [*files, *self.later_files(table, partition)] if is_revised else files

    def later_partitions(self, table: str) -> list[str]:
        there = set(self.stored.partitions(table))
        ahead = {_after(self.day, days) for days in range(1, DAYS_AHEAD + 1)} if there else set()
        return sorted(one for one in there | ahead if one > self.day)

    def later_files(self, table: str, partition: str) -> list[UPath]:
        path = self.later.poison_of(table, partition, self.day, self.asked)
        return [] if path is None else [path]


@dataclass(frozen=True)
class Later:
    """Files that stand for what came later, each made when it is first asked for."""

    stored: Lake
    folder: UPath
    identities: Mapping[str, tuple[str, ...]]
    last_day: str
    """The newest day that is audited: what is poisoned was stored after its cut-off."""

    def newest(self, table: str) -> str:
        return (self.stored.partitions(table) or [""])[-1]

    def identities_of(self, table: str) -> UPath:
        """The newest partition of a table of identities, without all else that it says."""
        newest = self.newest(table)
        template = self.stored.files(table, newest)[-1]
        path = self.folder / "identities" / table / f"date={newest}" / template.name
        return path if path.exists() else _write(path, identities(_rows(template), self.identities[table]))

    def poison_of(self, table: str, partition: str, day: str, asked: Asked) -> UPath | None:
        """A poisoned file of a partition, made of the true one or the one before it; stored after all true ones.

        That of a table of identities is made for a `day`, and says of the logins `asked` whose they are.
        """
        before = [one for one in self.stored.partitions(table) if one <= partition]
        if not before:
            return None
        files = self.stored.files(table, before[-1])
        made_for = day if table in self.identities else ANY_DAY
        path = self._place(made_for, table, partition) / self._name(files[-1], partition)
        if path.exists():
            return path
        rows = _rows(files[-1])
        if table not in self.identities:
            return _write(path, poisoned(rows))
        return _write(path, poisoned_identities(rows, are_among(rows, asked.unanswered)))

    def thinned_of(self, path: UPath, table: str, partition: str, day: str, asked: Asked) -> UPath:
        """A file of identities of `day` or before, or what stands for it when the snapshot was taken later."""
        place = self._place(day, table, partition) / path.name
        if place.exists():
            return place
        if not _is_of_later(path):
            return path
        rows = _rows(path)
        return _write(place, thinned(rows, are_among(rows, asked.named)))

    def forget(self, day: str) -> None:
        """Remove what was made for one audited day."""
        shutil.rmtree(str(self.folder / "poison" / day), ignore_errors=True)

    def _place(self, day: str, table: str, partition: str) -> UPath:
        return self.folder / "poison" / day / table / f"date={partition}"

    def _name(self, template: UPath, partition: str) -> str:
        stored_at = revision_of(template)
        if stored_at is None:
            return SINGLE_FILE
        moment = max(stored_at, cut_off(date.fromisoformat(max(partition, self.last_day)))) + timedelta(days=1)
        return f"revision={moment.strftime(REVISION_FORMAT)}.parquet"


def _after(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def _rows(path: UPath) -> pa.Table:
    with path.open("rb") as stream:
        return pq.ParquetFile(stream).read()


def _is_of_later(path: UPath) -> bool:
    """Whether a snapshot says that it was taken after its day."""
    with path.open("rb") as stream:
        file = pq.ParquetFile(stream)
        if IS_LIVE not in file.schema_arrow.names:
            return False
        return pc.any(pc.invert(file.read([IS_LIVE])[IS_LIVE])).as_py() is True


def _write(path: UPath, rows: pa.Table) -> UPath:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        pq.write_table(rows, stream)
    return path
