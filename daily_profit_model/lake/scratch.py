"""Databases in memory up to a limit, and beyond it in a folder of this process, which goes with it.

What is done in them is the caller's.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from threading import RLock

import duckdb

_PREFIX = "dpm-scratch-"
_numbers = itertools.count()
_open: weakref.WeakSet[duckdb.DuckDBPyConnection] = weakref.WeakSet()
_first = RLock()
"""functools.cache calls twice what two threads ask for at once."""


def new_database(memory_limit: str, **config: bool | int) -> duckdb.DuckDBPyConnection:
    """A database of its own, gone when it is closed; `memory_limit` as DuckDB writes it, such as `160MB`."""
    spilled = {"memory_limit": memory_limit, "temp_directory": str(folder() / f"spilled-{next(_numbers)}")}
    made = duckdb.connect(":memory:", config={"autoinstall_known_extensions": False, **spilled, **config})
    _open.add(made)
    return made


def session_on(database: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A session in UTC on a database; any thread may ask. Opening a database takes 25 ms, a session none.

    Temporary views and registered frames are seen by their session alone, so threads do not meet.
    """
    session = database.cursor()
    session.execute("set timezone = 'UTC'")
    return session


def folder() -> Path:
    """Where this process puts what it has no memory for; it goes with the process."""
    with _first:
        return _made_folder()


@functools.cache
def _made_folder() -> Path:
    for left in left_ones(Path(tempfile.gettempdir())):
        shutil.rmtree(left, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    atexit.register(_close_all)
    return made


def _close_all() -> None:
    """While Python still runs: a database that goes with the interpreter may meet threads of its own that work, and
    then the process aborts after all that it had to do."""
    for database in list(_open):
        database.close()


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
