"""What stands around the rows of an answer: cutting the row array out as bytes, and telling errors apart.

The rows themselves stay bytes here; `decode` reads them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import msgspec
import orjson

from daily_profit_model.risk_api.scratch import session

LONGEST_MESSAGE = 200
"""Characters of the service's own words that an error repeats."""

_ARRAY_START = re.compile(rb'"[Dd]ata"\s*:\s*\[')


class MalformedAnswer(ValueError):
    """The answer is not the JSON it should be: truncated, broken, or an envelope that says error."""


@dataclass(frozen=True)
class Envelope:
    """The rows of one answer, one JSON record a line, how many, and the service's total (null: not asked for)."""

    rows: bytes
    count: int
    total: int | None


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]
    total: int | None = None


class _Answer(msgspec.Struct):
    Data: _Page
    Status: str = "ok"


_ANSWER = msgspec.json.Decoder(_Answer)
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])


def cut(body: bytes) -> Envelope:
    """The rows of an answer, cut out without making an object of a row, and known to be whole JSON.

    Bare NaN and Infinity pass, as rows decide about those. Raises MalformedAnswer.
    """
    body = _on_one_line(body)
    try:
        answer = _ANSWER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        answer = None
    if answer is None or answer.Status != "ok" or (answer.Data.total or 0) < 0 or not _is_text(body):
        try:
            return _cut_slowly(body)
        except RecursionError:
            raise MalformedAnswer(f"JSON nested too deeply ({len(body):,} bytes)") from None
    return Envelope(_lines(answer.Data.data), len(answer.Data.data), answer.Data.total)


def lines_of(array: bytes) -> bytes:
    """The elements of a JSON array, one a line, each as it stands there. Raises MalformedAnswer."""
    array = _on_one_line(array)
    try:
        return _lines(_ROWS.decode(array))
    except msgspec.DecodeError:
        pass
    try:  # with bare NaN and Infinity
        query = "select unnest(json_extract($text, '$[*]'))::varchar where json_valid($text)"
        if found := session().execute(query, {"text": array.decode()}).fetchall():
            return _lines([element.encode() for (element,) in found])
    except (duckdb.InvalidInputException, UnicodeDecodeError):
        pass
    try:  # the most lenient reader: a text may hold half a surrogate pair
        return _lines([_dumped(element) for element in json.loads(array)])
    except ValueError as broken:
        raise MalformedAnswer(f"broken or truncated JSON ({len(array):,} bytes)") from broken


def rows_in(lines: bytes) -> list[bytes]:
    """The rows of an envelope, each as JSON."""
    return lines.split(b"\n")[:-1]


def message(body: bytes) -> str:
    """What an error envelope says, on one line; empty if it says nothing."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    return _said(answer) if isinstance(answer, dict) else ""


def _cut_slowly(body: bytes) -> Envelope:
    """Answers of another form than the usual one: a bare list, bare NaN, an error."""
    if not _is_text(body):
        raise MalformedAnswer(f"not UTF-8 ({len(body):,} bytes)")
    start = _ARRAY_START.search(body)
    if start is not None:
        first, last = start.end() - 1, body.rfind(b"]")
        try:
            frame = orjson.loads(body[:first] + b"[]" + body[last + 1 :])
        except orjson.JSONDecodeError:
            frame = None
        if frame is not None and _rows_of(frame) == []:
            lines = lines_of(body[first : last + 1])
            return Envelope(lines, lines.count(b"\n"), _total(frame))
    try:
        answer = json.loads(body)
    except ValueError as broken:
        raise MalformedAnswer(f"broken or truncated JSON ({len(body):,} bytes)") from broken
    rows = _rows_of(answer)
    return Envelope(_lines([_dumped(row) for row in rows]), len(rows), _total(answer))


def _on_one_line(text: bytes) -> bytes:
    """JSON without line ends, which are white space there: inside of a text they are written as escapes."""
    return text.replace(b"\n", b" ").replace(b"\r", b" ") if b"\n" in text or b"\r" in text else text


def _lines(rows: Sequence[bytes | msgspec.Raw]) -> bytes:
    return b"\n".join((*rows, b"")) if rows else b""


def _dumped(row: object) -> bytes:
    return json.dumps(row, separators=(",", ":")).encode()


def _is_text(body: bytes) -> bool:
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _said(answer: dict[str, Any]) -> str:
    return " ".join(str(answer.get("Error") or answer.get("Message") or "").split())[:LONGEST_MESSAGE]


def _rows_of(answer: Any) -> list[Any]:
    if not isinstance(answer, dict):
        raise MalformedAnswer("the answer is not an envelope")
    status = answer.get("Status", "ok")
    if status != "ok":
        raise MalformedAnswer(f"status {str(status)[:40]!r}: {_said(answer) or 'no message'}")
    data = answer.get("Data")
    rows = data.get("data") if isinstance(data, dict) else data
    if not isinstance(rows, list):
        raise MalformedAnswer("the envelope holds no rows")
    return rows


def _total(answer: dict[str, Any]) -> int | None:
    data = answer["Data"]
    total = data.get("total") if isinstance(data, dict) else None
    if isinstance(total, str) and total.isdecimal():
        return int(total)
    if total is None or (isinstance(total, int) and not isinstance(total, bool) and total >= 0):
        return total
    raise MalformedAnswer(f"the total is no number of rows: {str(total)[:40]}")
