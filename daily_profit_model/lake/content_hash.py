"""The content hash of a table: over all values, types and nulls, independent of how they are stored.

Knows Arrow only; where files lie and what their footers hold belongs to `partition_file`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

HASH_VERSION = b"content-hash-1"


def content_hash(rows: pa.Table) -> str:
    """sha256 (hex) over column names, types, validity and values of `rows`, in their order.

    Two tables hash alike exactly when they hold the same rows; chunking, dictionary encoding,
    buffer offsets and whatever lies in the slots of nulls make no difference.
    """
    digest = hashlib.sha256(HASH_VERSION)
    digest.update(str(rows.num_rows).encode())
    for field in rows.schema:
        column = rows.column(field.name).combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # no chunk at all: a table without rows
            column = pa.array([], type=field.type)
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        digest.update(f"|{field.name}:{kind}|".encode())
        for part in _canonical_bytes(column):
            digest.update(part)
    return digest.hexdigest()


def combined_hash(parts: dict[str, str]) -> str:
    """sha256 (hex) over named hashes, whatever their order."""
    text = "\n".join(f"{name}={parts[name]}" for name in sorted(parts))
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical_bytes(column: pa.Array) -> Iterator[bytes | memoryview]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    yield _plain(pc.cast(column.is_valid(), pa.uint8()))
    if pa.types.is_null(kind):
        return
    if pa.types.is_struct(kind):
        for index in range(kind.num_fields):
            yield from _canonical_bytes(pc.struct_field(column, [index]))
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        lengths = pc.fill_null(pc.cast(pc.list_value_length(column), pa.int64()), 0)
        yield _plain(lengths)
        yield from _canonical_bytes(pc.list_flatten(column))
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
        wide = pa.large_binary()
        filled = pc.fill_null(pc.cast(column, wide), pa.scalar(b"", wide))
        yield _plain(pc.cast(pc.binary_length(filled), pa.int64()))
        yield b"".join(filled.to_pylist()) if filled.offset else _string_bytes(filled)
    elif pa.types.is_boolean(kind):
        yield _plain(pc.fill_null(pc.cast(column, pa.uint8()), 0))
    else:
        zero = pa.array([0], type=pa.int64()) if not pa.types.is_floating(kind) else pa.array([0.0])
        yield _plain(pc.fill_null(column, pc.cast(zero, _storage_of(kind)).cast(kind)[0]))


def _storage_of(kind: pa.DataType) -> pa.DataType:
    return pa.int32() if pa.types.is_date32(kind) else (pa.float64() if pa.types.is_floating(kind) else pa.int64())


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
