"""Pages on disk while a fetch is under way, so that a killed one goes on where it was.

One SQLite file a question, in a folder a table; a page, its rows and its position are one transaction.
Which pages are asked for is decided in `paging`.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import filelock
import pyarrow as pa
import structlog

from daily_profit_model.partitions import days_between

LIFE_S = 6 * 3600.0
"""A fetch that lay longer starts again: what a service says of a day can be corrected meanwhile."""

_LAYOUT = """
create table if not exists question (text text not null, started real not null);
create table if not exists pages (
  number integer primary key,
  skip integer not null,
  rows integer not null,
  total integer,
  bytes integer not null,
  body blob not null
);
"""
_CODEC = pa.Codec("lz4")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Extent:
    """Where a stored page lies: its number in the order of storing, its offset, its rows, the total it told."""

    number: int
    skip: int
    rows: int
    total: int | None


class Busy(Exception):
    """Somebody else is fetching these days."""


class DamagedSpool(Exception):
    """A stored page cannot be read."""


class Spool:
    """The pages of one question. Any thread may store; what is stored is there after a kill.

    `path` None: a file of its own that goes with the process. Pages of another question, or older than
    LIFE_S, are forgotten when the spool is opened.
    """

    def __init__(self, path: Path | None, question: str, *, now: Callable[[], float] = time.time) -> None:
        self._path = path
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._question, self._now = question, now
        self._lock = threading.Lock()
        try:
            self._base = _opened(path)
        except sqlite3.DatabaseError as error:
            if path is None or isinstance(error, sqlite3.OperationalError):
                raise  # locked, or no room: nothing is wrong with the pages
            log.warning("damaged_spool", file=path.name, doing="asking for its pages again")
            _unlink(path)
            self._base = _opened(path)
        started = self._base.execute("select max(started) from question where text = ?", [question]).fetchone()[0]
        if started is None or not 0 <= now() - started < LIFE_S:
            self.clear()

    def clear(self) -> None:
        """Forget all pages: the question is asked anew."""
        with self._lock, self._transaction():
            self._base.execute("delete from pages")
            self._base.execute("delete from question")
            self._base.execute("insert into question values (?, ?)", [self._question, self._now()])

    def add(self, skip: int, rows: int, total: int | None, body: bytes) -> int:
        """Store a page (`rows` records, one a line) at its offset; returns its number, from 1."""
        packed = _CODEC.compress(body, asbytes=True)
        with self._lock:
            stored = self._base.execute(
                "insert into pages (skip, rows, total, bytes, body) values (?, ?, ?, ?, ?)",
                [skip, rows, total, len(body), packed],
            )
            return int(stored.lastrowid or 0)

    def extents(self) -> list[Extent]:
        """The pages that are stored, in the order of storing."""
        with self._lock:
            found = self._base.execute("select number, skip, rows, total from pages order by number").fetchall()
        return [Extent(*row) for row in found]

    def body(self, number: int) -> bytes:
        """The rows of a page, one a line. Raises DamagedSpool."""
        try:
            with self._lock:
                size, packed = self._base.execute("select bytes, body from pages where number = ?", [number]).fetchone()
            unpacked: bytes = _CODEC.decompress(packed, decompressed_size=size, asbytes=True)
        except (sqlite3.DatabaseError, OSError, TypeError, ValueError) as error:
            raise DamagedSpool(f"page {number}: {error}") from None
        return unpacked

    def begin_anew(self) -> None:
        """Forget all pages, and the file that holds them."""
        with self._lock:
            self._base.close()
            if self._path is not None:
                _unlink(self._path)
            self._base = _opened(self._path)
        self.clear()

    def close(self) -> None:
        """Keep the pages for another time."""
        with self._lock:
            self._base.close()

    def remove(self) -> None:
        """The rows are where they belong: the pages are not needed any more."""
        self.close()
        if self._path is not None:
            _unlink(self._path)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._base.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._base.execute("rollback")
            raise
        self._base.execute("commit")


@dataclass(frozen=True)
class Swept:
    """What a sweep removed, or with a dry run would remove."""

    spools: int = 0
    bytes: int = 0
    in_use: int = 0
    """Old ones that somebody is at."""

    def __add__(self, other: Swept) -> Swept:
        return Swept(self.spools + other.spools, self.bytes + other.bytes, self.in_use + other.in_use)


@dataclass(frozen=True)
class Spools:
    """The spools of all tables in one folder; without a folder they go with the process and lock nothing."""

    folder: Path | None = None

    def open(self, table: str, days: Sequence[date], question: str) -> Spool:
        """The spool of a question over consecutive `days`."""
        name = None if self.folder is None else self._folder_of(table) / f"{days[0]}_{days[-1]}.sqlite"
        return Spool(name, question)

    def unfinished(self, table: str) -> list[list[date]]:
        """The days of each question of `table` whose fetch was broken off."""
        if self.folder is None:
            return []
        runs = (_days_of(path) for path in sorted(self._folder_of(table).glob("*.sqlite")))
        return [run for run in runs if run]

    def tables(self) -> list[str]:
        """The tables that have a folder here, with or without spools in it."""
        if self.folder is None:
            return []
        found = {path.parent for ending in ("sqlite", "lock") for path in self.folder.rglob(f"*.{ending}")}
        return sorted(folder.relative_to(self.folder).as_posix() for folder in found)

    def sweep(self, table: str, *, now: Callable[[], float] = time.time, dry_run: bool = False) -> Swept:
        """Remove pages that are too old to go on from, unless somebody is at them."""
        swept = Swept()
        for path in sorted(self._folder_of(table).glob("*.sqlite")) if self.folder is not None else ():
            days = _days_of(path)
            if not days or now() - _last_written(path) <= LIFE_S:
                continue
            try:
                with self.locked(table, days, wait=False):
                    swept += Swept(spools=1, bytes=sum(file.stat().st_size for file in _existing(path)))
                    if not dry_run:
                        _unlink(path)
            except Busy:
                swept += Swept(in_use=1)
        return swept

    def remove_idle_locks(self, table: str, *, now: Callable[[], float] = time.time) -> None:
        """Remove old locks that nobody holds; who had opened one before takes a new one (filelock sees to that)."""
        for path in sorted(self._folder_of(table).glob("*.lock")) if self.folder is not None else ():
            with contextlib.suppress(Busy, ValueError, FileNotFoundError):
                if now() - path.stat().st_mtime > LIFE_S:
                    with self.locked(table, [date.fromisoformat(path.stem)], wait=False):
                        path.unlink()

    @contextmanager
    def locked(self, table: str, days: Sequence[date], *, wait: bool = True) -> Iterator[bool]:
        """Nobody else fetches these days meanwhile; yields whether another fetch had to be waited for.

        Raises Busy instead of waiting when told so. Who waits must hold no lock of earlier days: with days in
        ascending order, and nothing but the next days waited for, no two processes wait for each other.
        """
        waited = False
        with ExitStack() as held:
            for day in sorted(days) if self.folder is not None else ():
                lock = self._lock_of(table, day)
                try:
                    lock.acquire(timeout=0)
                except filelock.Timeout:
                    if not wait:
                        raise Busy(f"{table} of {day} is being fetched") from None
                    log.warning("another_fetch_is_under_way", table=table, day=str(day), doing="waiting for it")
                    waited = True
                    lock.acquire()
                held.callback(lock.release)
            yield waited

    def _lock_of(self, table: str, day: date) -> filelock.BaseFileLock:
        folder = self._folder_of(table)
        folder.mkdir(parents=True, exist_ok=True)
        return filelock.FileLock(folder / f"{day}.lock", thread_local=False)

    def _folder_of(self, table: str) -> Path:
        assert self.folder is not None
        return self.folder / table


def _opened(path: Path | None) -> sqlite3.Connection:
    base = sqlite3.connect("" if path is None else path, isolation_level=None, check_same_thread=False)
    # NORMAL: a killed process loses nothing; a power cut may lose the last pages, never half of one
    base.executescript(f"pragma page_size = 65536; pragma journal_mode = wal; pragma synchronous = normal; {_LAYOUT}")
    return base


def _unlink(path: Path) -> None:
    for file in _files_of(path):
        file.unlink(missing_ok=True)


def _existing(path: Path) -> list[Path]:
    return [file for file in _files_of(path) if file.exists()]


def _files_of(path: Path) -> list[Path]:
    return [path.with_name(path.name + ending) for ending in ("", "-wal", "-shm")]


def _last_written(path: Path) -> float:
    return max((file.stat().st_mtime for file in _existing(path)), default=0.0)


def _days_of(path: Path) -> list[date]:
    """The days that a spool's name tells; none for a file that is no spool of ours."""
    try:
        first, last = map(date.fromisoformat, path.stem.split("_"))
    except ValueError:
        return []
    return [date.fromisoformat(day) for day in days_between(first, last)]
