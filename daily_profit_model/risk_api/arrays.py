"""Between NumPy and Arrow without pandas, which `pa.array`, `pa.scalar` and `to_numpy` would import: a second's work."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def in_arrow(values: npt.NDArray[np.int64] | npt.NDArray[np.float64]) -> pa.Array:
    """`values`, not copied."""
    kind = pa.float64() if values.dtype == np.float64 else pa.int64()
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def where(is_so: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """The positions at which `is_so` is true."""
    found = pc.indices_nonzero(is_so)
    buffer = found.buffers()[1]
    return np.frombuffer(buffer, np.int64, len(found), found.offset * 8) if len(found) else np.zeros(0, np.int64)
