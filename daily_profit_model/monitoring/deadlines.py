"""What must be there by when, and what of it is missing or came late.

Verdicts on partitions and times that are handed in, the clock too. How long runs may take stands in `sla`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from daily_profit_model.monitoring.health import Finding
from daily_profit_model.monitoring.sla import Breach


@dataclass(frozen=True)
class Deadline:
    """By when a table's partition must be there."""

    table: str
    by: time
    """UTC, on the day after the day of the data, which is the day of the predictions."""
    is_of_today: bool
    """The partition is that of the deadline's own day, as predictions are; else that of the day before."""
    reason: str
    is_served: bool = False
    """It is due only where a champion is in force on the partition's day (or was, for what judges predictions)."""


@dataclass(frozen=True)
class Due:
    """One partition that a deadline asks for."""

    deadline: Deadline
    partition: str
    at: datetime


MORNING_FEEDS = (
    "raw/plans", "raw/accounts", "raw/metrics_daily", "raw/metrics_hourly", "raw/trades_closed", "raw/trades_open",
    "raw/market_regimes", "raw/quarantine",
)  # fmt: skip
"""What the service (and files) bring every morning. Market bars are optional, so nothing is promised of them."""


def deadlines(raw_by: time, predictions_by: time) -> tuple[Deadline, ...]:
    """The promises. Raw tables and predictions have a time of their own (settings); what lies between is due with the
    predictions, which need it."""
    between = "today's predictions are made of it"
    return (
        *(
            Deadline(
                table, raw_by, False, "the fetch begins at the cut-off, 06:00 UTC; what follows needs half an hour"
            )
            for table in MORNING_FEEDS
        ),
        Deadline("staging/accounts", predictions_by, False, between),
        Deadline("staging/trades", predictions_by, False, between),
        Deadline("features/trade_daily", predictions_by, False, between),
        Deadline("features/account_daily", predictions_by, False, between),
        Deadline(
            "predictions/account_daily",
            predictions_by,
            True,
            "risk decides by it before the day's business",
            is_served=True,
        ),
        Deadline(
            "monitoring/outcomes",
            predictions_by,
            False,
            "calibration learns from it before it predicts",
            is_served=True,
        ),
    )


def due_since(promised: Sequence[Deadline], now: datetime, first_day: date, since: datetime | None = None) -> list[Due]:
    """The partitions whose deadline lies between `since` and `now`, and those of each table's newest deadline anyway.

    Oldest first; none of data before `first_day`, on which the history begins.
    """
    found = []
    for deadline in promised:
        day = now.astimezone(UTC).date()
        if _instant(day, deadline.by) > now:
            day -= timedelta(days=1)
        newest = day
        while day > first_day and (day == newest or (since is not None and _instant(day, deadline.by) > since)):
            of = day if deadline.is_of_today else day - timedelta(days=1)
            found.append(Due(deadline, of.isoformat(), _instant(day, deadline.by)))
            day -= timedelta(days=1)
    return sorted(found, key=lambda due: due.at)


def missing(due: Sequence[Due], present: Mapping[str, Sequence[str]], served_from: date | None) -> list[Breach]:
    """The due partitions that are not there. `served_from`: the first day on which a champion is in force."""
    breaches = []
    for one in due:
        table = one.deadline.table
        if one.partition in present.get(table, ()) or not _is_wanted(one, served_from, present):
            continue
        limit = f"by {one.at:%Y-%m-%d %H:%M} UTC"
        advice = "dpm run makes it; dpm ui shows why the morning's run did not"
        finding = Finding("deadline", "fail", f"{table} of {one.partition} is missing", limit, advice)
        breaches.append(Breach(f"missing:{table}:{one.partition}", finding, one.at))
    return breaches


def late(due: Sequence[Due], made: Mapping[tuple[str, str], datetime], first_run: datetime | None) -> list[Breach]:
    """The due partitions that were first made after their deadline, by (table, partition) in `made`.

    What was due before `first_run`, the first of the platform, is history that was filled later, and not late.
    """
    breaches = []
    for one in due:
        at = made.get((one.deadline.table, one.partition))
        if at is None or at <= one.at or first_run is None or one.at < first_run:
            continue
        value = f"{one.deadline.table} of {one.partition} came at {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        finding = Finding(
            "deadline", "fail", value, f"by {one.at:%Y-%m-%d %H:%M} UTC", "dpm ui shows what it waited for"
        )
        breaches.append(Breach(f"late:{one.deadline.table}:{one.partition}", finding, at, is_state=False))
    return breaches


def _is_wanted(due: Due, served_from: date | None, present: Mapping[str, Sequence[str]]) -> bool:
    if not due.deadline.is_served:
        return True
    if due.deadline.is_of_today:
        return served_from is not None and date.fromisoformat(due.partition) >= served_from
    return due.partition in present.get("predictions/account_daily", ())


def _instant(day: date, by: time) -> datetime:
    return datetime.combine(day, by, tzinfo=UTC)
