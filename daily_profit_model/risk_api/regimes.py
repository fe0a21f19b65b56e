"""The market regime of a day from its JSON document, if it was known by the day's cut-off.

A version written later is not used and the day's regime is missing (PITFALLS.md L5). The paths in
the document are declared in `tables.raw_regimes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import requests
import tenacity

from daily_profit_model.risk_api import quarantine, values
from daily_profit_model.risk_api.decoded import Decoded
from daily_profit_model.risk_api.errors import ServiceFailing, ServiceUnreachable, SourceMissing
from daily_profit_model.risk_api.quarantine import Rejection
from daily_profit_model.tables.contract import FLOAT, INT, TEXT, TIMESTAMP
from daily_profit_model.tables.raw_regimes import RAW_MARKET_REGIMES

ATTEMPTS = 4
TIMEOUT_S = 30.0

_READERS: Mapping[pa.DataType, Callable[[object], object]] = {
    FLOAT: values.number,
    INT: values.whole,
    TIMESTAMP: values.instant,
    TEXT: values.label,
}


def read_regime(source: str, day: date) -> Decoded:
    """The row of raw/market_regimes for `day`, or none.

    `source` is a folder or a URL that holds one `YYYY-MM-DD.json` a day. No document: no row. A
    document written after the cut-off: no row, `late` is 1. A broken one: no row, one in quarantine.
    Raises SourceMissing for a folder that is not there, ServiceUnreachable or ServiceFailing for a URL.
    """
    text = _fetched(source, day) if source.startswith(("http://", "https://")) else _from_folder(source, day)
    if text is None:
        return Decoded(RAW_MARKET_REGIMES.schema().empty_table(), quarantine.none())
    return regime_in(text, day)


def regime_in(text: bytes, day: date) -> Decoded:
    """What became of the document `text` as that of `day`: a row, or none as `read_regime` says."""
    empty = RAW_MARKET_REGIMES.schema().empty_table()
    unreadable: dict[str, int] = {}
    row = _row(text, day, unreadable)
    if isinstance(row, Rejection):
        rejected = quarantine.of_rejections(RAW_MARKET_REGIMES, day, [row])
        return Decoded(empty, rejected, received=1)
    if row["known_at"] > values.cutoff(day):
        return Decoded(empty, quarantine.none(), received=1, late=1)
    rows = pa.Table.from_pylist([row], schema=RAW_MARKET_REGIMES.schema())
    return Decoded(rows, quarantine.none(), received=1, unreadable=unreadable)


def _row(text: bytes, day: date, unreadable: dict[str, int]) -> dict[str, Any] | Rejection:
    payload = text.decode(errors="replace")
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as broken:
        return Rejection("malformed_document", str(broken), payload)
    if not isinstance(document, dict):
        return Rejection("malformed_document", "not an object", payload)
    try:
        written_for, known_at = values.instant(document.get("date")), _known_at(document)
    except values.UnreadableValue as wrong:
        return Rejection("unreadable_date", str(wrong), payload)
    if written_for is None or known_at is None:
        return Rejection("missing_required", "date, or both updated_at and created_at", payload)
    if written_for.date() != day:
        return Rejection("wrong_day", f"date={written_for.date()}", payload)
    row: dict[str, Any] = {"date": day, "known_at": known_at}
    for column in RAW_MARKET_REGIMES.columns:
        if column.name in row or column.source is None:
            continue
        try:
            row[column.name] = _READERS[column.type](_at(document, column.source))
        except values.UnreadableValue:
            row[column.name] = None
            unreadable[column.source] = 1
    return row


def _known_at(document: Mapping[str, Any]) -> Any:
    return values.instant(document.get("updated_at")) or values.instant(document.get("created_at"))


def _at(document: Mapping[str, Any], paths: str) -> object:
    """The value at the first of the paths (joined by `|`) that holds one."""
    for path in paths.split("|"):
        found: object = document
        for key in path.split("."):
            found = _opened(found)
            found = found.get(key) if isinstance(found, dict) else None
        if found is not None:
            return found
    return None


def _opened(value: object) -> object:
    """A part of a document may itself be JSON in a string, as a database hands its JSON columns out."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return None


def _from_folder(source: str, day: date) -> bytes | None:
    folder = Path(source)
    if not folder.is_dir():
        raise SourceMissing(f"no folder of regime documents at {folder}: set REGIMES_SOURCE")
    path = folder / f"{day}.json"
    return path.read_bytes() if path.exists() else None


def _fetched(source: str, day: date) -> bytes | None:
    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=tenacity.wait_exponential_jitter(multiplier=0.5, max=10),
        retry=tenacity.retry_if_exception_type((ServiceUnreachable, ServiceFailing)),
        reraise=True,
    )
    return retrying(_fetched_once, f"{source.rstrip('/')}/{day}.json")


def _fetched_once(url: str) -> bytes | None:
    try:
        response = requests.get(url, timeout=TIMEOUT_S)
    except requests.RequestException as error:
        raise ServiceUnreachable(f"no answer from {url} ({type(error).__name__}): check REGIMES_SOURCE") from None
    if response.status_code == 404:
        return None
    if response.status_code != 200:
        raise ServiceFailing(f"{url} answered HTTP {response.status_code}: check REGIMES_SOURCE")
    return response.content
