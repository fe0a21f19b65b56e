"""The form of a table contract: columns, types, units, keys and descriptions.

The contracts themselves stand in this package's other modules, one table each; reading and
writing partitions belongs to `lake`, what must hold of the values to `quality`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

import pyarrow as pa

Partitioning = Literal["date", "cutoff", "number", "none"]
"""By day, by weekly cut-off, by a running number whose partitions are created once (`lake.create_once`), or not at all."""

DAY = pa.date32()
TIMESTAMP = pa.timestamp("ms", tz="UTC")
TEXT = pa.string()
INT = pa.int64()
FLOAT = pa.float64()
FLAG = pa.bool_()


@dataclass(frozen=True)
class Column:
    """One column: what it is called, its type and unit, and what it (and its null) means."""

    name: str
    type: pa.DataType
    description: str
    unit: str | None = None
    required: bool = False
    source: str | None = None
    """The field's name (or path) upstream; null: the column is made here."""


@dataclass(frozen=True)
class Table:
    """A table of the lake. `name` is `layer/table`; rows are unique and sorted by `key`."""

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    partitioning: Partitioning = "date"
    day_column: str = ""
    """The column holding the partition's day; by default the one that the folder name carries."""
    revisions: bool = False
    """True for raw tables: a partition keeps every fetch as a revision."""
    is_served: bool = False
    """True: others have acted on a partition, so it stays once its day is over (see `lake.served`)."""
    is_report: bool = False
    """True: it tells of other tables' state, so it is made of days as well for which a blocking rule does not hold."""
    version: int = 1

    def __post_init__(self) -> None:
        if not self.day_column and self.partitioning != "none":
            object.__setattr__(self, "day_column", self.partitioning)
        names = self.column_names
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise ValueError(f"{self.name}: columns declared twice: {', '.join(twice)}")
        if missing := [name for name in self.key if name not in names]:
            raise ValueError(f"{self.name}: key columns that are not declared: {', '.join(missing)}")
        if self.is_served and self.partitioning in names:
            raise ValueError(
                f"{self.name}: a served file must hold all its columns, {self.partitioning} stands in a name"
            )

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def stored_names(self) -> list[str]:
        """The columns inside the files: Hive's convention leaves out the one in the folder's name."""
        return [name for name in self.column_names if name != self.partitioning]

    @property
    def view_name(self) -> str:
        """What the table is called in SQL texts: `raw/accounts` is `raw_accounts` there."""
        return self.name.replace("/", "_")

    @property
    def required_names(self) -> list[str]:
        return [column.name for column in self.columns if column.required]

    def column(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")

    def partition_value(self, partition: str) -> date | int:
        """What the partitioning column holds in the rows of a partition."""
        return int(partition) if self.partitioning == "number" else date.fromisoformat(partition)

    def schema(self) -> pa.Schema:
        """The Arrow schema; `required` columns are still nullable there, rules hold that."""
        return pa.schema([pa.field(column.name, column.type) for column in self.columns])


_JOINED_WORDS = {"TPvsSL": "TpVsSl", "Valto": "ValTo", "EAs": "Eas"}
"""Words that the service writes together where the lake's names keep them apart, or the reverse."""

_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake_case(api_name: str) -> str:
    """The lake's name of an API field: `netProfitPerUSDVolume` becomes `net_profit_per_usd_volume`."""
    for joined, apart in _JOINED_WORDS.items():
        api_name = api_name.replace(joined, apart)
    return _WORD_STARTS.sub("_", api_name).replace("__", "_").lower()
