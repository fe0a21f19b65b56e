"""One entry on disk: `entries/{digest}.parquet`, a description beside it, and a lock. When it counts is `store`'s.

The description (JSON) holds the checksum of the rows' file and the key's parts. It is written last and
removed first, so rows without it are no entry, and rows under the description of others are damaged. Its mtime is the last access; atime is often switched off.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from daily_profit_model.cache.key import CacheKey, digest_of

ENTRIES = "entries"
LOCKS = "locks"
TEMPORARY = re.compile(r"\.([0-9a-f]{64})\.(?:parquet|json)\.[0-9a-f]{32}\.tmp")
ROWS = re.compile(r"([0-9a-f]{64})\.parquet")
DESCRIPTION = re.compile(r"([0-9a-f]{64})\.json")

State = tuple[int, ...] | None
"""What tells whether an entry is still the one that was looked at; None: there is none."""


class DamagedEntry(Exception):
    """An entry is not what was stored; the message says in what."""


class NotKeepable(TypeError):
    """A table that Parquet would not give back bit for bit; the message names the column."""


@dataclass(frozen=True)
class Entry:
    """The files of one digest below the cache's folder. Who uses them holds `lock_file`."""

    folder: Path
    digest: str

    @property
    def rows_file(self) -> Path:
        return self.folder / ENTRIES / f"{self.digest}.parquet"

    @property
    def description_file(self) -> Path:
        return self.folder / ENTRIES / f"{self.digest}.json"

    @property
    def lock_file(self) -> Path:
        return self.folder / LOCKS / f"{self.digest}.lock"

    def state(self) -> State:
        try:
            about = self.description_file.stat()
        except FileNotFoundError:
            return None
        try:
            rows = self.rows_file.stat()
        except FileNotFoundError:
            return about.st_ino, about.st_size
        return about.st_ino, about.st_size, rows.st_ino, rows.st_size, rows.st_mtime_ns

    def load(self) -> pa.Table | None:
        """The rows, None when there is no entry. Raises DamagedEntry."""
        with self._checked() as stream:
            return None if stream is None else pq.ParquetFile(stream).read()

    def check(self) -> bool:
        """Whether there is an entry. Raises DamagedEntry when it is not what was stored."""
        with self._checked() as stream:
            if stream is not None:
                pq.read_metadata(stream)
            return stream is not None

    def store(self, rows: pa.Table, key: CacheKey, at: datetime) -> None:
        """Write the entry, or replace it. Raises NotKeepable, and OSError when the disk does not take it."""
        _check_keepable(rows.schema)
        self.rows_file.parent.mkdir(parents=True, exist_ok=True)
        with _new_file(self.rows_file) as temporary:
            with temporary.open("xb") as stream:
                _write_rows(rows, stream)
                _to_disk(stream)
            with temporary.open("rb") as stream:
                checksum = hashlib.file_digest(stream, "sha256").hexdigest()
                stream.seek(0)
                if not pq.read_schema(stream).equals(rows.schema, check_metadata=True):
                    raise NotKeepable("the table cannot be kept: its schema does not come back as it was")
            size = temporary.stat().st_size
            os.replace(temporary, self.rows_file)
        described = {"sha256": checksum, "bytes": size, "rows": rows.num_rows, "key": key.parts}
        with _new_file(self.description_file) as temporary:
            with temporary.open("xb") as stream:
                stream.write(json.dumps(described, indent=1, sort_keys=True).encode())
                _to_disk(stream)
            _set_mtime(temporary, at)
            os.replace(temporary, self.description_file)
        _folder_to_disk(self.rows_file.parent)

    def touch(self, at: datetime) -> None:
        """Note an access."""
        _set_mtime(self.description_file, at)

    def last_access(self) -> datetime | None:
        """None when there is no entry."""
        try:
            return datetime.fromtimestamp(self.description_file.stat().st_mtime, UTC)
        except FileNotFoundError:
            return None

    def bytes(self) -> int:
        """Of both files, as far as they are there."""
        found = 0
        for path in (self.rows_file, self.description_file):
            with contextlib.suppress(FileNotFoundError):
                found += path.stat().st_size
        return found

    def remove(self) -> None:
        """Remove the files and the lock's, which must be held exclusively."""
        self.description_file.unlink(missing_ok=True)
        self.rows_file.unlink(missing_ok=True)
        self.lock_file.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _checked(self) -> Iterator[BinaryIO | None]:
        """The rows' file, after its checksum was found right; None when there is no entry."""
        try:
            described = self._description()
            if described is None:
                yield None
                return
            with self.rows_file.open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != described["sha256"]:
                    raise DamagedEntry("the checksum of the rows is wrong")
                stream.seek(0)
                yield stream
        except (OSError, KeyError, TypeError, ValueError, NotImplementedError) as error:
            raise DamagedEntry(" ".join(f"{type(error).__name__}: {error}".split())) from error

    def _description(self) -> dict[str, Any] | None:
        try:
            text = self.description_file.read_bytes()
        except FileNotFoundError:
            return None
        described: dict[str, Any] = json.loads(text)
        if digest_of(described["key"]) != self.digest:
            raise DamagedEntry("the description is of another key")
        return described


def entries(folder: Path) -> list[Entry]:
    """The entries below the cache's folder, whole or damaged, ascending by digest."""
    return [Entry(folder, digest) for digest in _digests(folder / ENTRIES, DESCRIPTION)]


def _digests(folder: Path, pattern: re.Pattern[str]) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(found[1] for path in folder.iterdir() if (found := pattern.fullmatch(path.name)))


def _write_rows(rows: pa.Table, stream: BinaryIO) -> None:
    # a dictionary of numbers costs time and makes no file smaller
    texts = [field.name for field in rows.schema if pa.types.is_string(field.type)]
    try:
        pq.write_table(
            rows,
            stream,
            compression="zstd",
            store_schema=True,
            use_dictionary=texts,
            use_compliant_nested_type=False,  # the compliant one renames the fields of lists
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise NotKeepable(f"the table cannot be kept: {error}") from error


def _check_keepable(schema: pa.Schema) -> None:
    if not len(schema):
        raise NotKeepable("a table without columns cannot be kept")
    for field in schema:
        if not _keepable(field.type):
            raise NotKeepable(f"column {field.name}: {field.type} does not come back bit for bit; cast it first")


def _keepable(kind: pa.DataType) -> bool:
    """Types that come back from Parquet as they went in; dictionaries are coded anew, date64 loses hours."""
    types = pa.types
    if types.is_struct(kind):
        return kind.num_fields > 0 and all(_keepable(kind.field(place).type) for place in range(kind.num_fields))
    if types.is_list(kind) or types.is_large_list(kind):
        return _keepable(kind.value_type)
    if types.is_timestamp(kind):
        return bool(kind.unit != "s")
    plain = (
        types.is_boolean, types.is_integer, types.is_floating, types.is_decimal, types.is_null, types.is_date32,
        types.is_time64, types.is_duration, types.is_string, types.is_large_string, types.is_binary,
        types.is_large_binary, types.is_fixed_size_binary,
    )  # fmt: skip
    return any(is_kind(kind) for is_kind in plain)


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`; what is left under it goes, unless the process is killed."""
    temporary = path.parent / f".{path.name}.{uuid.uuid4().hex}.tmp"
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _to_disk(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def _folder_to_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _set_mtime(path: Path, at: datetime) -> None:
    os.utime(path, (at.timestamp(), at.timestamp()))
