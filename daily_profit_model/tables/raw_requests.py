"""The contract of the request log. It is no asset: it grows while the platform runs, and nothing is ever replaced."""

from __future__ import annotations

from daily_profit_model.tables.contract import DAY, FLAG, FLOAT, INT, TEXT, TIMESTAMP, Column, Table

RAW_REQUESTS = Table(
    name="raw/requests",
    description="Every request to the risk service and what became of it, by the day on which it was sent.",
    key=("started_at", "process_id", "number"),
    columns=(
        Column("date", DAY, "Day (UTC) on which it was sent", required=True),
        Column("started_at", TIMESTAMP, "When it was sent", required=True),
        Column("process_id", INT, "Process that sent it", required=True),
        Column("number", INT, "Of the request in its process's log, from 1", required=True),
        Column("run_id", TEXT, "Run of the graph that it belongs to; null: none"),
        Column("endpoint", TEXT, "Endpoint", required=True),
        Column(
            "outcome",
            TEXT,
            "`ok`, `timeout`, `connection` (none could be made), `reset` (it ended before the answer), `http_429`, "
            "`http_5xx`, `broken_json`, `error_envelope`, `refused_4xx` (a redirect, or a 4xx other than 429)",
            required=True,
        ),
        Column("status", INT, "HTTP status; null: no answer came"),
        Column("latency_s", FLOAT, "From sending to the last byte, or to the failure", "s", required=True),
        Column("bytes", INT, "Size of the body, decompressed; 0 where it did not come whole", "bytes", required=True),
        Column("rows", INT, "Rows in the answer; null: failed, or not a page of rows", "rows"),
        Column("attempt", INT, "1 for the first request of a question, 2 for the first retry, …", required=True),
        Column("limited_s", FLOAT, "Waited for the rate limit", "s", required=True),
        Column("held_s", FLOAT, "Waited because of a failure: Retry-After, back-off, open breaker", "s", required=True),
        Column("breaker_state", TEXT, "Circuit breaker after it: `closed`, `open` or `half-open`", required=True),
        Column("opened_breaker", FLAG, "The breaker opened at it", required=True),
    ),
)
