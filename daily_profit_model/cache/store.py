"""Answer from the cache, or compute once and keep: for many processes at once. Removing belongs to `collect`."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import structlog

from daily_profit_model.cache.entry import DamagedEntry, Entry
from daily_profit_model.cache.key import CacheKey
from daily_profit_model.cache.lock import exclusive, shared
from daily_profit_model.cache.statistics import Counts, add

log = structlog.get_logger(__name__)

_computing: ContextVar[frozenset[str]] = ContextVar("_computing", default=frozenset())
"""Digests whose computation is under way around the present call."""


def now_utc() -> datetime:
    return datetime.now(UTC)


class Cache:
    """Computed tables in a local folder, each under the digest of its key.

    One process computes a key, others that ask for it meanwhile wait and read. A computation that forks
    must not leave children behind: they would go on holding its lock.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime] = now_utc) -> None:
        self.folder = folder.resolve()
        self._clock = clock

    def get_or_compute(self, key: CacheKey, compute: Callable[[], pa.Table]) -> pa.Table:
        """The table of `key`: the stored one, or what `compute` returns, equal in schema, types, nulls and bits.

        A damaged entry is computed again, and a folder that cannot be used or a full disk costs no answer:
        one line in the log each. What `compute` raises is raised, and nothing is kept. Raises NotKeepable
        when the table has a type that Parquet does not give back bit for bit, RuntimeError when a
        computation asks for its own key.
        """
        entry = Entry(self.folder, key.digest)
        if entry.digest in _computing.get():
            raise RuntimeError(f"the computation of cache entry {entry.digest} asks for itself")
        once = _Once(compute)
        try:
            return self._kept_or_computed(entry, key, once)
        except OSError as error:
            if once.is_failed:
                raise
            log.warning("cache_cannot_be_used", folder=str(self.folder), reason=str(error), doing="without it")
            return once()

    def _kept_or_computed(self, entry: Entry, key: CacheKey, compute: Callable[[], pa.Table]) -> pa.Table:
        waited = False
        while True:
            with shared(entry.lock_file, before_waiting=lambda: _say_waiting(entry)) as found_another:
                waited = waited or found_another
                state, rows, damage = _look(entry)
                if rows is not None:
                    entry.touch(self._clock())
                    self._count(Counts(hits=1, waits=int(waited)))
                    return rows
            with exclusive(entry.lock_file):
                # readers in a queue for this lock would read one after the other: they go back and share it
                if entry.state() == state:
                    return self._compute(entry, key, compute, damage, waited)
            waited = True

    def _compute(
        self, entry: Entry, key: CacheKey, compute: Callable[[], pa.Table], damage: str | None, waited: bool
    ) -> pa.Table:
        if damage is not None:
            log.warning("cache_entry_is_damaged", entry=entry.digest, reason=damage, doing="computing it again")
        under_way = _computing.set(_computing.get() | {entry.digest})
        try:
            rows = compute()
        finally:
            _computing.reset(under_way)
        try:
            entry.store(rows, key, self._clock())
        except OSError as error:
            log.warning("cache_entry_is_not_kept", entry=entry.digest, reason=str(error))
        self._count(Counts(misses=int(damage is None), recomputed=int(damage is not None), waits=int(waited)))
        return rows

    def _count(self, counts: Counts) -> None:
        try:
            add(self.folder, counts)
        except OSError as error:
            # what keeps a count from the disk keeps entries from it too, and that is said
            log.info("cache_statistics_are_not_kept", reason=str(error))


class _Once:
    """A computation that runs once: asked again, it answers what it answered."""

    def __init__(self, compute: Callable[[], pa.Table]) -> None:
        self.is_failed = False
        self._compute = compute
        self._rows: pa.Table | None = None

    def __call__(self) -> pa.Table:
        if self._rows is None:
            self.is_failed = True
            self._rows = self._compute()
            self.is_failed = False
        return self._rows


def _look(entry: Entry) -> tuple[tuple[int, ...] | None, pa.Table | None, str | None]:
    """What is there: the entry's state, its rows if they are whole, and what is wrong with it otherwise."""
    state = entry.state()
    try:
        return state, entry.load(), None
    except DamagedEntry as damage:
        return state, None, str(damage)


def _say_waiting(entry: Entry) -> None:
    log.info("another_process_computes_the_cache_entry", entry=entry.digest, doing="waiting for it")
