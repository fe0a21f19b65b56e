"""How DuckDB reaches the files of a lake that is no local folder."""

from __future__ import annotations

import duckdb
import fsspec

from daily_profit_model.lake.lake import Lake


def reach(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """Let DuckDB read an object store; a store registered with other options is replaced."""
    if lake.root.protocol in ("", "file"):
        return
    store = fsspec.filesystem(lake.root.protocol, **lake.root.storage_options)
    name = store.protocol if isinstance(store.protocol, str) else store.protocol[0]
    if connection.filesystem_is_registered(name):
        connection.unregister_filesystem(name)
    connection.register_filesystem(store)
