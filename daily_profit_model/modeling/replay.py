"""A past prediction made once more from what its row points at, and compared with the row to the last bit.

Here: recomputing and comparing. Finding bundle, snapshot and calibration in lake and folders is the caller's.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.lake import content_hash
from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.scoring import score
from daily_profit_model.modeling.serving import CHAMPION, Telemetry, serve

ROW = "(row)"
"""Stands for the column where a whole row is on one side only."""


@dataclass(frozen=True)
class Difference:
    """A cell that is not what it was; `stored` and `replayed` as Python values."""

    account_id: str
    column: str
    stored: object
    replayed: object


def replay(
    model: Model,
    snapshot: pa.Table,
    calibration: pa.Table,
    code_version: str,
    accounts: pa.Array | None = None,
    served_by: str = CHAMPION,
) -> pa.Table:
    """The day of `snapshot` predicted once more, in the columns of predictions/account_daily, sorted by account.

    `snapshot`, `calibration`: whole, as stored. `accounts`: ids, when not all are asked for. `code_version`,
    `served_by`: those of the stored rows, which say who served them and are no results. Raises ValueError when things do
    not fit together.
    """
    rows = snapshot if accounts is None else snapshot.filter(pc.is_in(snapshot["account_id"], value_set=accounts))
    telemetry = Telemetry(content_hash(snapshot), code_version, served_by)
    return serve(model, rows, score(model, rows), calibration, telemetry)


def differences(stored: pa.Table, replayed: pa.Table) -> list[Difference]:
    """Every cell of `stored` that `replayed` has otherwise, by account: floats differ when any bit does.

    Both hold the columns of predictions/account_daily, a row an account, in any order.
    """
    left, right = (rows.sort_by("account_id") for rows in (stored, replayed))
    in_left, in_right = _held_by(left, right), _held_by(right, left)
    found = [Difference(account, ROW, "served", None) for account in _accounts(left.filter(pc.invert(in_left)))]
    found += [Difference(account, ROW, None, "made") for account in _accounts(right.filter(pc.invert(in_right)))]
    for column in left.column_names:
        found += _cells(column, left.filter(in_left), right.filter(in_right))
    return sorted(found, key=lambda cell: cell.account_id)


def _held_by(rows: pa.Table, others: pa.Table) -> pa.ChunkedArray:
    """Which of `rows` have their account among `others`."""
    return pc.is_in(rows["account_id"], value_set=others["account_id"].combine_chunks())


def _accounts(rows: pa.Table) -> list[str]:
    accounts: list[str] = rows["account_id"].to_pylist()
    return accounts


def _cells(column: str, left: pa.Table, right: pa.Table) -> Iterator[Difference]:
    """The cells of one column that differ; where its bytes are equal no cell is looked at."""
    one = left.select([column])
    other = right.select([column]).cast(one.schema) if column in right.column_names else None
    if other is not None and content_hash(one) == content_hash(other):
        return
    values = other[column].to_pylist() if other is not None else [None] * left.num_rows
    for account, was, now in zip(left["account_id"].to_pylist(), one[column].to_pylist(), values, strict=True):
        if _bits(was) != _bits(now):
            yield Difference(account, column, was, now)


def _bits(value: object) -> object:
    """A value that is equal to another exactly when its bits are."""
    if isinstance(value, float):
        return struct.pack("<d", value)
    if isinstance(value, dict):
        return {name: _bits(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_bits(part) for part in value]
    return value
