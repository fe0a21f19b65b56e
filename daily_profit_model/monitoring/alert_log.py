"""The acts of monitoring/alerts in the lake: raised once, sent once, whoever else is at it at the same moment.

An act is created as number n by whoever has read the acts before it; who comes second reads again and decides again.
What is decided is said by `alerts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pyarrow as pa
import structlog

from daily_profit_model.lake import Lake, create_once, read
from daily_profit_model.monitoring import alerts
from daily_profit_model.monitoring.alerts import Act, Alert
from daily_profit_model.tables.alerts import MONITORING_ALERTS

log = structlog.get_logger(__name__)

_FORM = "1"
_AT_ONCE = 200
"""Acts that are read together, from the newest back."""
_LISTINGS = 5
"""A listing that is made while acts are created may show one and miss the one before; the next shows both."""


class NotDelivered(Exception):
    """A channel did not take an alert; the message is one line without any secret."""


class Channel(Protocol):
    """Where alerts of some severities go."""

    @property
    def severities(self) -> Sequence[str]:
        """Of the alerts that go there."""

    def send(self, number: int, alert: Alert) -> None:
        """Send it. Raises NotDelivered."""


class AlertLog:
    """The acts of the last days, read once each; `now` is the clock (UTC)."""

    def __init__(self, lake: Lake, *, cooldown: timedelta, now: Callable[[], datetime]) -> None:
        self._lake = lake
        self._cooldown = cooldown
        self.now = now
        self._acts: list[dict[str, Any]] = []

    def acts(self) -> list[dict[str, Any]]:
        """The acts that can still count, by number. Raises LakeError when one cannot be read."""
        numbers = self._numbers()
        since = self.now() - max(self._cooldown, alerts.KEEP_TRYING)
        known = self._acts[-1]["number"] if self._acts else 0
        found: list[dict[str, Any]] = []
        unread = [number for number in numbers if number > known]
        while unread:
            newest, unread = unread[-_AT_ONCE:], unread[:-_AT_ONCE]
            rows = read(self._lake, MONITORING_ALERTS, [partition_of(number) for number in newest]).to_pylist()
            found = rows + found
            if rows and rows[0]["at"] < since:
                break
        self._acts += found
        return self._acts

    def append(self, decide: Callable[[Sequence[Act]], Mapping[str, Any] | None]) -> dict[str, Any] | None:
        """Create the act that `decide` makes of the acts so far; None, and nothing created, where it makes none."""
        while True:
            acts = self.acts()
            decided = decide(acts)
            if decided is None:
                return None
            number = acts[-1]["number"] + 1 if acts else 1
            row = {"alert": number, **decided, "number": number, "at": self.now().astimezone(UTC)}
            rows = pa.Table.from_pylist([row], schema=MONITORING_ALERTS.schema())
            if create_once(self._lake, MONITORING_ALERTS, partition_of(number), rows, code_version=_FORM) is not None:
                return row

    def record(self, alert: Alert, channels: Sequence[str]) -> bool:
        """Raise an alert, unless it is not new. Returns whether it was raised."""
        act = alerts.raised(alert, channels)
        return (
            self.append(lambda acts: act if alerts.is_new(acts, alert, self.now(), self._cooldown) else None)
            is not None
        )

    def deliver(self, channels: Mapping[str, Channel]) -> int:
        """Send what is due; returns how many were sent. A channel that fails is left alone until the next time.

        Nothing is sent twice once its receiver has taken it, but for one case: a process that is killed after that
        and before it could write so. Then the alert is sent again when the lease is over; the other order would lose it.
        """
        sent = 0
        for name, channel in channels.items():
            for act in list(alerts.due(self.acts(), name, self.now())):
                if not self._claim(act, name):
                    continue
                try:
                    channel.send(act["number"], alerts.alert_of(act))
                except NotDelivered as problem:
                    log.warning("alert_not_sent", number=act["number"], channel=name, why=str(problem))
                    self._tell(alerts.about(act, "not_sent", name, str(problem)))
                    break
                self._tell(alerts.about(act, "sent", name))
                sent += 1
        return sent

    def _claim(self, act: Act, name: str) -> bool:
        """Take it upon this process to send an alert; False: another has, or had, done so."""

        def sending(acts: Sequence[Act]) -> Mapping[str, Any] | None:
            still_due = any(other["number"] == act["number"] for other in alerts.due(acts, name, self.now()))
            return alerts.about(act, "sending", name) if still_due else None

        return self.append(sending) is not None

    def _tell(self, told: Mapping[str, Any]) -> None:
        self.append(lambda _: told)

    def _numbers(self) -> list[int]:
        numbers: list[int] = []
        for _ in range(_LISTINGS):
            numbers = [int(partition) for partition in self._lake.partitions(MONITORING_ALERTS.name)]
            if not numbers or numbers == list(range(numbers[0], numbers[-1] + 1)):
                break
            self._lake.root.fs.invalidate_cache()
        return numbers


def partition_of(number: int) -> str:
    """The partition of an act; as texts they are in the order of their numbers."""
    return f"{number:09d}"
