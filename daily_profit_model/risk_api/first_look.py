"""Pages read at once, column by column: the rows that are as the contract has them, and where the others stand.

What is not plainly good is not judged here: `second_look` reads it field by field. No object is made of a row:
Arrow parses the JSON by a schema that follows from the contract and from how the service writes each field.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from daily_profit_model.risk_api.arrays import in_arrow, where
from daily_profit_model.risk_api.rows_sql import BLANKS, IDENTITY, IDS, LARGEST, LARGEST_INT, upstream
from daily_profit_model.tables.contract import DAY, FLOAT, INT, TEXT, TIMESTAMP, Column, Table

USUAL_NUMBER = r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$"
"""A number written as text; where other texts stand among such, their rows are looked at again."""
WHOLE_TIME, WHOLE_DAY = len("2026-06-01 00:00:00"), len("2026-06-01")
"""Shorter times, such as an hour alone, are looked at again."""
ROWS_SAMPLED = 50
"""Rows of a page that tell how it is written."""
BARE_NUMBER = re.compile(rb'("\s*:\s*)(-?\d[\d.eE+-]*)(?=\s*[,}])')
"""A number as the value of a field: within a text a quote is escaped, so none is found there."""
EPOCH, DAY_MS = date(1970, 1, 1).toordinal(), 86_400_000
USUAL_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$"
"""How the service writes most times; where another form stands among them, its row is looked at again."""

Part = tuple[int, int, bytes]
"""Rows of a page: its number, how many of its rows stand before, and the rows, one a line."""
Place = tuple[int, int]
"""A page's number and which of its rows, from 1."""


class Unusual(ValueError):
    """Something among these rows keeps all of them from being read at once."""


_FIRST_MOMENT, _AFTER_LAST_MOMENT = in_arrow(np.array([1 - EPOCH, date.max.toordinal() + 1 - EPOCH]) * DAY_MS)
_ZERO, _LAST_HOUR, _LARGEST, _LARGEST_INT = in_arrow(np.array([0.0, 23.0, LARGEST, LARGEST_INT]))
_SIDES = pa.StringArray.from_buffers(2, pa.py_buffer(np.array([0, 3, 7], np.int32)), pa.py_buffer(b"buysell"))
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NO_TEXT, _NO_NUMBER = pa.nulls(1, TEXT)[0], pa.nulls(1, FLOAT)[0]


@dataclass(frozen=True)
class Looked:
    """What was read."""

    good: pa.Table
    """(page, place, the table's columns) of the rows that are plainly good."""
    doubtful: list[Place]
    unknown: Counter[tuple[date | None, str]]
    """Good rows with a value in a field that the contract does not know, by day and field."""


@dataclass(frozen=True)
class Style:
    """How a service writes: the type of each field, whether it mixes numbers with text, and fields of its own."""

    layout: dict[str, pa.DataType]
    is_mixed: bool = False
    has_unknown: bool = False


class FirstLook:
    """Reads the pages of a question, and remembers how the service writes. Safe for many threads."""

    def __init__(self, table: Table, days: Sequence[date]) -> None:
        self._table = table
        self._fields = upstream(table)
        layout = {str(column.source): FLOAT if column.type in (FLOAT, INT) else TEXT for column in self._fields}
        self._style = Style(layout)
        self._days = pc.cast(in_arrow(np.array([day.toordinal() - EPOCH for day in days])).cast(pa.int32()), DAY)

    def look(self, parts: Sequence[Part], *, learns: bool = False) -> Looked:
        """Reads `parts` at once. Raises Unusual where that cannot be done.

        `learns`: how these rows are written is found out and remembered, where they are no longer written as the
        ones before.
        """
        lines = b"".join(rows for _, _, rows in parts)
        counts = _records(lines, [len(rows) for _, _, rows in parts])
        came, style = self._parsed(lines, learns)
        doubts: list[pa.Array] = []
        firsts = [first for _, first, _ in parts]
        places = {
            "page": in_arrow(np.repeat([page for page, _, _ in parts], counts)),
            "place": in_arrow(
                np.concatenate([np.arange(1, count + 1) + at for at, count in zip(firsts, counts, strict=True)])
            ),
        }
        values = {column.name: self._value(column, came, doubts) for column in self._table.columns}
        typed = pa.table({**places, **values})
        is_doubtful = np.zeros(sum(counts), bool)
        for doubt in (*doubts, *self._impossible(values)):
            is_doubtful[where(doubt)] = True
        found: list[Place] = []
        good = typed
        if is_doubtful.any():
            doubtful = typed.select(("page", "place")).take(in_arrow(np.flatnonzero(is_doubtful)))
            found = list(zip(doubtful["page"].to_pylist(), doubtful["place"].to_pylist(), strict=True))
            good = typed.take(in_arrow(np.flatnonzero(~is_doubtful)))
        return Looked(good, found, self._unknown(lines, ~is_doubtful, good) if style.has_unknown else Counter())

    def _parsed(self, lines: bytes, learns: bool) -> tuple[pa.Table, Style]:
        """The fields as they came, and how they are written."""
        said = ""
        for style in self._styles(lines) if learns else (self._style,):
            try:
                came, found = _read(lines, style)
            except pa.ArrowException as error:
                said = str(error)
            else:
                self._style = found
                return came, found
        raise Unusual(said)

    def _styles(self, lines: bytes) -> Iterator[Style]:
        """The ways in which these rows may be written: as those before, as the first of them, with mixed types."""
        style = self._style
        yield style
        if not style.is_mixed:
            if (layout := self._layout_of(lines)) != style.layout:
                yield replace(style, layout=layout)
            yield replace(style, layout=dict.fromkeys(style.layout, TEXT), is_mixed=True)

    def _layout_of(self, lines: bytes) -> dict[str, pa.DataType]:
        """How the first of these rows write each field: as a number or as text."""
        layout = dict(self._style.layout)
        sample = b"".join(lines.splitlines(keepends=True)[:ROWS_SAMPLED])
        try:
            schema = _arrow_reader(sample, {}, "infer").schema
        except pa.ArrowException:
            return layout
        seen = {field.name: field.type for field in schema}
        for column in self._fields:
            kind = seen.get(str(column.source), pa.null())
            if pa.types.is_string(kind) or pa.types.is_timestamp(kind):
                layout[str(column.source)] = TEXT
            elif pa.types.is_integer(kind) and column.type == TEXT:
                layout[str(column.source)] = INT
            elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
                layout[str(column.source)] = FLOAT
        return layout

    def _value(self, column: Column, came: pa.Table, doubts: list[pa.Array]) -> pa.Array:
        """The column's values; where they are in doubt is added to `doubts`."""
        if column.source is None:
            return pa.nulls(came.num_rows, column.type)
        field = came[column.source]
        try:
            values = _READERS[column.type](field, doubts)
        except (KeyError, pa.ArrowException) as error:
            raise Unusual(f"{column.source}: {error}") from None
        if column.name == "side":
            values = pc.utf8_lower(values)
        if column.name in IDS:
            doubts.append(pc.ends_with(values, ".0"))
        if column.required or column.name in IDENTITY:
            doubts.append(pc.is_null(values))
        return values

    def _impossible(self, values: dict[str, pa.ChunkedArray]) -> Iterator[pa.Array]:
        """Where rows say what cannot be: the conditions of `rows_sql.problems` that look at values."""
        if self._table.column("date").source:
            yield pc.invert(pc.is_in(values["date"], self._days))
        if "side" in values:
            yield pc.invert(pc.is_in(values["side"], _SIDES))
            yield pc.less_equal(values["lots"], _ZERO)
        if "close_time" in values:
            yield pc.less(values["close_time"], values["open_time"])
        if "hour" in values:
            yield pc.invert(pc.and_(pc.greater_equal(values["hour"], _ZERO), pc.less_equal(values["hour"], _LAST_HOUR)))

    def _unknown(
        self, lines: bytes, is_good: npt.NDArray[np.bool_], good: pa.Table
    ) -> Counter[tuple[date | None, str]]:
        found: Counter[tuple[date | None, str]] = Counter()
        rows = itertools.compress(lines.splitlines(), is_good)
        for row, day in zip(rows, good["date"].to_pylist(), strict=True):
            fields = _FIELDS.decode(row)
            for name in fields.keys() - self._style.layout.keys():
                found[day, name] += bytes(fields[name]) != b"null"
        return +found


def _records(lines: bytes, sizes: Sequence[int]) -> npt.NDArray[np.int64]:
    """How many records each page has. Raises Unusual for a line that is none: Arrow's reader does not survive it."""
    text = np.frombuffer(lines, np.uint8)
    starts = np.concatenate(([0], np.flatnonzero(text == ord("\n")) + 1))
    if np.any(text[starts[:-1]] != ord("{")):
        raise Unusual("a line that is no record")
    return np.diff(np.searchsorted(starts, np.cumsum([0, *sizes])))


def _read(lines: bytes, style: Style) -> tuple[pa.Table, Style]:
    """The known fields of rows, and the style with the remark whether there are others."""
    if style.is_mixed:
        lines = BARE_NUMBER.sub(rb'\1"\2"', lines)
    if not style.has_unknown:
        try:
            return _arrow_reader(lines, style.layout, "error"), style
        except pa.ArrowInvalid as error:
            if "unexpected field" not in str(error):
                raise
    return _arrow_reader(lines, style.layout, "ignore"), replace(style, has_unknown=True)


def _arrow_reader(lines: bytes, layout: dict[str, pa.DataType], unexpected: str) -> pa.Table:
    # one block, as a row must not be longer than a block
    whole = pj.ReadOptions(use_threads=False, block_size=len(lines) + 1)
    options = pj.ParseOptions(explicit_schema=pa.schema(list(layout.items())), unexpected_field_behavior=unexpected)
    return pj.read_json(pa.BufferReader(lines), whole, options).combine_chunks()


def _text(field: pa.ChunkedArray, doubts: list[pa.Array]) -> pa.ChunkedArray:
    if pa.types.is_floating(field.type):
        raise KeyError("a number with a fraction where text belongs")
    text = pc.utf8_trim(field.cast(TEXT), BLANKS)
    empty = pc.equal(pc.binary_length(text), _ZERO)
    return pc.if_else(empty, _NO_TEXT, text) if pc.any(empty).as_py() else text


def _number(field: pa.ChunkedArray, doubts: list[pa.Array]) -> pa.ChunkedArray:
    number = (_as_number(_text(field, doubts), doubts) if field.type == TEXT else field).cast(FLOAT)
    number = pc.add(number, _ZERO)  # there is one zero
    doubts.append(pc.invert(pc.less_equal(pc.abs(number), _LARGEST)))  # not a number is in doubt as well
    return number


def _as_number(text: pa.ChunkedArray, doubts: list[pa.Array]) -> pa.ChunkedArray:
    try:
        return text.cast(FLOAT)
    except pa.ArrowInvalid:
        is_usual = pc.match_substring_regex(text, USUAL_NUMBER)
        doubts.append(pc.invert(is_usual))
        return pc.if_else(is_usual, text, _NO_TEXT).cast(FLOAT)


def _whole_number(field: pa.ChunkedArray, doubts: list[pa.Array]) -> pa.ChunkedArray:
    number = _number(field, doubts)
    is_whole = pc.and_(pc.equal(number, pc.floor(number)), pc.less_equal(pc.abs(number), _LARGEST_INT))
    if not pc.all(is_whole).as_py():
        doubts.append(pc.invert(is_whole))
        number = pc.if_else(is_whole, number, _NO_NUMBER)
    return number.cast(INT)


def _instant(field: pa.ChunkedArray, doubts: list[pa.Array]) -> pa.ChunkedArray:
    if field.type != TEXT:
        raise KeyError("a number where a time belongs")
    text = _text(field, doubts)
    lengths = pc.min_max(pc.binary_length(text)).as_py()
    is_whole = lengths["min"] is None or lengths["min"] >= WHOLE_TIME or lengths["max"] == lengths["min"] == WHOLE_DAY
    for kind in (TIMESTAMP, pa.timestamp("ms")) if is_whole else ():  # all with a zone, or all without
        try:
            return _within_years(text.cast(kind).cast(TIMESTAMP), doubts)
        except pa.ArrowInvalid:
            pass
    is_usual = pc.match_substring_regex(text, USUAL_TIME)
    doubts.append(pc.invert(is_usual))
    return _within_years(pc.if_else(is_usual, text, _NO_TEXT).cast(TIMESTAMP), doubts)


def _within_years(times: pa.ChunkedArray, doubts: list[pa.Array]) -> pa.ChunkedArray:
    moments = times.cast(pa.int64())
    doubts.append(pc.or_(pc.less(moments, _FIRST_MOMENT), pc.greater_equal(moments, _AFTER_LAST_MOMENT)))
    return times


def _day(field: pa.ChunkedArray, doubts: list[pa.Array]) -> pa.ChunkedArray:
    return pc.floor_temporal(_instant(field, doubts), unit="day").cast(DAY)


_READERS = {TEXT: _text, FLOAT: _number, INT: _whole_number, TIMESTAMP: _instant, DAY: _day}
