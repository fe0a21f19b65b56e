"""The contract of monitoring/reconciliation: where the service and the lake, or two tables of a day, disagree.

How it is computed belongs to `monitoring.reconciliation`; which disagreement is an alarm to `quality`.
"""

from __future__ import annotations

from daily_profit_model.tables.contract import DAY, FLOAT, INT, TEXT, Column, Table

SUMMARY = "summary"
FINDINGS = (
    "missing_day",
    "row_count_mismatch",
    "trade_count_mismatch",
    "net_profit_mismatch",
    "missing_hours",
    "suspiciously_few_hours",
    "unresolved_login",
)

MONITORING_RECONCILIATION = Table(
    name="monitoring/reconciliation",
    description="What does not add up in the raw tables of a day, as known now: one `summary` row a table, and a row "
    "for each finding: against what the service counts, and between all-time, daily, hourly metrics and closed trades.",
    key=("date", "table_name", "finding", "compared_with", "platform", "broker", "login", "account_id"),
    is_report=True,
    columns=(
        Column("date", DAY, "Day of the data", required=True),
        Column("table_name", TEXT, "Raw table that the number found comes from", required=True),
        Column("finding", TEXT, f"`{SUMMARY}`, or the class: {', '.join(FINDINGS)}", required=True),
        Column("severity", TEXT, "`ok`, `warn` or `error`; of a summary that of its worst finding", required=True),
        Column(
            "compared_with",
            TEXT,
            "What the expected number comes from: `service` (its count when this was made), a raw table, `history` "
            "(the 28 days before) or `accounts` (every login known by now)",
            required=True,
        ),
        Column("measure", TEXT, "What is counted or summed: rows, trades, net_profit, hours", required=True),
        Column("expected", FLOAT, "The number to be found; null: the service does not answer this table by day"),
        Column("found", FLOAT, "The number found; null: the day is missing"),
        Column("difference", FLOAT, "Found − expected; null where either is"),
        Column("platform", INT, "Trading platform; null: the finding is about the whole table"),
        Column("broker", INT, "Broker; null as platform"),
        Column("login", TEXT, "Login; null as platform"),
        Column("account_id", TEXT, "Account; null as platform, or not known"),
        Column("detail", TEXT, "What else helps: the hours that are missing, where rows went"),
        Column("findings", INT, "Of a summary: how many findings its table has", "findings"),
        Column("test_rows", INT, "Of a summary: rows of test accounts, kept out of later tables", "rows"),
    ),
)
