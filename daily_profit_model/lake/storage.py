"""How much each table of the lake takes: every file below its folder by what it is. What of it goes is `collect`'s."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from stat import S_ISDIR

import pyarrow.parquet as pq
from upath import UPath

from daily_profit_model.lake.lake import PARTITIONINGS, Lake, revision_of

KEPT_SUFFIX = ".kept"
"""Ends the name of a version of a served partition that does not count (see `served`)."""
PARTITION_PREFIXES = tuple(f"{partitioning}=" for partitioning in PARTITIONINGS)
FOOTERS_AT_ONCE = 8
"""An object store answers slowly, but many at a time."""
PORTION = 50
"""Footers that a thread reads in a row; handing over each alone takes longer than reading it."""


@dataclass(frozen=True)
class StoredFile:
    """A file as it lies in the lake."""

    path: UPath
    bytes: int
    modified: datetime | None
    """None: the store does not tell."""

    @property
    def is_complete(self) -> bool:
        """It is read as a part of the table."""
        return self.path.name.endswith(".parquet") and not self.path.name.startswith(".")

    @property
    def is_temporary(self) -> bool:
        """It is being written, or its writer was killed."""
        return self.path.name.startswith(".") and self.path.name.endswith(".tmp")

    @property
    def is_set_aside(self) -> bool:
        """A damaged revision that `write_revision` put out of the readers' way."""
        return self.path.name.startswith(".damaged-")


@dataclass(frozen=True)
class TableStorage:
    """The files of one table; bytes are those on disk."""

    table: str
    partitions: int
    files: int
    """All of them, temporary and damaged ones included."""
    rows: int
    """In the newest revision of each partition, where there are revisions; else in all complete files."""
    bytes: int
    superseded_files: int
    """Revisions that a newer one has replaced, and other versions of what was served; the latter stay for ever."""
    superseded_bytes: int
    temporary_files: int
    damaged_files: int
    """Set aside as damaged, or not readable: of these the rows are not counted."""


def measure(lake: Lake) -> list[TableStorage]:
    """Every table that has files in the lake, known to a contract or not, ascending by name."""
    return [measure_table(lake, table) for table in tables_in(lake)]


def measure_table(lake: Lake, table: str) -> TableStorage:
    """What the files of one table are, and how many."""
    found: list[StoredFile] = []
    superseded: list[StoredFile] = []
    partitions = 0
    for folder in table_folders(lake, table):
        files = stored_files(folder)
        partitions += any(file.is_complete for file in files)
        superseded += _superseded(files)
        found += files
    replaced = {file.path for file in superseded}
    rows = _rows([file.path for file in found if file.is_complete and file.path not in replaced])
    return TableStorage(
        table=table,
        partitions=partitions,
        files=len(found),
        rows=sum(count for count in rows if count is not None),
        bytes=sum(file.bytes for file in found),
        superseded_files=len(superseded),
        superseded_bytes=sum(file.bytes for file in superseded),
        temporary_files=sum(file.is_temporary for file in found),
        damaged_files=sum(file.is_set_aside for file in found) + rows.count(None),
    )


def tables_in(lake: Lake) -> list[str]:
    """The names of all folders that hold partitions or files, ascending."""
    return sorted(_tables_below(lake.root, "")) if lake.root.exists() else []


def table_folders(lake: Lake, table: str) -> list[UPath]:
    """Where the files of a table lie: the folder of each partition, and the table's own, in this order."""
    own = lake.table_folder(table)
    if not own.exists():
        return []
    partitions = [entry for entry in own.iterdir() if entry.name.startswith(PARTITION_PREFIXES)]
    return [*sorted(partitions, key=lambda folder: folder.name), own]


def stored_files(folder: UPath) -> list[StoredFile]:
    """The files in a folder, ascending by name; one that goes meanwhile is left out."""
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    found = (stored_file(entry) for entry in entries if not entry.name.startswith(PARTITION_PREFIXES))
    return [file for file in found if file is not None]


def stored_file(path: UPath) -> StoredFile | None:
    """A file by its size and age; None when it is gone, or a folder."""
    try:
        about = path.stat()
    except FileNotFoundError:
        return None
    if S_ISDIR(about.st_mode):
        return None
    return StoredFile(path, about.st_size, datetime.fromtimestamp(about.st_mtime, UTC) if about.st_mtime > 0 else None)


def _tables_below(folder: UPath, name: str) -> Iterator[str]:
    holds = False
    for entry in folder.iterdir():
        if entry.name.startswith(PARTITION_PREFIXES) or entry.is_file():
            holds = True
        else:
            yield from _tables_below(entry, f"{name}/{entry.name}".removeprefix("/"))
    if holds and name:
        yield name


def _superseded(files: Sequence[StoredFile]) -> list[StoredFile]:
    complete = [file for file in files if file.is_complete]
    revisions = [file for file in complete[:-1] if revision_of(file.path) is not None]
    return [*revisions, *(file for file in files if file.path.name.endswith(KEPT_SUFFIX))]


def _rows(paths: Sequence[UPath]) -> list[int | None]:
    """The rows of each file by its footer; None: it cannot be read."""
    portions = [paths[first : first + PORTION] for first in range(0, len(paths), PORTION)]
    if len(portions) < 2:
        return [_rows_of(path) for path in paths]
    with ThreadPoolExecutor(FOOTERS_AT_ONCE) as pool:
        read = pool.map(lambda portion: [_rows_of(path) for path in portion], portions)
        return [count for portion in read for count in portion]


def _rows_of(path: UPath) -> int | None:
    try:
        with path.open("rb") as stream:
            rows: int = pq.read_metadata(stream).num_rows
    except FileNotFoundError:
        return 0  # set aside or removed since it was listed
    except (OSError, ValueError):
        return None
    return rows
