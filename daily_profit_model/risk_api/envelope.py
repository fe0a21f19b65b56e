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
    """The rows of one answer as a JSON array in bytes, how many, and the service's total (null: not asked for)."""

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
    """The row array of an answer, cut out without making an object of a row, and known to be whole JSON.

    Bare NaN and Infinity pass, as rows decide about those. Raises MalformedAnswer.
    """
    try:
        answer = _ANSWER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _cut_slowly(body)
    if answer.Status != "ok" or not _is_text(body):
        return _cut_slowly(body)
    rows = answer.Data.data
    return Envelope(b"[" + b",".join(rows) + b"]", len(rows), answer.Data.total)


def rows_in(array: bytes) -> Sequence[bytes]:
    """The elements of a JSON array, each as it stands there."""
    try:
        return [bytes(row) for row in _ROWS.decode(array)]
    except msgspec.DecodeError:
        pass
    try:  # with bare NaN and Infinity
        found = session().execute("select unnest(json_extract($text, '$[*]'))::varchar", {"text": array.decode()})
        return [element.encode() for (element,) in found.fetchall()]
    except duckdb.InvalidInputException:  # with half a surrogate pair, which no strict reader takes
        return [json.dumps(element, separators=(",", ":")).encode() for element in json.loads(array)]


def message(body: bytes) -> str:
    """What an error envelope says, on one line; empty if it says nothing."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    return _said(answer) if isinstance(answer, dict) else ""


def _cut_slowly(body: bytes) -> Envelope:
    """Answers of another form than the usual one: a bare list, bare NaN, an error."""
    start = _ARRAY_START.search(body)
    if start is not None:
        first, last = start.end() - 1, body.rfind(b"]")
        rows = body[first : last + 1]
        try:
            frame = orjson.loads(body[:first] + b"[]" + body[last + 1 :])
        except orjson.JSONDecodeError:
            frame = None
        if frame is not None and _rows_of(frame) == [] and (count := _length(rows)) is not None:
            return Envelope(rows, count, _total(frame))
    try:
        answer = json.loads(body)  # the most lenient of the readers: a text may hold half a surrogate pair
    except ValueError as broken:
        raise MalformedAnswer(f"broken or truncated JSON ({len(body):,} bytes)") from broken
    rows_parsed = _rows_of(answer)
    return Envelope(json.dumps(rows_parsed, separators=(",", ":")).encode(), len(rows_parsed), _total(answer))


def _length(array: bytes) -> int | None:
    """How many elements a JSON array in UTF-8 has; None when it is not one. Bare NaN and Infinity pass."""
    if not _is_text(array):
        return None
    text = array.decode()
    query = "select case when json_valid($text) then json_array_length($text) end"
    found = session().execute(query, {"text": text}).fetchone()
    return None if found is None else found[0]


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
    return int(total) if total is not None else None
