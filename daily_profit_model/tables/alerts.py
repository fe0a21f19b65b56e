"""The contract of monitoring/alerts: what was raised, and what became of telling it. What an act means is said by
`monitoring.alerts`, how acts are created by `monitoring.alert_log`.
"""

from __future__ import annotations

import pyarrow as pa

from daily_profit_model.tables.contract import INT, TEXT, TIMESTAMP, Column, Table

MONITORING_ALERTS = Table(
    name="monitoring/alerts",
    description="Alerts and their delivery: a row an act, numbered without a gap, each created exactly once and never "
    "changed. Whoever creates act n has read the acts before it, so of many daemons one raises an event within its "
    "cool-down, and one sends it.",
    key=("number",),
    partitioning="number",
    columns=(
        Column("number", INT, "Of the act, from 1.", required=True),
        Column(
            "act", TEXT, "`raised`, `sending` (to one channel, by one process), `sent` or `not_sent`.", required=True
        ),
        Column("alert", INT, "The number of the act that raised it.", required=True),
        Column(
            "channels", pa.list_(pa.string()), "Where it is to go, or the one that the act is about.", required=True
        ),
        Column("event", TEXT, "What has happened, as a key: within the cool-down it is raised once.", required=True),
        Column(
            "occurrence", TEXT, "Which time it has happened (a run, a content); empty: it is a state.", required=True
        ),
        Column("severity", TEXT, "`info`, `warn`, `error` or `critical`.", required=True),
        Column("title", TEXT, "What has happened, in one line.", required=True),
        Column("text", TEXT, "What it means and what to do; of `not_sent` why.", required=True),
        Column("facts", TEXT, "Figures and names, as JSON.", required=True),
        Column("happened_at", TIMESTAMP, "When it happened (UTC).", required=True),
        Column("at", TIMESTAMP, "When the act was written (UTC).", required=True),
    ),
)
