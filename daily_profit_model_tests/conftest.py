"""What every test stands on: no setting of the machine reaches a test, and the calendar begins on one day."""

from __future__ import annotations

import os

CALENDAR_START = "2026-03-01"

for name in [name for name in os.environ if name.startswith(("DPM_", "RISK_API_", "REGIMES_", "MARKET_", "DAGSTER_"))]:
    del os.environ[name]
# Dagster's partition definitions are made when the graph is imported, so this stands before any import of it.
os.environ["DPM_START_DATE"] = CALENDAR_START
os.environ["DPM_FIRST_TRAINING_DAYS"] = "44"
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
