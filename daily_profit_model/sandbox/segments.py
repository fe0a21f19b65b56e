"""Statistics by group over long columns, without a loop over groups.

Rows are given with a group number each; a group without rows gives NaN (or 0 for sums and counts).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Groups:
    """Rows sorted by group: the group of each row, how many groups there are, and their sizes."""

    row: Ints
    count: int
    size: Ints

    @property
    def start(self) -> Ints:
        """First row of each group (of the next group, where one is empty)."""
        return np.cumsum(self.size) - self.size


def groups(row: NDArray[Any], count: int) -> Groups:
    """Groups of rows that are already sorted by group number `row`, 0 … count - 1."""
    return Groups(row.astype(np.int64), count, np.bincount(row, minlength=count).astype(np.int64))


def subset(by: Groups, keep: NDArray[np.bool_]) -> Groups:
    """The same groups with the rows of `keep` only."""
    return groups(by.row[keep], by.count)


def total(by: Groups, values: NDArray[Any]) -> Floats:
    """Sum; 0 for a group without rows."""
    return np.bincount(by.row, values, minlength=by.count).astype(np.float64)


def ratio(above: NDArray[Any], below: NDArray[Any]) -> Floats:
    """Quotient; NaN where the denominator is 0."""
    above, below = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    result = np.full(np.broadcast(above, below).shape, np.nan)
    np.divide(above, below, out=result, where=below != 0)
    return result


def mean(by: Groups, values: NDArray[Any]) -> Floats:
    """Arithmetic mean; NaN for a group without rows."""
    return ratio(total(by, values), by.size)


def deviation(by: Groups, values: NDArray[Any]) -> Floats:
    """Sample standard deviation (n - 1); NaN under two rows."""
    centred = values - mean(by, values)[by.row]
    return np.sqrt(ratio(total(by, centred**2), np.where(by.size > 1, by.size - 1, 0)))


def extreme(by: Groups, values: NDArray[Any], which: np.ufunc) -> Floats:
    """Minimum or maximum (`np.minimum`, `np.maximum`); NaN for a group without rows."""
    result = np.full(by.count, np.nan)
    filled = np.flatnonzero(by.size)
    if len(filled):
        result[filled] = which.reduceat(values, by.start[filled])
    return result


def quantiles(by: Groups, values: NDArray[Any], levels: tuple[float, ...]) -> list[Floats]:
    """Quantiles with linear interpolation, one array a level; NaN for a group without rows."""
    if not len(values):
        return [np.full(by.count, np.nan) for _ in levels]
    ordered = np.asarray(values, dtype=np.float64)[np.lexsort((values, by.row))]
    found = []
    for level in levels:
        position = level * (by.size - 1)
        left = np.floor(position).astype(np.int64)
        last = len(ordered) - 1
        low = ordered[np.clip(by.start + left, 0, last)]
        high = ordered[np.clip(by.start + np.minimum(left + 1, by.size - 1), 0, last)]
        found.append(np.where(by.size > 0, low + (high - low) * (position - left), np.nan))
    return found


def median(by: Groups, values: NDArray[Any]) -> Floats:
    """Median; NaN for a group without rows."""
    return quantiles(by, values, (0.5,))[0]


def running(by: Groups, values: NDArray[Any]) -> Floats:
    """Partial sums within each group."""
    sums = np.r_[0.0, np.cumsum(values, dtype=np.float64)]
    within: Floats = sums[1:] - sums[by.start][by.row]
    return within


def running_maximum(by: Groups, values: Floats) -> Floats:
    """Running maximum within each group, not under 0."""
    # Each group is lifted above all earlier ones, so one pass over all rows does.
    lift = by.row * (2.0 * float(np.abs(values).max(initial=0.0)) + 1.0)
    return np.maximum(np.maximum.accumulate(values + lift) - lift, 0.0) if len(values) else values


def runs(by: Groups, flag: NDArray[np.bool_]) -> tuple[Groups, Ints, Ints]:
    """Unbroken runs of rows with `flag` within a group: their groups, first rows, and lengths."""
    if not len(flag):
        return groups(np.empty(0, dtype=np.int64), by.count), np.empty(0, np.int64), np.empty(0, np.int64)
    change = np.r_[True, (by.row[1:] != by.row[:-1]) | (flag[1:] != flag[:-1])]
    first = np.flatnonzero(change)
    length = np.diff(np.r_[first, len(flag)])
    kept = flag[first]
    return groups(by.row[first[kept]], by.count), first[kept], length[kept]
