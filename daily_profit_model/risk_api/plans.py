"""Plan terms from CSV files: every revision, and which one was in force at an instant.

Terms entered later never reach the past (PITFALLS.md L4). The columns, and where 0 means none,
are declared in `tables.raw_plans`.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.risk_api import quarantine, values
from daily_profit_model.risk_api.decoded import Decoded
from daily_profit_model.risk_api.errors import SourceMissing
from daily_profit_model.risk_api.quarantine import DUPLICATE_KEY, Rejection
from daily_profit_model.tables.contract import FLAG, FLOAT, INT, TEXT, TIMESTAMP, Column
from daily_profit_model.tables.raw_plans import RAW_PLANS, ZERO_MEANS_NONE

_READERS: Mapping[pa.DataType, Callable[[object], object]] = {
    FLOAT: values.number,
    INT: values.whole,
    FLAG: values.flag,
    TIMESTAMP: values.instant,
    TEXT: values.label,
}
_NAMES_IN_CAPITALS = ("platform", "broker")
"""Their spelling varies by case in the files (`DXTRADE`, `DXtrade`)."""


@dataclass(frozen=True)
class Revisions:
    """Every revision of every plan in the files, each once, sorted by plan and `valid_from`."""

    rows: pa.Table
    """In the schema of raw/plans, `date` null."""
    rejections: tuple[Rejection, ...]
    received: int
    unreadable: dict[str, int]


def read_plans(folder: Path, as_known_at: datetime, *, day: date | None = None) -> Decoded:
    """The rows of raw/plans as known at an instant (a day's cut-off): `in_force` of `read_revisions`."""
    return in_force(read_revisions(folder), as_known_at, day=day)


def read_revisions(folder: Path) -> Revisions:
    """The plan revisions of all `*.csv` in `folder`; a file that lies there twice is read once.

    Raises SourceMissing when there is no such folder or file, or a file without the plan's id.
    """
    rows: dict[tuple[object, ...], dict[str, object]] = {}
    rejections: list[Rejection] = []
    received = 0
    unreadable: dict[str, int] = {}
    for name, text in _files(folder):
        for record in _records(name, text):
            received += 1
            row = _row(record, name, unreadable)
            if isinstance(row, Rejection):
                rejections.append(row)
                continue
            # the same revision in a later file is no second revision
            rows.setdefault(tuple(value for key, value in row.items() if key != "source_file"), row)
    ordered = sorted(rows.values(), key=_content)
    table, conflicts = _one_a_key(ordered)
    return Revisions(table, (*rejections, *conflicts), received, dict(sorted(unreadable.items())))


def in_force(revisions: Revisions, as_known_at: datetime, *, day: date | None = None) -> Decoded:
    """For each plan its newest revision with `valid_from` at or before `as_known_at` (aware, UTC).

    `day` is the partition, by default the one whose cut-off is `as_known_at`. `late` counts the
    revisions that came later, `absent` the plans that have no other.
    """
    day = day or (as_known_at - timedelta(days=1)).date()
    rows = revisions.rows
    is_known = pc.less_equal(rows["valid_from"], pa.scalar(as_known_at, TIMESTAMP))
    known = rows.filter(is_known)
    plan_ids = np.asarray(known["plan_id"].to_pylist(), dtype=object)
    is_newest = np.append(plan_ids[1:] != plan_ids[:-1], True)[: len(plan_ids)].astype(bool)
    stored = known.filter(pa.array(is_newest))
    stored = stored.set_column(0, "date", pa.repeat(pa.scalar(day, pa.date32()), stored.num_rows))
    rejected = quarantine.of_rejections(RAW_PLANS, day, revisions.rejections)
    late = rows.num_rows - known.num_rows
    return Decoded(
        rows=stored,
        quarantined=rejected,
        received=revisions.received,
        repeated=revisions.received - stored.num_rows - rejected.num_rows - late,
        late=late,
        absent=len(pc.unique(rows["plan_id"])) - stored.num_rows,
        unreadable=revisions.unreadable,
    )


def _files(folder: Path) -> Iterator[tuple[str, str]]:
    paths = sorted(folder.glob("*.csv")) if folder.is_dir() else []
    if not paths:
        raise SourceMissing(f"no plan file (*.csv) in {folder}: put one there, or set DPM_PLANS_DIR")
    seen = set()
    for path in paths:
        content = path.read_bytes()
        digest = hashlib.sha256(content).digest()
        if digest not in seen:
            seen.add(digest)
            # a byte that is not UTF-8 spoils its own field at most, not the file
            yield path.name, content.decode("utf-8-sig", errors="replace")


def _records(name: str, text: str) -> Iterator[dict[str | None, Any]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    reader.fieldnames = [field.strip() for field in reader.fieldnames or []]
    if "planId" not in reader.fieldnames:
        raise SourceMissing(f"{name} has no column planId: put a file of plans there, or set DPM_PLANS_DIR")
    yield from reader


def _row(record: dict[str | None, Any], file: str, unreadable: dict[str, int]) -> dict[str, object] | Rejection:
    """A row of raw/plans (`date` null), or why the record is rejected."""
    payload = orjson.dumps({key or "": value for key, value in record.items()}).decode()
    if None in record or None in record.values():
        return Rejection("wrong_field_count", f"{file}: not as many fields as the header", payload)
    row: dict[str, object] = {"date": None}
    for column in RAW_PLANS.columns:
        if column.source is None:
            continue
        try:
            row[column.name] = _value(column, record.get(column.source))
        except values.UnreadableValue as wrong:
            if column.required or column.name == "updated":
                return Rejection(_unreadable(column), f"{column.source}={wrong}", payload)
            row[column.name] = None
            unreadable[column.source] = unreadable.get(column.source, 0) + 1
        if column.required and row[column.name] is None:
            return Rejection("missing_required", f"{column.source}=null", payload)
    row["valid_from"] = row["updated"] or row["inserted"]
    if row["valid_from"] is None:
        return Rejection("missing_required", "updated=null, inserted=null", payload)
    return row | {"source_file": file}


def _value(column: Column, text: object) -> object:
    value = _READERS[column.type](text)
    if column.name in ZERO_MEANS_NONE and value == 0:
        return None
    if column.name == "is_drawdown_relative":
        # negate what the file says first: renaming alone once inverted the flag of every plan
        return None if value is None else not value
    if column.name in _NAMES_IN_CAPITALS and value is not None:
        return str(value).upper()
    return value


def _unreadable(column: Column) -> str:
    return "unreadable_date" if column.type == TIMESTAMP else "unreadable_number"


def _content(row: Mapping[str, object]) -> tuple[object, ...]:
    """An order by plan, then `valid_from`, then all values, so that file order decides nothing."""
    return row["plan_id"], row["valid_from"], tuple(str(value) for value in row.values())


def _one_a_key(ordered: list[dict[str, object]]) -> tuple[pa.Table, list[Rejection]]:
    """One row for each plan and `valid_from`; others with the same are conflicts."""
    kept: dict[tuple[object, object], dict[str, object]] = {}
    conflicts = []
    for row in ordered:
        key = row["plan_id"], row["valid_from"]
        if key in kept:
            payload = orjson.dumps(row).decode()
            conflicts.append(Rejection(DUPLICATE_KEY, "another revision of that instant was kept", payload))
        else:
            kept[key] = row
    return pa.Table.from_pylist(list(kept.values()), schema=RAW_PLANS.schema()), conflicts
