"""The content hash of a table: over all values, types and nulls, independent of how they are stored.

Knows Arrow only; where files lie and what their footers hold belongs to `partition_file`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

HASH_VERSION = b"content-hash-2"


class ContentHash:
    """The content hash of rows that come batch by batch; how they are cut into batches makes no difference.

    Every buffer of every column (validity, lengths, values) has a digest of its own, so that nothing but
    the digests is kept between batches.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._rows = 0
        self._digests: dict[str, Any] = {}

    def update(self, rows: pa.RecordBatch | pa.Table) -> None:
        """Take the next rows; they must have the schema's columns."""
        self._rows += rows.num_rows
        for field in self._schema:
            column = rows.column(field.name)
            for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else (column,):
                for buffer, part in _canonical_bytes(chunk, field.name):
                    self._digests.setdefault(buffer, hashlib.sha256()).update(part)

    def hexdigest(self) -> str:
        """sha256 (hex) of all rows so far."""
        whole = hashlib.sha256(HASH_VERSION)
        whole.update(str(self._rows).encode())
        for field in self._schema:
            kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
            whole.update(f"|{field.name}:{kind}|".encode())
        if self._rows:
            for buffer in sorted(self._digests):
                whole.update(f"|{buffer}|".encode())
                whole.update(self._digests[buffer].digest())
        return whole.hexdigest()


def content_hash(rows: pa.Table) -> str:
    """sha256 (hex) over column names, types, validity and values of `rows`, in their order.

    Two tables hash alike exactly when they hold the same rows; chunking, dictionary encoding,
    buffer offsets and whatever lies in the slots of nulls make no difference.
    """
    found = ContentHash(rows.schema)
    found.update(rows)
    return found.hexdigest()


def combined_hash(parts: dict[str, str]) -> str:
    """sha256 (hex) over named hashes, whatever their order."""
    text = "\n".join(f"{name}={parts[name]}" for name in sorted(parts))
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical_bytes(column: pa.Array, name: str) -> Iterator[tuple[str, bytes | memoryview]]:
    """The buffers of a column as (name of the buffer, bytes), whatever lies in the slots of nulls."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    yield f"{name}/validity", _plain(pc.cast(column.is_valid(), pa.uint8()))
    if pa.types.is_null(kind):
        return
    if pa.types.is_struct(kind):
        for index in range(kind.num_fields):
            yield from _canonical_bytes(pc.struct_field(column, [index]), f"{name}/{kind.field(index).name}")
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        lengths = _filled(pc.cast(pc.list_value_length(column), pa.int64()))
        yield f"{name}/lengths", _plain(lengths)
        yield from _canonical_bytes(pc.list_flatten(column), f"{name}/items")
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
        filled = _filled(pc.cast(column, pa.large_binary()))
        yield f"{name}/lengths", _plain(pc.cast(pc.binary_length(filled), pa.int64()))
        yield f"{name}/values", b"".join(filled.to_pylist()) if filled.offset else _string_bytes(filled)
    elif pa.types.is_boolean(kind):
        yield f"{name}/values", _plain(_filled(pc.cast(column, pa.uint8())))
    else:
        yield f"{name}/values", _plain(_filled(column))


def _filled(column: pa.Array) -> pa.Array:
    """The column with zeros, or empty texts, where it is null."""
    if not column.null_count:
        return column
    # pa.scalar would import pandas, a second's work
    zero = pa.Array.from_buffers(column.type, 1, [None, pa.py_buffer(bytes(16)), *_values_buffer(column.type)])[0]
    return pc.fill_null(column, zero)


def _values_buffer(kind: pa.DataType) -> list[pa.Buffer]:
    return [pa.py_buffer(b"")] if pa.types.is_large_binary(kind) else []


def _plain(column: pa.Array) -> memoryview:
    """The value buffer of a fixed-width array, without its offset and padding."""
    width = column.type.bit_width // 8
    buffer = column.buffers()[1]
    if buffer is None:
        return memoryview(b"")
    return memoryview(buffer)[column.offset * width : (column.offset + len(column)) * width]


def _string_bytes(column: pa.Array) -> memoryview | bytes:
    offsets, values = column.buffers()[1:3]
    if values is None or offsets is None or len(column) == 0:
        return b""
    bounds = memoryview(offsets).cast("q")
    return memoryview(values)[bounds[0] : bounds[len(column)]]
