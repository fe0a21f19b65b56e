"""JSON records as they were received, as a relation of a database."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from daily_profit_model.risk_api.arrays import in_arrow


def register(scratch: duckdb.DuckDBPyConnection, lines: bytes) -> None:
    """The relation `received` (nth, row) of records, one a line, the last one ended too: counted from 0, not copied."""
    ends = np.flatnonzero(np.frombuffer(lines, np.uint8) == ord("\n")) + 1
    offsets = np.zeros(len(ends) + 1, np.int64)
    offsets[1:] = ends
    rows = pa.LargeStringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(lines))
    scratch.register("received", pa.table({"nth": in_arrow(np.arange(len(ends))), "row": rows}))
