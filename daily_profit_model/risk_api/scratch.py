"""Databases in which rows are read: in memory up to a limit, then on disk.

What is done in them belongs to `decode`.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import shutil
import tempfile
from pathlib import Path
from threading import RLock

import duckdb

MEMORY_LIMIT = "160MB"
"""Of one database; a day of any size passes within it, by way of the disk."""
_PREFIX = "dpm-scratch-"
_numbers = itertools.count()
_first = RLock()
"""functools.cache calls twice what two threads ask for at once."""


def session() -> duckdb.DuckDBPyConnection:
    """A new session on this process's own database, for single values; any thread may ask."""
    with _first:
        database = _own()
    return session_on(database)


def session_on(database: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A new session in UTC on a database; any thread may ask."""
    cursor = database.cursor()
    cursor.execute("set timezone = 'UTC'")
    return cursor


def new_database() -> duckdb.DuckDBPyConnection:
    """A database of its own, gone when it is closed."""
    return duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": False,
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(folder() / f"spilled-{next(_numbers)}"),
            "preserve_insertion_order": False,
            "enable_external_file_cache": False,
        },
    )


def folder() -> Path:
    """Where this process puts rows that it is reading; it goes with the process."""
    with _first:
        return _made_folder()


@functools.cache
def _made_folder() -> Path:
    for left in left_ones(Path(tempfile.gettempdir())):
        shutil.rmtree(left, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@functools.cache
def _own() -> duckdb.DuckDBPyConnection:
    return new_database()


def left_ones(parent: Path) -> list[Path]:
    """The scratch folders in `parent` of processes that were killed."""
    found = []
    for folder in sorted(parent.glob(f"{_PREFIX}*")):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdecimal() and not _is_alive(int(pid)):
            found.append(folder)
    return found


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
