"""How raw/quarantine shows itself in the UI: rejected rows by table over time, why, and some of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pyarrow as pa

from daily_profit_model.risk_api.rejected import counted, samples
from daily_profit_model.tables import Table

SAMPLES = 20
"""Rejected rows shown with a day; Dagster keeps metadata for ever, so a few KB."""
SHOWN_CHARACTERS = 200
"""Of a sample's payload; `dpm quarantine show` tells all of it."""


def shown(rows: pa.Table, tables: Sequence[Table]) -> Mapping[str, Any]:
    """A day's rejected rows as metadata: their number for each of `tables`, the reasons with counts, samples."""
    reasons = counted(rows)
    by_table = {table.name: sum(found["rows"] for found in reasons if found["table"] == table.name) for table in tables}
    numbers: dict[str, Any] = {f"rows of {name}": count for name, count in by_table.items()}
    if not reasons:
        return numbers
    some = [
        {
            "reason": row["reason"],
            "table": row["table"],
            "detail": row["detail"] or "",
            "payload": row["payload"][:SHOWN_CHARACTERS],
        }
        for row in samples(rows, SAMPLES).to_pylist()
    ]
    return {**numbers, "reasons": _grid(reasons), "samples": _grid(some)}


def _grid(rows: Sequence[Mapping[str, Any]]) -> dg.TableMetadataValue:
    columns = [dg.TableColumn(name, "int" if isinstance(value, int) else "string") for name, value in rows[0].items()]
    return dg.MetadataValue.table([dg.TableRecord(dict(row)) for row in rows], schema=dg.TableSchema(columns=columns))
