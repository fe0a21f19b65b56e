"""The databases in which rows are read. What is done in them belongs to `decode`."""

from __future__ import annotations

import functools
from threading import RLock

import duckdb

from daily_profit_model.lake import scratch

MEMORY_LIMIT = "160MB"
"""Of one database; a day of any size passes within it, by way of the disk."""
_first = RLock()
"""functools.cache calls twice what two threads ask for at once."""


def session() -> duckdb.DuckDBPyConnection:
    """A new session on this process's own database, for single values; any thread may ask."""
    with _first:
        database = _own()
    return scratch.session_on(database)


def new_database() -> duckdb.DuckDBPyConnection:
    """A database of its own, gone when it is closed."""
    return scratch.new_database(MEMORY_LIMIT, preserve_insertion_order=False, enable_external_file_cache=False)


@functools.cache
def _own() -> duckdb.DuckDBPyConnection:
    return new_database()
