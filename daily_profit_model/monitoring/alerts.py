"""What an alert is, whether it is new, where it goes, and when it is tried again: pure functions over acts.

Acts are rows of monitoring/alerts. Creating them exactly once belongs to `alert_log`, sending to `channels`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

import orjson

Severity = Literal["info", "warn", "error", "critical"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""Ascending."""

Act = Mapping[str, Any]

LEASE = timedelta(minutes=10)
"""So long `sending` keeps others from sending: twice what a channel takes at most (a mail server that is
just within the time-out with every answer: four minutes). After it the process that was sending counts as dead."""

LONGEST_PAUSE = timedelta(hours=1)
"""Between two attempts at a receiver that is down; the first pause is a minute, each further one twice as long."""
_FIRST_PAUSE = timedelta(minutes=1)

KEEP_TRYING = timedelta(days=4)
"""An alert that could not be sent within the longest run of public holidays (Easter) is history."""


@dataclass(frozen=True)
class Alert:
    """Something that a person should know."""

    event: str
    """What has happened, as a key; the cool-down counts by it: `missing:predictions/account_daily:2026-06-02`."""
    severity: Severity
    title: str
    text: str
    when: datetime
    """With a time zone."""
    facts: Mapping[str, str | int | float] = field(default_factory=dict)
    occurrence: str = ""
    """Which time it has happened (a run's id, a content's hash), so that the same time is never told twice; empty: it
    is a state, of which there is a reminder after every cool-down."""

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"{self.event}: severity {self.severity!r} is none of {', '.join(SEVERITIES)}")
        if self.when.tzinfo is None:
            raise ValueError(f"{self.event}: {self.when} has no time zone")


def is_new(acts: Sequence[Act], alert: Alert, now: datetime, cooldown: timedelta) -> bool:
    """Whether the alert is to be raised: neither this occurrence was, nor the event within the cool-down.

    One that has become more severe is raised whatever the cool-down says.
    """
    for act in acts:
        if act["act"] != "raised" or act["event"] != alert.event:
            continue
        if SEVERITIES.index(act["severity"]) < SEVERITIES.index(alert.severity):
            continue
        if act["at"] > now - cooldown or (alert.occurrence and act["occurrence"] == alert.occurrence):
            return False
    return True


def raised(alert: Alert, channels: Sequence[str]) -> dict[str, Any]:
    """The act that raises `alert` for the given channels, yet without number and time."""
    return {
        "act": "raised",
        "channels": list(channels),
        "event": alert.event,
        "occurrence": alert.occurrence,
        "severity": alert.severity,
        "title": " ".join(alert.title.split()),
        "text": alert.text,
        "facts": orjson.dumps(dict(alert.facts)).decode(),
        "happened_at": alert.when,
    }


def about(act: Act, what: Literal["sending", "sent", "not_sent"], channel: str, why: str = "") -> dict[str, Any]:
    """The act that says what became of sending the alert of a `raised` act to one channel, yet without number."""
    return {**act, "act": what, "alert": act["alert"], "channels": [channel], "text": why}


def alert_of(act: Act) -> Alert:
    """The alert that a `raised` act tells of."""
    facts = orjson.loads(act["facts"])
    names = ("event", "severity", "title", "text")
    return Alert(
        **{name: act[name] for name in names}, when=act["happened_at"], facts=facts, occurrence=act["occurrence"]
    )


def due(acts: Sequence[Act], channel: str, now: datetime) -> Iterator[Act]:
    """The `raised` acts that are to be sent to `channel` now, oldest first."""
    told: dict[int, list[Act]] = {}
    for act in acts:
        if act["act"] != "raised" and act["channels"] == [channel]:
            told.setdefault(act["alert"], []).append(act)
    for act in acts:
        wanted = act["act"] == "raised" and channel in act["channels"] and act["at"] > now - KEEP_TRYING
        if wanted and _may_be_sent(told.get(act["number"], []), now):
            yield act


def undelivered(acts: Sequence[Act]) -> list[tuple[Act, str]]:
    """The `raised` acts that were not sent, with the channel."""
    sent = {(act["alert"], act["channels"][0]) for act in acts if act["act"] == "sent"}
    waiting = [(act, channel) for act in acts if act["act"] == "raised" for channel in act["channels"]]
    return [(act, channel) for act, channel in waiting if (act["number"], channel) not in sent]


def _may_be_sent(told: Sequence[Act], now: datetime) -> bool:
    if not told:
        return True
    if any(act["act"] == "sent" for act in told):
        return False
    last = told[-1]
    if last["act"] == "sending":
        return bool(last["at"] <= now - LEASE)
    attempts = sum(act["act"] == "not_sent" for act in told)
    doublings = min(attempts - 1, 10)  # beyond, the pause is the longest anyway
    return bool(last["at"] <= now - min(LONGEST_PAUSE, _FIRST_PAUSE * 2**doublings))
