"""Where two makings of the same rows differ, bit by bit, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.lake import content_hash

ROWS = "rows"
"""Stands for a column where a whole row is in one of the two only."""
SAMPLE = 3
"""Differing rows of a column that are shown."""

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Difference:
    """Rows in which one column differs, and the first of them: (key, expected, found)."""

    rows: int
    sample: tuple[tuple[str, object, object], ...] = field(default=())


def differences(key: Sequence[str], expected: pa.Table, found: pa.Table) -> dict[str, Difference]:
    """Columns of `expected` that differ in `found`, with the rows concerned; ROWS for rows of one of them only.

    Rows are told apart by `key`, a null counting as a value. Numbers are compared by their bits: 0.0 is not -0.0.
    """
    left, right, only_left, only_right = _aligned(key, expected, found)
    answer: dict[str, Difference] = {}
    if len(only_left) or len(only_right):
        sample = [
            *((_name(expected, key, place), "there", "not there") for place in only_left[:SAMPLE]),
            *((_name(found, key, place), "not there", "there") for place in only_right[:SAMPLE]),
        ]
        answer[ROWS] = Difference(len(only_left) + len(only_right), tuple(sample[:SAMPLE]))
    one, other = expected.take(left), found.take(right)
    for column in expected.column_names:
        places = np.flatnonzero(_differs(one[column], other[column]))
        if len(places):
            shown = [
                (_name(one, key, place), one[column][place].as_py(), other[column][place].as_py())
                for place in map(int, places[:SAMPLE])
            ]
            answer[column] = Difference(len(places), tuple(shown))
    return answer


def _aligned(key: Sequence[str], one: pa.Table, other: pa.Table) -> tuple[Places, Places, Places, Places]:
    """Places of the rows that both have, in the same order, then of those that only one has."""
    if one.num_rows == other.num_rows and all(one[name].equals(other[name]) for name in key):
        both = np.arange(one.num_rows)
        return both, both, both[:0], both[:0]
    same = " and ".join(f'one."{name}" is not distinct from other."{name}"' for name in key)
    with duckdb.connect(":memory:", config={"threads": 1}) as session:
        for name, rows in (("one", one), ("other", other)):
            placed = rows.select(list(key)).append_column("place", pa.array(np.arange(rows.num_rows)))
            session.register(name, placed)
        places = session.sql(
            f"select one.place as one, other.place as other from one full join other on {same} order by all"
        ).to_arrow_table()
    left, right = places["one"], places["other"]
    in_both = places.filter(pc.and_(pc.is_valid(left), pc.is_valid(right)))
    return (
        in_both["one"].to_numpy(),
        in_both["other"].to_numpy(),
        left.filter(pc.is_null(right)).to_numpy(),
        right.filter(pc.is_null(left)).to_numpy(),
    )


def _differs(one: pa.ChunkedArray, other: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    nulls = [np.asarray(pc.is_null(column)) for column in (one, other)]
    if pa.types.is_floating(one.type):
        bits = [np.asarray(pc.fill_null(column, 0.0)).view(np.int64) for column in (one, other)]
        unequal = bits[0] != bits[1]
    elif pa.types.is_nested(one.type):
        unequal = _nested_differ(one, other)
    else:
        unequal = np.asarray(pc.fill_null(pc.not_equal(one, other), False))
    either: npt.NDArray[np.bool_] = (nulls[0] != nulls[1]) | (unequal & ~nulls[0])
    return either


def _nested_differ(one: pa.ChunkedArray, other: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Lists and structures, by their texts where their hashes differ: a number's text is that of its bits."""
    if content_hash(pa.table({"nested": one})) == content_hash(pa.table({"nested": other})):
        return np.zeros(len(one), dtype=bool)
    texts = [np.array([repr(value) for value in column.to_pylist()], dtype=object) for column in (one, other)]
    unequal: npt.NDArray[np.bool_] = texts[0] != texts[1]
    return unequal


def _name(rows: pa.Table, key: Sequence[str], place: int | np.int64) -> str:
    return " ".join(str(rows[name][int(place)].as_py()) for name in key)
