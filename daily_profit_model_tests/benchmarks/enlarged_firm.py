"""A firm of the sandbox so many times as large: its accounts, trades and all that is made of them, copied over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from upath import UPath

from daily_profit_model.defs.all_tables import ALL_TABLES
from daily_profit_model.lake import Lake, PartitionFile, read
from daily_profit_model.lake.lake import REVISION_FORMAT
from daily_profit_model.lake.partition_file import SINGLE_FILE, store
from daily_profit_model.partitions import days_between
from daily_profit_model.tables import Table

NAMES = ("account_id", "login", "trader_id")
"""Columns that tell the copies apart."""

SUMS = {"predictions/portfolio_daily": ("accounts", "expected_net_profit", "lower_90", "upper_90")}
"""Tables without accounts: columns that grow with them."""

COUNTS = ("received", "stored", "quarantined", "test_accounts", "repeated", "late")


def enlarge(source: Path, place: Path, copies: int, past: int) -> tuple[Lake, str, Mapping[str, int]]:
    """The last days of the lake `source` but one, `past` of them and the day that is judged, in `place`.

    Returns the lake, the judged day and the rows of it by table.
    """
    small, large = Lake(UPath(source)), Lake(UPath(place))
    last = date.fromisoformat(small.partitions("raw/metrics_daily")[-1]) - timedelta(days=1)
    days = days_between(last - timedelta(days=past), last)
    counts: dict[str, int] = {}
    for table in ALL_TABLES:
        if table.partitioning != "date":
            continue
        there = set(small.partitions(table.name))
        for day in days:
            file = small.describe(table.name, day, "newest") if day in there else None
            if file is not None:
                counts[table.name] = _copy(small, large, table, file, copies)
    return large, days[-1], counts


def _copy(small: Lake, large: Lake, table: Table, file: PartitionFile, copies: int) -> int:
    rows = read(small, table, [file.partition], as_known="newest")
    facts = dict(file.facts)
    if "login" in table.column_names or "account_id" in table.column_names:
        rows = pa.concat_tables([_renamed(rows, str(number)) for number in range(copies)])
        facts |= {name: int(str(facts[name])) * copies for name in COUNTS if name in facts}
    for name in SUMS.get(table.name, ()):
        grown = pc.multiply(rows[name], copies).cast(rows[name].type)
        rows = rows.set_column(rows.column_names.index(name), table.schema().field(name), grown)
    name = SINGLE_FILE if file.revision is None else f"revision={file.revision.strftime(REVISION_FORMAT)}.parquet"
    path = large.partition_folder(table.name, file.partition) / name
    store(path, table, file.partition, rows, file.code_version, file.inputs, facts)
    return rows.num_rows


def _renamed(rows: pa.Table, copy: str) -> pa.Table:
    for name in NAMES:
        if name in rows.column_names:
            told = pc.binary_join_element_wise(rows[name], copy, "")
            rows = rows.set_column(rows.column_names.index(name), rows.schema.field(name), told)
    return rows
