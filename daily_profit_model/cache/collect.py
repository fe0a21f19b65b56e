"""What of the cache goes: entries unused for long, then the least recently used beyond a size, and dead files.

Nothing in use goes: whoever reads or computes holds the entry's lock, and the collector never waits for one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import filelock

from daily_profit_model.cache import statistics
from daily_profit_model.cache.entry import ENTRIES, LOCKS, ROWS, TEMPORARY, DamagedEntry, Entry, entries
from daily_profit_model.cache.lock import exclusive, shared

GRACE = timedelta(hours=1)
"""A file without a description that is younger may be one in flight, even if its lock is free at the moment."""


@dataclass(frozen=True)
class Collected:
    """What a collection removed, or with a dry run would remove; bytes are those of files on disk."""

    expired: int = 0
    """Entries whose last access is older than the retention."""
    over_size: int = 0
    """Entries removed, least recently used first, until the rest fits."""
    in_use: int = 0
    """Entries that had to go but are being read or computed."""
    dead_files: int = 0
    """Temporary files and rows without description, of writers that were killed."""
    bytes_removed: int = 0
    entries_left: int = 0
    bytes_left: int = 0


@dataclass(frozen=True)
class Verified:
    """What the check of every entry found."""

    whole: int
    in_use: int
    """Being written at the moment, not checked."""
    damaged: dict[str, str]
    """Digest → what is wrong."""


@dataclass(frozen=True)
class _Candidate:
    entry: Entry
    last_access: datetime
    bytes: int


def collect(folder: Path, *, now: datetime, retention: timedelta, max_bytes: int, dry_run: bool = False) -> Collected:
    """Collect the cache in `folder`, whatever way the path is written."""
    root = folder.resolve()
    found = _dead_files(root, now, dry_run)
    kept: list[_Candidate] = []
    for candidate in _candidates(root):
        if candidate.last_access >= now - retention:
            kept.append(candidate)
        elif _removed(candidate, dry_run):
            found = replace(found, expired=found.expired + 1, bytes_removed=found.bytes_removed + candidate.bytes)
        else:
            kept.append(candidate)
            found = replace(found, in_use=found.in_use + 1)
    size = sum(candidate.bytes for candidate in kept)
    left = len(kept)
    for candidate in kept:
        if size <= max_bytes:
            break
        if _removed(candidate, dry_run):
            size, left = size - candidate.bytes, left - 1
            found = replace(found, over_size=found.over_size + 1, bytes_removed=found.bytes_removed + candidate.bytes)
        elif candidate.last_access >= now - retention:  # counted above otherwise
            found = replace(found, in_use=found.in_use + 1)
    if not dry_run:
        _remove_idle_locks(root)
        statistics.fold(root)
    return replace(found, entries_left=left, bytes_left=size)


def verify(entry: Entry) -> str | None:
    """What is wrong with an entry; None when nothing is, or when it is gone. Raises filelock.Timeout when in use."""
    with shared(entry.lock_file, wait=False):
        try:
            entry.check()
        except DamagedEntry as damage:
            return str(damage)
    return None


def verify_all(found: Iterable[Entry]) -> Verified:
    """Check every entry; none counts as accessed."""
    whole, in_use, damaged = 0, 0, {}
    for entry in found:
        try:
            reason = verify(entry)
        except filelock.Timeout:
            in_use += 1
            continue
        if reason is None:
            whole += 1
        else:
            damaged[entry.digest] = reason
    return Verified(whole, in_use, damaged)


def _candidates(root: Path) -> list[_Candidate]:
    """The entries, least recently used first."""
    found = []
    for entry in entries(root):
        last_access = entry.last_access()
        if last_access is not None:  # another collector may have been faster
            found.append(_Candidate(entry, last_access, entry.bytes()))
    return sorted(found, key=lambda candidate: (candidate.last_access, candidate.entry.digest))


def _removed(candidate: _Candidate, dry_run: bool) -> bool:
    """Whether the entry went: not when it is in use, nor when it was used since it was looked at."""
    entry = candidate.entry
    with _lock_if_free(entry) as free:
        if not free or entry.last_access() not in (None, candidate.last_access):
            return False
        if not dry_run:
            entry.remove()
        return True


def _dead_files(root: Path, now: datetime, dry_run: bool) -> Collected:
    """Remove what killed writers left: older than the grace period, and nobody at work on its entry."""
    found = Collected()
    folder = root / ENTRIES
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        name = TEMPORARY.fullmatch(path.name) or ROWS.fullmatch(path.name)
        if name is None or _described(path):
            continue
        with _lock_if_free(Entry(root, name[1])) as free, contextlib.suppress(FileNotFoundError):
            state = path.stat()
            young = datetime.fromtimestamp(state.st_mtime, UTC) > now - GRACE
            if not free or young or _described(path):
                continue
            if not dry_run:
                path.unlink()
            found = replace(found, dead_files=found.dead_files + 1, bytes_removed=found.bytes_removed + state.st_size)
    return found


def _described(path: Path) -> bool:
    """Whether it is the rows' file of an entry; a temporary name has no description."""
    return path.suffix == ".parquet" and path.with_suffix(".json").exists()


def _remove_idle_locks(root: Path) -> None:
    """Remove the locks that nobody holds and that have no entry."""
    folder = root / LOCKS
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        entry = Entry(root, path.stem)
        if path.suffix == ".lock" and entry.state() is None:
            with _lock_if_free(entry) as free:
                if free and entry.state() is None:
                    path.unlink(missing_ok=True)


@contextlib.contextmanager
def _lock_if_free(entry: Entry) -> Iterator[bool]:
    """Hold the entry's lock, or tell that somebody else does."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(exclusive(entry.lock_file, wait=False))
            free = True
        except filelock.Timeout:
            free = False
        yield free
