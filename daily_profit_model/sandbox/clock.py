"""The instant at which the service answers, and what it knows by then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

#: A correction due `lag` days after its day appears at noon (UTC) of that day.
CORRECTED_AT_HOUR: Final = 12
#: No correction comes later than this many days after its day.
LAST_CORRECTION: Final = 3


@dataclass(frozen=True)
class Clock:
    """An instant, UTC."""

    now: datetime

    @property
    def last_day(self) -> int:
        """The last complete day, in days since 1970-01-01: a day's rows appear when it is over."""
        return int(self.now.timestamp() // 86_400) - 1

    def corrections_of(self, day: int) -> int:
        """Corrections with a lag up to this many days are known of `day`."""
        hours = self.now.timestamp() / 3600.0 - day * 24.0
        return max(0, min(LAST_CORRECTION, int((hours - CORRECTED_AT_HOUR) // 24)))


def parse(text: str) -> Clock:
    """A clock from ISO text; without an offset it is UTC. Raises ValueError if it is not a time."""
    moment = datetime.fromisoformat(text)
    return Clock(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC))
