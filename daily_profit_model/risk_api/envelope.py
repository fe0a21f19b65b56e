"""What stands around the rows of an answer: cutting the row array out as bytes, and telling errors apart.

The rows themselves stay bytes here; `decode` reads them.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any

import duckdb
import orjson

LONGEST_MESSAGE = 200
"""Characters of the service's own words that an error repeats."""

_ARRAY_START = re.compile(rb'"[Dd]ata"\s*:\s*\[')


class MalformedAnswer(ValueError):
    """The answer is not the JSON it should be: truncated, broken, or an envelope that says error."""


@dataclass(frozen=True)
class Envelope:
    """The rows of one answer as a JSON array in bytes, and the service's total (null: not asked for)."""

    rows: bytes
    total: int | None


def cut(body: bytes, *, rows_are_read_next: bool = False) -> Envelope:
    """The row array of an answer, cut out without making an object a row.

    The cut is right when what is left around it parses and the array itself is valid JSON (which is not
    looked at twice where the caller reads it anyway); where the quick cut does not hold, the whole answer
    is parsed. Raises MalformedAnswer.
    """
    start = _ARRAY_START.search(body)
    if start is not None:
        first, last = start.end() - 1, body.rfind(b"]")
        rows = body[first : last + 1]
        try:
            frame = orjson.loads(body[:first] + b"[]" + body[last + 1 :])
        except orjson.JSONDecodeError:
            frame = None
        if frame is not None and _rows_of(frame) == [] and (rows_are_read_next or is_json(rows)):
            return Envelope(rows, _total(frame))
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError as broken:
        raise MalformedAnswer(f"broken or truncated JSON ({len(body):,} bytes)") from broken
    rows_parsed = _rows_of(answer)
    return Envelope(orjson.dumps(rows_parsed), _total(answer))


def message(body: bytes) -> str:
    """What an error envelope says, on one line; empty if it says nothing."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    return _said(answer) if isinstance(answer, dict) else ""


def is_json(text: bytes) -> bool:
    """Whether `text` is one JSON value in UTF-8; bare NaN and Infinity pass, as rows decide about those."""
    try:
        decoded = text.decode()
    except UnicodeDecodeError:
        return False
    found = session().execute("select json_valid(?)", [decoded]).fetchone()
    return found is not None and bool(found[0])


def session() -> duckdb.DuckDBPyConnection:
    """A new session in UTC on this process's scratch database (memory only); any thread may ask."""
    cursor = _scratch().cursor()
    cursor.execute("set timezone = 'UTC'")
    return cursor


@functools.cache
def _scratch() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={"autoinstall_known_extensions": False})


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
