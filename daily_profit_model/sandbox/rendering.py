"""From columns to the JSON text of each row, without a Python object a value.

orjson writes a numeric column at once; splitting its text at the commas gives the values of the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

MS_A_DAY = 86_400_000


def rows(columns: Mapping[str, list[bytes]]) -> list[bytes]:
    """JSON objects, one a row, from JSON values by column."""
    names = [orjson.dumps(name).replace(b"%", b"%%") for name in columns]
    template = b"{" + b",".join(name + b":%b" for name in names) + b"}"
    return [template % values for values in zip(*columns.values(), strict=True)]


def numbers(values: NDArray[Any], digits: int | None = None) -> list[bytes]:
    """Numbers as JSON; what is not finite becomes null."""
    if values.dtype.kind == "f":
        values = values if digits is None else np.round(values, digits) + 0.0
        values = np.where(np.isfinite(values), values, np.nan)
    text = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)
    return text[1:-1].split(b",") if len(values) else []


def texts(values: NDArray[Any] | list[Any]) -> list[bytes]:
    """Strings as JSON; None becomes null."""
    known: dict[Any, bytes] = {}
    encoded = []
    for value in values.tolist() if isinstance(values, np.ndarray) else values:
        if value not in known:
            known[value] = orjson.dumps(value)
        encoded.append(known[value])
    return encoded


def constant(value: Any, count: int) -> list[bytes]:
    """The same value in every row."""
    return [orjson.dumps(value)] * count


def moments(milliseconds: NDArray[np.int64]) -> list[bytes]:
    """Instants as `"2026-06-01T08:15:30.123Z"`."""
    text = np.datetime_as_string(milliseconds.astype("datetime64[ms]"), unit="ms")
    return [b'"%bZ"' % value for value in text.astype("S23").tolist()]


def moments_or_null(milliseconds: NDArray[np.int64]) -> list[bytes]:
    """Instants, where a negative number means null."""
    written = moments(np.maximum(milliseconds, 0))
    return [text if known else b"null" for text, known in zip(written, milliseconds >= 0, strict=True)]


def days(numbers_of_days: NDArray[Any]) -> list[bytes]:
    """Days since 1970-01-01 as midnight instants; a negative number means null."""
    return moments_or_null(np.asarray(numbers_of_days).astype(np.int64) * MS_A_DAY)
