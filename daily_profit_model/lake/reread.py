"""A fetch read again: stored as the revision right after the one that it was read as first.

What was received does not change by being read better, so it counts wherever the fetch counted: by the cut-off that
the fetch came before, and not instead of any later fetch.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pyarrow as pa

from daily_profit_model.lake.lake import REVISION_FORMAT, Lake, LakeError, PartitionFile, describe_file
from daily_profit_model.lake.partition_file import store
from daily_profit_model.tables import Table

STEP = timedelta(microseconds=1)
"""The least that tells two revisions apart."""


def write_reread(
    lake: Lake,
    table: Table,
    read: PartitionFile,
    rows: pa.Table,
    *,
    code_version: str,
    facts: Mapping[str, object] | None = None,
) -> PartitionFile:
    """Store `rows` as what the fetch of the revision `read` says; once more, and it is replaced in a single rename.

    `facts` are those of the fetch with what the reading changed. Raises LakeError when `read` is no revision or the
    rows do not fit the contract.
    """
    if read.revision is None:
        raise LakeError(f"{table.name} of {read.partition}: {read.path} is no revision, so it cannot be read again")
    name = f"revision={(read.revision + STEP).strftime(REVISION_FORMAT)}.parquet"
    path = lake.partition_folder(table.name, read.partition, table.partitioning) / name
    store(path, table, read.partition, rows, code_version, {}, {**read.facts, **(facts or {})})
    return describe_file(path, table.name, read.partition)
