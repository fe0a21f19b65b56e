"""A firm of ten days whose clock tests set: what is ingested, corrected and reconciled. No tests here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import requests

from daily_profit_model.sandbox.server import Address
from daily_profit_model.sandbox.world import World, WorldSettings
from daily_profit_model_tests.end_to_end.firm import KEY

START, END = date(2026, 3, 1), date(2026, 3, 10)
SETTINGS = WorldSettings(accounts=120, days=10, seed=5, end=END, warmup_days=5)
DAYS = [(START + timedelta(days=offset)).isoformat() for offset in range(10)]
MORNING = f"{END + timedelta(days=1)}T06:00:00Z"
WEEK_LATER = f"{END + timedelta(days=8)}T06:00:00Z"
"""By then the service has corrected every day."""


@dataclass(frozen=True)
class SmallFirm:
    """A served firm and the variables that point at it."""

    world: World
    address: Address
    variables: dict[str, str]

    def at(self, moment: str) -> None:
        """Set the instant at which the service answers."""
        url, body = f"{self.address.root}/sandbox/clock", {"as_of": moment}
        requests.post(url, json=body, headers={"apiKey": KEY}, timeout=30).raise_for_status()
