"""Two makings of the same rows are compared by bits, column by column, row by row under the key."""

from __future__ import annotations

import pyarrow as pa

from daily_profit_model.features.audit.differences import ROWS, differences

ROWS_OF_ONE = pa.table({
    "account": ["a", "b", None], "x": [0.0, 1.0, float("nan")], "n": [1, None, 3], "t": ["u", None, "w"],
})  # fmt: skip


def _with(name: str, values: list[object]) -> pa.Table:
    return ROWS_OF_ONE.set_column(
        ROWS_OF_ONE.column_names.index(name), ROWS_OF_ONE.schema.field(name), pa.array(values, ROWS_OF_ONE[name].type)
    )


def test_equal_rows_do_not_differ_in_whatever_order() -> None:
    assert differences(["account"], ROWS_OF_ONE, ROWS_OF_ONE) == {}
    assert differences(["account"], ROWS_OF_ONE, ROWS_OF_ONE.take([2, 0, 1])) == {}


def test_one_bit_is_a_difference() -> None:
    found = differences(["account"], ROWS_OF_ONE, _with("x", [-0.0, 1.0000000000000002, float("nan")]))
    assert found["x"].rows == 2
    assert found["x"].sample[1] == ("b", 1.0, 1.0000000000000002)
    assert list(found) == ["x"]


def test_a_null_is_a_value_of_its_own() -> None:
    assert differences(["account"], ROWS_OF_ONE, _with("n", [1, 0, None]))["n"].rows == 2
    assert differences(["account"], ROWS_OF_ONE, _with("t", ["u", "", "w"]))["t"].sample == (("b", None, ""),)
    assert differences(["account"], ROWS_OF_ONE, _with("x", [None, 1.0, float("nan")]))["x"].rows == 1


def test_rows_of_one_side_only_are_counted_and_the_others_are_compared() -> None:
    other = pa.table(
        {"account": [None, "c", "b"], "x": [float("nan"), 5.0, 2.0], "n": [3, 1, None], "t": ["w", "", None]}
    )
    found = differences(["account"], ROWS_OF_ONE, other)
    assert {name: difference.rows for name, difference in found.items()} == {ROWS: 2, "x": 1}
    assert set(found[ROWS].sample) == {("a", "there", "not there"), ("c", "not there", "there")}


def test_lists_are_compared_by_bits_too() -> None:
    kind = pa.list_(pa.struct([("symbol", pa.string()), ("volume", pa.float64())]))
    one = [[{"symbol": "EURUSD", "volume": 0.0}], None, [], [{"symbol": None, "volume": float("nan")}]]
    other = [[{"symbol": "EURUSD", "volume": -0.0}], [], None, [{"symbol": None, "volume": float("nan")}]]
    tables = [pa.table({"account": list("abcd"), "symbols": pa.array(lists, kind)}) for lists in (one, other)]
    assert differences(["account"], tables[0], tables[0]) == {}
    assert differences(["account"], *tables)["symbols"].rows == 3
