"""The contracts of raw/accounts, raw/metrics_daily and raw/metrics_hourly: what the service says.

Their fields are declared in `raw_fields`; the other raw tables stand in `raw`.
"""

from __future__ import annotations

from daily_profit_model.tables.contract import DAY, FLAG, INT, TIMESTAMP, Column, Table
from daily_profit_model.tables.raw_fields import IDENTITY, STANDING, metric_columns

NATURAL_KEY = ("date", "platform", "broker", "login", "account_id")

RAW_ACCOUNTS = Table(
    name="raw/accounts",
    description="Every account at the end of the day, from the all-time metrics.",
    key=NATURAL_KEY,
    columns=(
        Column("date", DAY, "Day that the snapshot stands for", required=True),
        *IDENTITY,
        Column(
            "is_live",
            FLAG,
            "True: fetched while the day was the newest complete one. "
            "False: filled later, and all but the identity is null",
            required=True,
        ),
        *STANDING,
        *metric_columns("a"),
    ),
    revisions=True,
)

RAW_METRICS_DAILY = Table(
    name="raw/metrics_daily",
    description="What the service says of each account's day.",
    key=NATURAL_KEY,
    columns=(
        Column("date", DAY, "Day of the metrics", required=True, source="date"),
        *IDENTITY,
        *STANDING,
        *metric_columns("d"),
    ),
    revisions=True,
)

RAW_METRICS_HOURLY = Table(
    name="raw/metrics_hourly",
    description="What the service says of each account's hour.",
    key=(*NATURAL_KEY, "hour"),
    columns=(
        Column("date", DAY, "Day of the metrics", required=True, source="date"),
        *IDENTITY,
        Column("hour", INT, "Hour of the day, 0 to 23 (UTC)", required=True, source="hour"),
        Column("datetime", TIMESTAMP, "The hour as an instant", source="datetime"),
        *STANDING,
        *metric_columns("h"),
    ),
    revisions=True,
)
