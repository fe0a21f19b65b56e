"""A table with columns of every kind, and changes of one of its cells. What a change does to a key is `cache_keys`'."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.tables import Column, Table
from daily_profit_model.tables.contract import DAY, FLAG, FLOAT, INT, TEXT, TIMESTAMP
from daily_profit_model.tables.predictions import TOP_FEATURES

CELLS = Table(
    name="staging/cells",
    description="For the benchmarks.",
    key=("date", "row"),
    columns=(
        Column("date", DAY, "Day", required=True),
        Column("row", INT, "Number", required=True),
        *(Column(f"money_{number}", FLOAT, "Money", "USD") for number in range(8)),
        Column("share", pa.float32(), "Share"),
        Column("count", INT, "Count"),
        Column("flag", FLAG, "Flag"),
        Column("symbol", TEXT, "Few texts, many times"),
        Column("login", TEXT, "Many texts"),
        Column("instant", TIMESTAMP, "Instant"),
        Column("seen", DAY, "Another day"),
        Column("reasons", TOP_FEATURES, "List of records"),
    ),
)

MONEY = tuple(f"money_{number}" for number in range(8))
TEXTS = ("symbol", "login")
EXAMPLES: dict[str, Any] = {
    **dict.fromkeys(MONEY, 0.0), "share": 0.0, "count": 0, "flag": False, "symbol": "a", "login": "a",
    "instant": 0, "seen": 0, "reasons": [],
}  # fmt: skip
"""A value of each column that may be null: the least that there is, which a null must not be taken for."""

Mask = Callable[[pa.Array], pa.Array]


@dataclass(frozen=True)
class CellChange:
    """Where a change can be made, and what it makes of the value there (column, value) → value."""

    columns: tuple[str, ...]
    where: Mask
    new: Callable[[str, Any], Any]


def _nested(value: list[dict[str, Any]], **changed: Any) -> list[dict[str, Any]]:
    """The last record of the list with some fields changed."""
    return [*value[:-1], {**value[-1], **changed}]


def _has_records(column: pa.Array) -> pa.Array:
    return pc.greater(pc.list_value_length(column), 0)


def _longer(column: pa.Array) -> pa.Array:
    return pc.greater(pc.utf8_length(column), 0)


CHANGES: dict[str, CellChange] = {
    "a value to null": CellChange(tuple(EXAMPLES), pc.is_valid, lambda _, value: None),
    "null to a value": CellChange(tuple(EXAMPLES), pc.is_null, lambda name, _: EXAMPLES[name]),
    "0.0 to -0.0": CellChange((*MONEY, "share"), lambda column: pc.equal(column, 0.0), lambda _, value: -0.0),
    "the last bit of a float": CellChange(MONEY, pc.is_valid, lambda _, value: math.nextafter(value, math.inf)),
    "the last bit of a small float": CellChange(
        ("share",), pc.is_valid, lambda _, value: float(np.nextafter(np.float32(value), np.float32(np.inf)))
    ),
    "a float to NaN": CellChange(MONEY, pc.is_valid, lambda _, value: math.nan),
    "an integer by one": CellChange(("count",), pc.is_valid, lambda _, value: value + 1),
    "a flag turned": CellChange(("flag",), pc.is_valid, lambda _, value: not value),
    "a letter of a text": CellChange(TEXTS, _longer, lambda _, value: value[:-1] + ("y" if value[-1] == "x" else "x")),
    "an empty text": CellChange(TEXTS, pc.is_null, lambda _, value: ""),
    "an instant by a millisecond": CellChange(
        ("instant",), pc.is_valid, lambda _, value: value + timedelta(milliseconds=1)
    ),
    "a day by one": CellChange(("seen",), pc.is_valid, lambda _, value: value + timedelta(days=1)),
    "a number in a list": CellChange(
        ("reasons",),
        _has_records,
        lambda _, value: _nested(value, contribution=math.nextafter(value[-1]["contribution"], math.inf)),
    ),
    "a text in a list": CellChange(
        ("reasons",), _has_records, lambda _, value: _nested(value, name=value[-1]["name"] + "x")
    ),
    "a record less": CellChange(("reasons",), _has_records, lambda _, value: value[:-1]),
    "an empty list to null": CellChange(
        ("reasons",), lambda column: pc.equal(pc.list_value_length(column), 0), lambda _, value: None
    ),
}


def changed_cell(rows: pa.Table, kind: str, dice: random.Random, *, at_the_end: bool) -> tuple[pa.Table, int]:
    """The rows with one cell changed, and its row: a random one of those that can be, or the last of them."""
    change = CHANGES[kind]
    name = dice.choice(change.columns)
    column = rows[name].combine_chunks()
    places = np.flatnonzero(np.asarray(pc.fill_null(change.where(column), False)))
    row = int(places[-1] if at_the_end else dice.choice(places))
    new = pa.array([change.new(name, column[row].as_py())], column.type)
    whole = pa.chunked_array([column.slice(0, row), new, column.slice(row + 1)])
    return rows.set_column(rows.column_names.index(name), name, whole), row


def cell_rows(day: str, rows: int, seed: int) -> pa.Table:
    """Random rows: a twentieth of each column is null, another one zero; the last row has neither."""
    rng = np.random.default_rng(seed)

    def column(values: Any, kind: pa.DataType) -> pa.Array:
        missing = rng.random(rows) < 0.05
        missing[-1] = False
        return pa.array(values, kind, mask=missing)

    def money() -> Any:
        return np.where(rng.random(rows) < 0.05, 0.0, rng.standard_t(4, rows) * 100)

    logins = np.char.add("login-", rng.integers(0, 10**9, rows).astype(str))
    return pa.table(
        {
            "date": pa.array(np.full(rows, np.datetime64(day, "D"))),
            "row": pa.array(np.arange(rows)),
            **{name: column(money(), FLOAT) for name in MONEY},
            "share": column(money().astype(np.float32), pa.float32()),
            "count": column(rng.poisson(3, rows), INT),
            "flag": column(rng.random(rows) < 0.5, FLAG),
            "symbol": column(rng.choice(["EURUSD", "XAUUSD", "US30"], rows), TEXT),
            "login": column(logins, TEXT),
            "instant": column(rng.integers(0, 10**12, rows).astype("datetime64[ms]"), TIMESTAMP),
            "seen": column(np.datetime64(date(2026, 1, 1), "D") + rng.integers(0, 50, rows), DAY),
            "reasons": _reasons(rng, rows),
        }
    )


def _reasons(rng: np.random.Generator, rows: int) -> pa.Array:
    """Lists of no, one or two records, some of them null."""
    lengths = rng.integers(0, 3, rows)
    lengths[-1] = 2
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    count = int(offsets[-1])
    kinds = TOP_FEATURES.value_type
    values = {
        "name": pa.array(rng.choice(["pnl_sum_1d", "is_weekend"], count)),
        "contribution": pa.array(rng.normal(size=count)),
    }
    fields = [
        values.get(field.name, pa.nulls(count, field.type)).cast(field.type)
        for field in (kinds.field(place) for place in range(kinds.num_fields))
    ]
    records = pa.StructArray.from_arrays(fields, fields=list(kinds))
    missing = rng.random(rows) < 0.05
    missing[-1] = False
    return pa.ListArray.from_arrays(pa.array(offsets), records, type=TOP_FEATURES, mask=pa.array(missing))
