"""The content hash: every cell, type and null counts, the way of storing does not."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daily_profit_model.lake import combined_hash, content_hash
from daily_profit_model_tests.lake.small_table import small_rows

SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("whole", pa.int64()),
        ("money", pa.float64()),
        ("small", pa.float32()),
        ("flag", pa.bool_()),
        ("day", pa.date32()),
        ("instant", pa.timestamp("ms", tz="UTC")),
        ("list", pa.list_(pa.int64())),
        ("struct", pa.struct([("name", pa.string()), ("share", pa.float64())])),
    ]
)
_CELLS = {
    "text": st.text(max_size=4),
    "whole": st.integers(-(2**63), 2**63 - 1),
    "money": st.floats(allow_nan=False),
    "small": st.floats(width=32, allow_nan=False),
    "flag": st.booleans(),
    "day": st.dates(date(1990, 1, 1), date(2050, 1, 1)),
    "instant": st.datetimes(datetime(1990, 1, 1), datetime(2050, 1, 1)).map(
        lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
    ),
    "list": st.lists(st.one_of(st.none(), st.integers(0, 3)), max_size=3),
    "struct": st.fixed_dictionaries(
        {"name": st.one_of(st.none(), st.text(max_size=3)), "share": st.one_of(st.none(), st.floats(-1, 1))}
    ),
}
_RECORDS = st.lists(
    st.fixed_dictionaries({name: st.one_of(st.none(), cell) for name, cell in _CELLS.items()}), min_size=1, max_size=4
)


def _table(records: list[dict[str, object]]) -> pa.Table:
    return pa.Table.from_pylist(records, schema=SCHEMA)


@given(data=st.data(), records=_RECORDS)
@settings(max_examples=150, derandomize=True, deadline=None)
def test_changing_any_cell_changes_the_hash(data: st.DataObject, records: list[dict[str, object]]) -> None:
    row = data.draw(st.integers(0, len(records) - 1))
    name = data.draw(st.sampled_from(SCHEMA.names))
    changed = [dict(record) for record in records]
    changed[row][name] = data.draw(st.one_of(st.none(), _CELLS[name]).filter(lambda cell: cell != records[row][name]))
    assert content_hash(_table(records)) != content_hash(_table(changed))


@given(records=_RECORDS, cut=st.integers(0, 4))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_chunks_and_offsets_do_not_change_the_hash(records: list[dict[str, object]], cut: int) -> None:
    rows = _table(records)
    chunked = pa.concat_tables([rows.slice(0, cut), rows.slice(cut)])
    cut_out = pa.concat_tables([rows, rows, rows]).combine_chunks().slice(len(records), len(records))
    assert content_hash(chunked) == content_hash(rows)
    assert content_hash(cut_out) == content_hash(rows)


def test_dictionary_encoding_does_not_change_the_hash() -> None:
    plain = pa.table({"plan": pa.array(["b", None, "a", "b"])})
    encoded = pa.table({"plan": plain["plan"].combine_chunks().dictionary_encode()})
    assert content_hash(encoded) == content_hash(plain)


def test_what_lies_under_a_null_does_not_change_the_hash() -> None:
    import pyarrow.compute as pc

    clean = pa.array([1.0, None, 3.0])
    dirty = pc.if_else(pa.array([True, None, True]), pa.array([1.0, 99.0, 3.0]), pa.scalar(None, pa.float64()))
    assert dirty.equals(clean)
    assert content_hash(pa.table({"x": dirty})) == content_hash(pa.table({"x": clean}))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (pa.array([1], pa.int64()), pa.array([1], pa.int32())),
        (pa.array([1.0]), pa.array([1], pa.int64())),
        (pa.array([None], pa.float64()), pa.array([None], pa.int64())),
        (pa.array([0.0]), pa.array([None], pa.float64())),
        (pa.array([0.0]), pa.array([-0.0])),
        (pa.array([float("nan")]), pa.array([None], pa.float64())),
        (pa.array([""]), pa.array([None], pa.string())),
        (pa.array(["ab", "c"]), pa.array(["a", "bc"])),
        (pa.array([[1], [2, 3]]), pa.array([[1, 2], [3]])),
        (pa.array([[]], pa.list_(pa.int64())), pa.array([None], pa.list_(pa.int64()))),
        (pa.array([False]), pa.array([None], pa.bool_())),
    ],
)
def test_values_that_look_alike_hash_apart(left: pa.Array, right: pa.Array) -> None:
    assert content_hash(pa.table({"x": left})) != content_hash(pa.table({"x": right}))


def test_names_and_order_of_columns_and_rows_count() -> None:
    rows = small_rows()
    renamed = rows.rename_columns([name if name != "count" else "counted" for name in rows.column_names])
    hashes = {
        content_hash(table)
        for table in (rows, renamed, rows.select(rows.column_names[::-1]), rows.take([1, 0, 2]), rows.slice(0, 2))
    }
    assert len(hashes) == 5


def test_a_change_in_any_row_of_a_long_table_is_seen() -> None:
    """PITFALLS, feature cache: a hash of the last 1,000 rows missed every edit before them."""
    long = small_rows(accounts=5_000)
    first = small_rows(accounts=1, money=1.51)
    assert content_hash(pa.concat_tables([first, long.slice(1)])) != content_hash(long)


def test_a_table_without_rows_has_a_hash_that_tells_its_columns() -> None:
    empty = small_rows().slice(0, 0)
    assert content_hash(empty) == content_hash(small_rows().schema.empty_table())
    assert content_hash(empty) != content_hash(empty.drop_columns("flag"))


def test_combined_hash_depends_on_names_and_not_on_their_order() -> None:
    assert combined_hash({"a": "1", "b": "2"}) == combined_hash({"b": "2", "a": "1"})
    assert combined_hash({"a": "1", "b": "2"}) != combined_hash({"a": "2", "b": "1"})
