"""A process that raises and sends one alert at the same moment as others, for the race test. No tests here."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from upath import UPath

from daily_profit_model.lake import Lake, create_once
from daily_profit_model.monitoring import alert_log
from daily_profit_model.monitoring.alert_log import AlertLog
from daily_profit_model.monitoring.alerts import Alert
from daily_profit_model.monitoring.channels import Webhook

NOON = datetime(2026, 6, 2, 12, tzinfo=UTC)
PATIENCE_S = 60.0
RACERS = ("one", "other")


def race(root: str, meeting: Path, name: str, address: str) -> None:
    """Whoever comes to creating its first act waits until all have come so far, so that all have read the same acts."""

    def create_together(*given: Any, **named: Any) -> Any:
        (meeting / f"here-{name}").touch()
        until = time.monotonic() + PATIENCE_S
        while not all((meeting / f"here-{racer}").exists() for racer in RACERS):
            assert time.monotonic() < until
            time.sleep(0.001)
        return create_once(*given, **named)

    alert_log.create_once = create_together  # type: ignore[attr-defined]
    log = AlertLog(Lake(UPath(root)), cooldown=timedelta(hours=1), now=lambda: NOON)
    log.record(Alert("race", "error", "Raced", "", NOON), ["webhook"])
    log.deliver({"webhook": Webhook(SecretStr(address), ["error"])})
    alert_log.create_once = create_once  # type: ignore[attr-defined]


if __name__ == "__main__":
    race(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4])
