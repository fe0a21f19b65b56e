"""The content hash of a partition file from the last bytes of its footer; everything else in it belongs to `lake`.

Parsing a whole footer costs half a millisecond, most of it for statistics of columns that nobody asked for. Keys of
a cache and questions of staleness ask hundreds of files for their hash alone.
"""

from __future__ import annotations

import json

from upath import UPath

from daily_profit_model.lake.lake import FOOTER_KEY, describe_file

TAIL_BYTES = 2**17
"""Read from the end: our description with a year of inputs, and the schema."""

_MAGIC = b"PAR1"
_BINARY = b"\x18"
"""Thrift's compact protocol: the next field of a struct, of bytes, whose length follows (parquet.thrift, KeyValue)."""
_MARK = _BINARY + bytes([len(FOOTER_KEY)]) + FOOTER_KEY + _BINARY
"""Before the length and the text of our description. No JSON and no base64 holds its control characters, so
that its last place in a footer, whose descriptions come after all statistics, is the true one."""


def content_hash_of(path: UPath, table: str, partition: str) -> str:
    """The content hash in a file's footer. Raises LakeError when the file is damaged or not ours."""
    try:
        found = _hash_in(_tail(path))
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        found = None
    return describe_file(path, table, partition).content_hash if found is None else found


def _tail(path: UPath) -> bytes:
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - TAIL_BYTES))
        return bytes(stream.read())


def _hash_in(tail: bytes) -> str | None:
    """None when the description is not wholly there."""
    length = int.from_bytes(tail[-8:-4], "little")
    at = tail.rfind(_MARK, max(0, len(tail) - 8 - length))
    if not tail.endswith(_MAGIC) or at < 0:
        return None
    size, start = _varint(tail, at + len(_MARK))
    described = json.loads(tail[start : start + size])
    return str(described["content_hash"])


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number in seven bits a byte, least first, and where it ends."""
    number = shift = 0
    while data[at] & 0x80:
        number |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return number | data[at] << shift, at + 1
