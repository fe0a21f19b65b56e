"""What a client must make of a service with faults: rows to store, rows to quarantine, rows of test accounts.

In the service's own names and documented forms; a table's columns and types are the client's business.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from daily_profit_model.sandbox.blocks import Blocks
from daily_profit_model.sandbox.clock import Clock
from daily_profit_model.sandbox.faults.fields import ALL_TIME, CLOSED, DAILY, HOURLY, OPEN
from daily_profit_model.sandbox.faults.plan import FaultPlan
from daily_profit_model.sandbox.faults.spoiled import spoiled
from daily_profit_model.sandbox.faults.variations import Record
from daily_profit_model.sandbox.records import day_number
from daily_profit_model.sandbox.world import World


@dataclass(frozen=True)
class DayTruth:
    """All that the service has of one day."""

    stored: list[Record] = field(default_factory=list)
    """Good rows, each as a record in the usual form; a value that a client must not keep is null."""
    bad: dict[str, list[bytes]] = field(default_factory=dict)
    """Rows to be quarantined as they are sent, by the kind of their fault."""
    tests: int = 0
    """Rows of test accounts."""

    @property
    def total(self) -> int:
        """Rows that the service counts."""
        return len(self.stored) + self.tests + sum(map(len, self.bad.values()))


class Truth:
    """What a service of `world` and `plan` has at the instant `as_of`; by default the one its clock starts with."""

    def __init__(self, world: World, plan: FaultPlan | None = None, as_of: datetime | None = None) -> None:
        self._blocks, self._plan = Blocks(world), plan or FaultPlan(0)
        self._clock = Clock(as_of or world.settings.default_clock)

    def of_day(self, endpoint: str, day: date) -> DayTruth:
        """Rows of `day` of an endpoint (`v2/trades/closed`, …); those of the all-time metrics are as they are at the clock, whatever the day."""
        if endpoint == ALL_TIME:
            return self._alltime
        return self._of(endpoint, day_number(day))

    @cached_property
    def _alltime(self) -> DayTruth:
        return self._of(ALL_TIME, self._clock.last_day)

    def _of(self, endpoint: str, number: int) -> DayTruth:
        found: list[Record] = []
        bad: dict[str, list[bytes]] = {}
        tests = 0
        for row in spoiled(self._plan, endpoint, number, self._rows(endpoint, number)):
            if row.meant is not None:
                found.append(row.meant)
            elif row.kind == "test_account":
                tests += 1
            else:
                bad.setdefault(row.kind, []).append(row.sent)
        return DayTruth(found, bad, tests)

    def _rows(self, endpoint: str, number: int) -> list[bytes]:
        if endpoint == CLOSED:
            return self._blocks.closed(number).rows
        if endpoint == OPEN:
            return self._blocks.opened(number).rows
        if endpoint == DAILY:
            return self._blocks.daily(number, self._clock).rows
        if endpoint == HOURLY:
            return self._blocks.hourly(number).rows
        return self._blocks.alltime(self._clock).rows
