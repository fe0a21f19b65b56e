"""The database in which rows are read: one a process, in memory up to a limit, then on disk.

What is done in it belongs to `decode`.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile

import duckdb

MEMORY_LIMIT = "256MB"
"""Of all rows that are being read at once; a day of any size passes within it, by way of the disk."""


def session() -> duckdb.DuckDBPyConnection:
    """A new session in UTC on this process's scratch database; any thread may ask."""
    cursor = _scratch().cursor()
    cursor.execute("set timezone = 'UTC'")
    return cursor


@functools.cache
def _scratch() -> duckdb.DuckDBPyConnection:
    folder = tempfile.mkdtemp(prefix="dpm-scratch-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": False,
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": folder,
            "preserve_insertion_order": False,
        },
    )
