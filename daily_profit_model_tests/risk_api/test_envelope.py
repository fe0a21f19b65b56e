"""Cutting the rows out of an answer gives what parsing it would, and tells errors apart."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daily_profit_model.risk_api import envelope
from daily_profit_model.risk_api.envelope import MalformedAnswer, cut, rows_in

values = st.none() | st.integers(-9, 9) | st.text(max_size=8) | st.sampled_from(['"data":[', "]", "}]", '"Data":['])
records = st.dictionaries(st.text(max_size=5), values | st.lists(values, max_size=2), max_size=3)


@given(
    rows=st.lists(records, max_size=4),
    total=st.none() | st.integers(0, 99),
    tail=st.dictionaries(st.sampled_from(["Time", "note"]), values | st.lists(values, max_size=2)),
    is_total_first=st.booleans(),
    is_indented=st.booleans(),
)
def test_the_cut_rows_are_the_rows_that_parsing_finds(
    rows: list[Any], total: int | None, tail: dict[str, Any], is_total_first: bool, is_indented: bool
) -> None:
    inner: dict[str, Any] = {"data": rows} | ({} if total is None else {"total": total})
    if is_total_first:
        inner = dict(reversed(inner.items()))
    body = orjson.dumps({"Status": "ok", "Data": inner, **tail}, option=orjson.OPT_INDENT_2 * is_indented)
    found = cut(body)
    assert [orjson.loads(row) for row in rows_in(found.rows)] == rows
    assert found.count == len(rows)
    assert found.total == total


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b'{"Status":"ok","Data":[{"login":1}]}', b'{"login":1}\n'),
        (b'{"Data":{"data":[1]}}', b"1\n"),
        (b'{"Time":[3],"Data":{"data":[1]},"more":[2]}', b"1\n"),
        (b'{"Data":{"data":[{"netProfit":NaN}]}}', b'{"netProfit":NaN}\n'),
    ],
    ids=["bare list", "no status", "lists around", "not a number"],
)
def test_other_forms_of_an_envelope_are_read(body: bytes, rows: bytes) -> None:
    assert cut(body).rows == rows


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"Status":"fail","Error":"no\\n luck"}', "status 'fail': no luck"),
        (b'{"Status":"error","Message":"x","Data":{"data":[]}}', "status 'error': x"),
        (b'{"Status":"okay","Data":{"data":[]}}', "status 'okay'"),
        (b'{"Status":null,"Data":{"data":[]}}', "status 'None'"),
        (b'{"Status":"ok"}', "no rows"),
        (b'{"Status":"ok","Data":{"data":{}}}', "no rows"),
        (b"[]", "not an envelope"),
        (b"", "broken or truncated"),
        (b'{"Status":"ok","Data":{"data":[{"a":1},{"a"', "broken or truncated"),
        (b'{"Status":"ok","Data":{"data":[{"a":1}{"a":2}]}}', "broken or truncated"),
    ],
)
def test_what_is_no_good_answer_is_said_so(body: bytes, message: str) -> None:
    with pytest.raises(MalformedAnswer, match=message):
        cut(body)


@pytest.mark.parametrize("length", range(0, 60, 3))
def test_no_beginning_of_an_answer_passes_for_the_whole(length: int) -> None:
    body = b'{"Status":"ok","Data":{"data":[{"a":1},{"a":2}],"total":2}}'
    with pytest.raises(MalformedAnswer):
        cut(body[:length])


def test_the_message_of_an_error_is_one_short_line() -> None:
    assert envelope.message(b'{"Error":"a\\nb"}') == "a b"
    assert envelope.message(b"<html>") == envelope.message(b"[]") == ""
    assert len(envelope.message(orjson.dumps({"Message": "x" * 999}))) == envelope.LONGEST_MESSAGE
