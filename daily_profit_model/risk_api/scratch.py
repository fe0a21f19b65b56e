"""The database in which rows are read: one a process, in memory up to a limit, then on disk.

What is done in it belongs to `decode`.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path

import duckdb

MEMORY_LIMIT = "128MB"
"""Of all rows that are being read at once; a day of any size passes within it, by way of the disk."""
_PREFIX = "dpm-scratch-"


def session() -> duckdb.DuckDBPyConnection:
    """A new session in UTC on this process's scratch database; any thread may ask."""
    cursor = _scratch().cursor()
    cursor.execute("set timezone = 'UTC'")
    return cursor


@functools.cache
def folder() -> Path:
    """Where this process puts rows that it is reading; it goes with the process."""
    _remove_left_ones(Path(tempfile.gettempdir()))
    made = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@functools.cache
def _scratch() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": False,
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(folder() / "spilled"),
            "preserve_insertion_order": False,
        },
    )


def _remove_left_ones(parent: Path) -> None:
    """Folders of processes that were killed."""
    for left in parent.glob(f"{_PREFIX}*"):
        pid = left.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdecimal() and not _is_alive(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
