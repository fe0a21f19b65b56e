"""Locks of the operating system on files: any number of readers, or one writer.

They go with the process that holds them, so a crash leaves none. A lock file may be removed by who holds it
exclusively; whoever had opened it before notices and takes the new one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock

POLL_S = 0.01
"""Seconds between two tries for an exclusive lock."""


@contextlib.contextmanager
def exclusive(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Nobody else holds the lock meanwhile. Raises filelock.Timeout instead of waiting when told so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # a lock that is only the existence of a file would outlive a killed process
    lock = filelock.FileLock(path, thread_local=False, poll_interval=POLL_S, fallback_to_soft=False)
    with lock.acquire(timeout=-1 if wait else 0):
        yield


@contextlib.contextmanager
def shared(path: Path, *, wait: bool = True, before_waiting: Callable[[], None] | None = None) -> Iterator[bool]:
    """Nobody holds the lock exclusively meanwhile; yields whether that had to be waited for.

    filelock knows exclusive locks alone; this one is flock on the same file. Raises filelock.Timeout
    instead of waiting when told so.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    waited = False
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                if not wait:
                    raise filelock.Timeout(str(path)) from None
                if before_waiting is not None and not waited:
                    before_waiting()
                waited = True
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            if os.fstat(descriptor).st_nlink:
                yield waited
                return
        finally:
            os.close(descriptor)
