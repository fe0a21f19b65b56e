"""Files that were written before their contract grew: which of its columns they lack, and whether those may be null.

Made tables are made again when their contract grows. What was fetched or served is not: a file may be the only copy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pyarrow.parquet as pq
from upath import UPath

from daily_profit_model.lake.lake import LakeError, damaged
from daily_profit_model.tables import Table


def is_kept(table: Table) -> bool:
    """Whether files of a table stay as they are for ever, whatever its contract becomes."""
    return table.revisions or table.is_served


def absent_columns(
    path: UPath, table: Table, partition: str, names: Iterable[str], there: Collection[str]
) -> list[str]:
    """Those of the columns `names` of a contract that a file with the columns `there` lacks; they read as null.

    Raises LakeError where they must not: in a made table, and in a fetch if the contract requires one.
    """
    absent = [name for name in names if name in table.stored_names and name not in there]
    if not absent or table.is_served:
        return absent
    if not table.revisions:
        raise damaged(path, table.name, partition, ValueError(f"its contract has grown by {', '.join(absent)}"))
    if needed := [name for name in absent if table.column(name).required]:
        raise LakeError(
            f"{table.name} of {partition}: {path} was fetched before its contract required {', '.join(needed)}; keep the "
            "file, it may be the only copy, and let the contract (daily_profit_model/tables) not require what older "
            "fetches lack"
        )
    return absent


def columns_in(path: UPath, table: str, partition: str) -> set[str]:
    """The columns that a file holds. Raises LakeError when it is damaged."""
    try:
        with UPath(path).open("rb") as stream:
            return set(pq.read_schema(stream).names)
    except (OSError, ValueError) as error:
        raise damaged(path, table, partition, error) from error
