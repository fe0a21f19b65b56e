"""What a world is made from. The same settings and code give the same bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

#: Raised whenever the same settings would give another world.
CODE_VERSION: Final = "1"


@dataclass(frozen=True)
class WorldSettings:
    """Accounts that live at a time, days of the world, its last day (inclusive), and the seed.

    The firm opens `warmup_days` earlier, so that on the first day accounts have a past; those days are
    part of the world and are served too.
    """

    accounts: int = 500
    days: int = 120
    seed: int = 7
    end: date = field(default=date(2026, 6, 30))
    warmup_days: int = 20

    def __post_init__(self) -> None:
        if self.accounts < 10 or self.days < 1 or self.warmup_days < 0:
            raise ValueError(
                "a world needs at least 10 accounts, 1 day and 0 warm-up days; got "
                f"accounts={self.accounts}, days={self.days}, warmup_days={self.warmup_days}"
            )

    @property
    def start(self) -> date:
        """First of the `days` days."""
        return self.end - timedelta(days=self.days - 1)

    @property
    def opening(self) -> date:
        """First simulated day."""
        return self.start - timedelta(days=self.warmup_days)

    def calendar(self) -> list[date]:
        """Every simulated day in order."""
        count = self.days + self.warmup_days
        return [self.opening + timedelta(days=number) for number in range(count)]

    @property
    def default_clock(self) -> datetime:
        """The instant at which the service answers unless told otherwise: six hours after the last day."""
        return datetime.combine(self.end + timedelta(days=1), time(6), tzinfo=UTC)
