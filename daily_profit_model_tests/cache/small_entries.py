"""Keys, rows and damage for the tests of the cache. No tests here."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv

from daily_profit_model.cache import Cache, CacheKey
from daily_profit_model.cache.entry import Entry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
# pa.table of lists would import pandas, a second's work in every process of these tests
ROWS = pa.csv.read_csv(
    pa.py_buffer(b"account_id,net_profit\na,1.5\n,nan\nc,\n"),
    convert_options=pa.csv.ConvertOptions(
        column_types={"account_id": pa.string(), "net_profit": pa.float64()}, null_values=[""], strings_can_be_null=True
    ),
)
"""Three rows with a null in each column, and a NaN."""


def key(seed: int = 1, **changed: Any) -> CacheKey:
    """A key; another seed is another configuration."""
    parts: dict[str, Any] = {
        "inputs": {"features/account_daily@2026-02-28": "abc", "raw/metrics_daily@2026-03-01": None},
        "code": "1",
        "catalogue": "cat",
        "configuration": {"seed": seed, "columns": ["a", "b"]},
    }
    return CacheKey(**{**parts, **changed})


def entry_of(folder: Path, wanted: CacheKey) -> Entry:
    return Entry(folder.resolve(), wanted.digest)


def filled(folder: Path, seed: int, at: datetime, rows: pa.Table = ROWS) -> Entry:
    """An entry whose last access is `at`."""
    Cache(folder, clock=lambda: at).get_or_compute(key(seed), lambda: rows)
    return entry_of(folder, key(seed))


def flip_a_byte(path: Path, place: int = 40) -> None:
    """Size and times stay; one bit does not."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(bytes(content))


class Computation:
    """A computation that counts how often it ran."""

    def __init__(self, rows: pa.Table = ROWS) -> None:
        self.rows, self.runs = rows, 0

    def __call__(self) -> pa.Table:
        self.runs += 1
        return self.rows


def never() -> pa.Table:
    raise AssertionError("computed although an entry is there")
