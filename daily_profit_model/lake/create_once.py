"""Create a partition that nobody may ever replace: of many writers exactly one makes it, whole. A log is made of such
partitions, numbered one after the other; what its rows mean is their table's business.
"""

from __future__ import annotations

import errno
import io
import os
import uuid
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
from upath import UPath

from daily_profit_model.lake.lake import Lake, LakeError, PartitionFile, describe_file
from daily_profit_model.lake.partition_file import SINGLE_FILE, fsync_folder, write_rows
from daily_profit_model.tables import Table

_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""What a file system without hard links answers."""


def create_once(
    lake: Lake,
    table: Table,
    partition: str,
    rows: pa.Table,
    *,
    code_version: str,
    facts: Mapping[str, object] | None = None,
) -> PartitionFile | None:
    """Create the one file of a partition; None, and nothing changed, when the partition is there already.

    On a local disk the file is written under a temporary name, fsynced and linked to its own: the link is made or
    refused by the file system as one step, whoever else tries, and a writer that is killed leaves a temporary file
    that blocks nobody. On an object store it rests on the store's exclusive create (fsspec's mode `xb`, which s3fs
    from 2025.7 on, gcsfs and adlfs hand over as a condition of the upload), and on an object being there whole or
    not at all. With a store that passes over the mode, or looks first and writes then, two that collide may both
    believe to have created it: keep the lake elsewhere.

    Raises LakeError when rows do not fit the contract, or when the disk knows no hard links.
    """
    buffer = io.BytesIO()
    write_rows(buffer, table, partition, rows, code_version=code_version, facts=facts)
    path = lake.partition_folder(table.name, partition, table.partitioning) / SINGLE_FILE
    if not _create(path, buffer.getvalue()):
        return None
    return describe_file(path, table.name, partition)


def _create(path: UPath, content: bytes) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.protocol in ("", "file"):
        return _link(Path(str(path)), content)
    try:
        with path.open("xb") as stream:
            stream.write(content)
    except OSError:  # stores have several names for a condition that does not hold
        path.fs.invalidate_cache()
        if path.exists():
            return False
        raise
    return True


def _link(path: Path, content: bytes) -> bool:
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        raise LakeError(
            f"{path.parent}: this disk makes no hard links, on which creating a file exactly once rests; "
            "keep the lake on another, or in an object store"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    for folder in (path.parent, path.parent.parent):
        fsync_folder(folder)
    return True
