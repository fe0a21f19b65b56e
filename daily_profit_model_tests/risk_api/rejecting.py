"""A day of closed trades of which an earlier reader rejected some that are good. No tests here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from daily_profit_model.lake import Lake, write_revision
from daily_profit_model.risk_api import quarantine
from daily_profit_model.risk_api.decode import decode
from daily_profit_model.risk_api.quarantine import Rejection
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import RAW_TRADES_CLOSED, rejects_of
from daily_profit_model_tests.risk_api.records import DAY, body

IN_TIME = datetime(2026, 6, 2, 5, tzinfo=UTC)
FILLED_LATER = datetime(2026, 7, 2, 5, tzinfo=UTC)


def store_fetch(
    lake: Lake,
    good: Sequence[Any],
    rejected: Sequence[tuple[str, Any]],
    *,
    at: datetime = IN_TIME,
    table: Table = RAW_TRADES_CLOSED,
) -> None:
    """As an ingestion stores it: rows read as they are, and others rejected for a (reason, record) that need not hold."""
    decoded = decode(table, [body(*good)], day=DAY)
    wrong = [Rejection(reason, "as it was read then", orjson.dumps(record).decode()) for reason, record in rejected]
    quarantined = quarantine.of_rejections(table, DAY, wrong)
    facts = {
        "received": len(good) + len(rejected),
        "stored": decoded.rows.num_rows,
        "quarantined": len(rejected),
        "test_accounts": decoded.test_accounts,
        "repeated": decoded.repeated,
        "late": 0,
    }
    day = DAY.isoformat()
    write_revision(lake, rejects_of(table), day, quarantined, ingested_at=at, code_version="1")
    write_revision(lake, table, day, decoded.rows, ingested_at=at, code_version="1", facts=facts)
