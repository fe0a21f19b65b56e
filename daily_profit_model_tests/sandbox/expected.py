"""What the raw tables must hold of a sandbox with faults: its truth by the contracts, and what differs from it.

Values are converted here one by one, so that nothing is shared with the client that is judged by it.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import pyarrow as pa

from daily_profit_model.sandbox.faults.fields import ALL_TIME, CLOSED, DAILY, HOURLY, OPEN
from daily_profit_model.sandbox.faults.truth import DayTruth
from daily_profit_model.tables.contract import DAY, FLOAT, INT, TEXT, TIMESTAMP, Column, Table
from daily_profit_model.tables.raw import (
    RAW_ACCOUNTS,
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_TRADES_CLOSED,
    RAW_TRADES_OPEN,
)
from daily_profit_model.tables.raw_fields import IDENTITY

ENDPOINTS = {
    RAW_ACCOUNTS: ALL_TIME,
    RAW_METRICS_DAILY: DAILY,
    RAW_METRICS_HOURLY: HOURLY,
    RAW_TRADES_CLOSED: CLOSED,
    RAW_TRADES_OPEN: OPEN,
}
"""Where the rows of each table come from."""

REASONS = {
    "null_key": "missing_required",
    "missing_required": "missing_required",
    "unreadable_date": "unreadable_date",
    "unreadable_number": "unreadable_number",
    "unknown_side": "unknown_side",
    "non_positive_lots": "non_positive_lots",
    "closed_before_opened": "closed_before_opened",
    "hour_out_of_range": "hour_out_of_range",
    "not_finite": "out_of_range",
    "not_finite_text": "out_of_range",
    "absurd_number": "out_of_range",
}
"""The code under which the quarantine keeps each kind of planted row."""


def expected_rows(table: Table, truth: DayTruth, day: date, *, is_live: bool = False) -> pa.Table:
    """The rows of `day` in the contract's schema; `is_live` counts for raw/accounts, which otherwise has identities."""
    columns = {}
    identity = {column.name for column in IDENTITY}
    for column in table.columns:
        if column.source is None:
            made: Any = {"date": day, "is_live": is_live}[column.name]
            values = [made] * len(truth.stored)
        elif table is RAW_ACCOUNTS and not is_live and column.name not in identity:
            values = [None] * len(truth.stored)
        else:
            values = [_value(column, record.get(column.source)) for record in truth.stored]
        columns[column.name] = pa.array(values, column.type)
    return pa.table(columns, schema=table.schema())


def expected_rejects(truth: DayTruth) -> Counter[tuple[str, str]]:
    """Planted bad rows as (reason, payload), the payload in one form for equal contents."""
    return Counter((REASONS[kind], same_form(payload.decode())) for kind, rows in truth.bad.items() for payload in rows)


def stored_rejects(quarantine: pa.Table, table: Table) -> Counter[tuple[str, str]]:
    """What raw/quarantine holds of a table, as `expected_rejects` has it."""
    return Counter(
        (row["reason"], same_form(row["payload"])) for row in quarantine.to_pylist() if row["table"] == table.name
    )


def same_form(payload: str) -> str:
    """JSON in one form for equal contents: numbers by value, fields in order of their names."""
    return json.dumps(json.loads(payload, parse_int=float), sort_keys=True)


def differing_rows(stored: pa.Table, expected: pa.Table) -> int:
    """Rows of either that the other does not have, each as often as it is missing; every column counts."""
    with duckdb.connect(config={"threads": 1}) as base:
        base.execute("set timezone = 'UTC'")
        base.register("stored", stored.select(expected.column_names))
        base.register("expected", expected)
        found = base.execute(
            "select (select count(*) from (from stored except all from expected))"
            " + (select count(*) from (from expected except all from stored))"
        ).fetchone()
    assert found is not None
    return int(found[0])


def differing_values(stored: pa.Table, expected: pa.Table, key: tuple[str, ...]) -> dict[str, int]:
    """For the eye: rows by key in one only, and columns that differ, with counts."""
    names = [name for name in expected.column_names if name not in key]
    columns = ", ".join(f'count_if(stored."{name}" is distinct from expected."{name}") as "{name}"' for name in names)
    same = " and ".join(f'stored."{name}" is not distinct from expected."{name}"' for name in key)
    with duckdb.connect(config={"threads": 1}) as base:
        base.execute("set timezone = 'UTC'")
        base.register("stored", stored)
        base.register("expected", expected)
        counts = base.execute(f"select {columns} from stored join expected on {same}").to_arrow_table().to_pylist()[0]
        for one, other in (("stored", "expected"), ("expected", "stored")):
            only = base.execute(f"select count(*) from {one} anti join {other} on {same}").fetchone()
            counts[f"only {one}"] = 0 if only is None else only[0]
    return {name: count for name, count in counts.items() if count}


def _value(column: Column, value: Any) -> Any:
    if value is None:
        return None
    if column.type in (DAY, TIMESTAMP):
        instant = datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        return instant.date() if column.type == DAY else instant
    if column.type == TEXT:
        return str(value).lower() if column.name == "side" else str(value)
    if column.type == INT:
        assert int(value) == value
        return int(value)
    assert column.type == FLOAT
    return float(value)
