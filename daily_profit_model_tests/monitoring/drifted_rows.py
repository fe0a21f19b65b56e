"""Rows of monitoring/drift and monitoring/degradation with alarms where a test wants them. No tests here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pyarrow as pa

from daily_profit_model.tables import Table
from daily_profit_model.tables.drift import MONITORING_DEGRADATION, MONITORING_DRIFT

MODEL = {"model_version": "20260419-aaaaaaaa", "model_hash": "a" * 64}


def drift_of(day: date, *rows: Mapping[str, Any]) -> pa.Table:
    """A row a mapping: an alarm where it has `since`, a quiet one else."""
    quiet = {
        "prediction_date": day,
        "kind": "feature",
        "column_name": "a",
        "statistic": "location",
        **MODEL,
        "rows": 50,
        "known_rows": 50,
        "threshold": 4.0,
        "rise": 0.5,
        "importance": 0.1,
    }
    return _table(MONITORING_DRIFT, [{**quiet, **_alarm(row, "rise")} for row in rows])


def degradation_of(day: date, *rows: Mapping[str, Any]) -> pa.Table:
    """The same of losses."""
    quiet = {
        "prediction_date": day,
        "measure": "pinball",
        "settled_date": day,
        **MODEL,
        "accounts": 50,
        "sum_up": 0.5,
        "threshold": 1.0,
    }
    return _table(MONITORING_DEGRADATION, [{**quiet, **_alarm(row, "sum_up")} for row in rows])


def _alarm(row: Mapping[str, Any], height: str) -> dict[str, Any]:
    since = row.get("since")
    own = {name: value for name, value in row.items() if name != "since"}
    return {"is_alarm": since is not None, "first_alarm_day": since, **({height: 2.0} if since else {}), **own}


def _table(table: Table, rows: list[dict[str, Any]]) -> pa.Table:
    made = pa.Table.from_pylist(rows, schema=table.schema())
    return made.sort_by([(name, "ascending") for name in table.key])
