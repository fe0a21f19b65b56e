"""Processes that act on the registry at the same moment, for the race tests. No tests here."""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from upath import UPath

from daily_profit_model.defs.models import registry
from daily_profit_model.lake import Lake, create_once
from daily_profit_model.modeling.acts import ActRefused, Wish

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = date(2026, 5, 2)
PATIENCE_S = 60.0


def race(root: str, meeting: str, version: str, expected: str | None) -> tuple[int, str]:
    """Promote `version`: the act's number and nothing, or 0 and why it was refused.

    Whoever comes first to creating its act waits until all have come so far (the file `go` says so), so that all
    have read the same history.
    """

    def create_together(*given: Any, **named: Any) -> Any:
        (Path(meeting) / f"here-{version}").touch()
        until = time.monotonic() + PATIENCE_S
        while not (Path(meeting) / "go").exists():
            assert time.monotonic() < until
            time.sleep(0.001)
        return create_once(*given, **named)

    registry.create_once = create_together  # type: ignore[attr-defined]
    try:
        wish = Wish("champion", version, "race", f"author of {version}", in_force_from=DAY, expected=expected)
        return registry.record(Lake(UPath(root)), wish, now=lambda: NOON)["number"], ""
    except ActRefused as refused:
        return 0, str(refused)
    finally:
        registry.create_once = create_once  # type: ignore[attr-defined]


def die_acting(root: str, version: str) -> None:
    """Promote `version` and be killed just before the act has its name."""
    os.link = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
    registry.record(Lake(UPath(root)), Wish("champion", version, "race", "dead", in_force_from=DAY), now=lambda: NOON)
