"""The request log: measurements, kept as small Parquet files of raw/requests in the lake.

A file holds at most FULL requests or what OLDEST_S seconds brought, and is there whole or not at all, so that
a killed process loses the measurements of its last seconds. What is measured stands in `measurement`; nothing
that goes wrong here stops a fetch.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import structlog
from upath import UPath

from daily_profit_model.lake import Lake, content_hash
from daily_profit_model.lake.lake import FOOTER_KEY, REVISION_FORMAT
from daily_profit_model.risk_api.measurement import Measurement
from daily_profit_model.tables.raw_requests import RAW_REQUESTS

FULL = 500
OLDEST_S = 5.0
CODE_VERSION = "1"

Cancel = Callable[[], None]
Later = Callable[[float, Callable[[], None]], Cancel]
"""Calls something so many seconds from now, unless it is cancelled."""
Row = Mapping[str, object]

_numbers = itertools.count(1)
"""Over all logs of the process, so that no two files ever have one name."""

log = structlog.get_logger(__name__)


def after(seconds: float, call: Callable[[], None]) -> Cancel:
    """`call` from a thread of its own that ends with the process."""
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()
    return timer.cancel


class RequestLog:
    """Keeps what `record` is given, from any thread; `close` writes what is still waiting."""

    def __init__(self, lake: Lake, *, run_id: str | None = None, later: Later = after) -> None:
        self._lake, self._run_id, self._later = lake, run_id, later
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._waiting: list[Row] = []
        self._cancel: Cancel = lambda: None

    def record(self, measurement: Measurement) -> None:
        """Keep one measurement."""
        with self._lock:
            self._waiting.append(self._row(measurement))
            if len(self._waiting) == 1:
                self._cancel = self._later(OLDEST_S, self.flush)
            is_full = len(self._waiting) >= FULL
        if is_full:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting. It is lost, with a warning, where that cannot be done."""
        with self._writing:
            with self._lock:
                rows, self._waiting = self._waiting, []
                self._cancel()
            try:
                for day, of_day in _by_day(rows):
                    _write(self._lake, day, of_day)
            except Exception as error:  # whatever a file system or object store raises: a fetch matters more
                log.warning("risk_api_requests_not_logged", requests=len(rows), reason=type(error).__name__)

    def close(self) -> None:
        """Write what is waiting."""
        self.flush()

    def _row(self, measurement: Measurement) -> Row:
        sent = measurement.started_at.astimezone(UTC)
        identity = {"date": sent.date(), "process_id": os.getpid(), "number": next(_numbers), "run_id": self._run_id}
        return {**asdict(measurement), **identity}


def _by_day(rows: list[Row]) -> Iterator[tuple[date, pa.Table]]:
    """The rows of each day, in the order of the contract."""
    table = pa.Table.from_pylist(rows, schema=RAW_REQUESTS.schema())
    for day in table["date"].unique().to_pylist():
        of_day = table.filter(pc.equal(table["date"], pa.scalar(day, pa.date32())))
        yield day, of_day.sort_by([(name, "ascending") for name in RAW_REQUESTS.key])


def _write(lake: Lake, day: date, rows: pa.Table) -> None:
    """A file of its own: nothing is ever replaced, so that many processes may log at once."""
    first = rows.slice(0, 1).to_pylist()[0]
    name = f"part-{first['started_at'].strftime(REVISION_FORMAT)}-{first['process_id']}-{first['number']}.parquet"
    footer = {
        "table": RAW_REQUESTS.name,
        "partition": day.isoformat(),
        "contract_version": RAW_REQUESTS.version,
        "content_hash": content_hash(rows),
        "code_version": CODE_VERSION,
        "inputs": {},
        "facts": {},
    }
    stored = rows.select(RAW_REQUESTS.stored_names)
    stored = stored.replace_schema_metadata({FOOTER_KEY: json.dumps(footer, sort_keys=True).encode()})
    buffer = io.BytesIO()
    pq.write_table(stored, buffer, compression="zstd", store_schema=True)
    _place(lake.partition_folder(RAW_REQUESTS.name, day.isoformat()) / name, buffer.getvalue())


def _place(path: UPath, content: bytes) -> None:
    """Temporary name, fsync, rename: a reader sees the whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.protocol not in ("", "file"):
        path.write_bytes(content)  # an object store shows an object only when it is complete
        return
    place = Path(str(path))
    temporary = place.with_name(f".{place.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(place)
    finally:
        temporary.unlink(missing_ok=True)
