"""What was promised, and whether it is kept: partitions by their deadlines, runtimes of jobs, failures of runs.

Verdicts on values that are handed in, the clock too. Where runs and partitions are looked up stands in
defs/launch/sla.py.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from daily_profit_model.monitoring.health import Finding

SLOW = 1.5
"""Times the expected runtime, from which on a run is slow (issue: alarm above 150 %)."""
LEAST_EXCESS = timedelta(minutes=1)
"""A run is not slow for less: schedules go by the minute, and a job of seconds takes half as long again by chance."""
RUNS_TO_LEARN = 5
"""Successful runs before there is an expected runtime: a median of fewer may itself be one odd run."""
RUNS_REMEMBERED = 20
"""Of which the expected runtime is the median: three weeks of mornings, so that growth is followed."""
RUNS_FOR_A_RATE = 10
"""Finished runs before there is a failure rate: of fewer a single failure is above the default limit."""


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


@dataclass(frozen=True)
class Run:
    """A run of a job, as Dagster recorded it. Times have a time zone."""

    run_id: str
    job: str
    started: datetime
    ended: datetime | None = None
    """None: it is under way."""
    succeeded: bool | None = None
    """None: it is under way, or was cancelled."""

    def seconds(self, now: datetime) -> float:
        return ((self.ended or now) - self.started).total_seconds()


@dataclass(frozen=True)
class Breach:
    """A promise that is not kept: a finding, and the key by which it is alerted."""

    event: str
    finding: Finding
    at: datetime
    is_state: bool = True
    """It goes on until somebody does something; a finished run that was slow does not."""


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


def expected_seconds(runs: Sequence[Run]) -> float | None:
    """The median of the last successful runs among `runs` of one job (any order); None: too few of them yet."""
    done = sorted((run for run in runs if run.succeeded and run.ended), key=lambda run: run.started)
    if len(done) < RUNS_TO_LEARN:
        return None
    return statistics.median(run.seconds(run.started) for run in done[-RUNS_REMEMBERED:])


def slow(runs: Sequence[Run], judged: Sequence[Run], now: datetime) -> list[Breach]:
    """Those of `judged` that took (or, under way, have taken by `now`) longer than 150 % of their job's runs before.

    `runs`: all that are known, of any jobs. A failed run is judged by the failure rate.
    """
    breaches = []
    for run in judged:
        if run.ended is not None and not run.succeeded:
            continue
        before = [other for other in runs if other.job == run.job and other.started < run.started]
        expected = expected_seconds(before)
        if expected is None:
            continue
        took, limit = run.seconds(now), max(expected * SLOW, expected + LEAST_EXCESS.total_seconds())
        if took <= limit:
            continue
        verb = "took" if run.ended else "has been running for"
        value = f"{run.job} {verb} {took:,.0f} s (run {run.run_id[:8]})"
        told = f"{limit:,.0f} s, expected {expected:,.0f} s"
        finding = Finding("runtime", "fail", value, told, "dpm ui shows its steps: which of them is slow?")
        breaches.append(Breach(f"slow:{run.job}:{run.run_id}", finding, run.ended or now, is_state=run.ended is None))
    return breaches


def failure_rate(runs: Sequence[Run], limit: float, now: datetime, days: int) -> tuple[Finding, Breach | None]:
    """The share of the runs that ended in the last `days` days and failed, cancelled ones aside."""
    since = now - timedelta(days=days)
    ended = [run for run in runs if run.succeeded is not None and run.ended is not None and since < run.ended <= now]
    failed = [run for run in ended if not run.succeeded]
    told = f"at most {limit:.0%}"
    if len(ended) < RUNS_FOR_A_RATE:
        value = f"{len(failed)} of {len(ended)} runs failed in {days} days; judged from {RUNS_FOR_A_RATE} runs on"
        return Finding("failures", "ok", value, told), None
    share = len(failed) / len(ended)
    value = f"{len(failed)} of {len(ended)} runs failed in {days} days ({share:.0%})"
    if share <= limit:
        return Finding("failures", "ok", value, told), None
    jobs = ", ".join(sorted({run.job for run in failed}))
    finding = Finding("failures", "fail", value, told, f"dpm ui shows the failed runs, of {jobs}")
    return finding, Breach("failure_rate", finding, now)


def _is_wanted(due: Due, served_from: date | None, present: Mapping[str, Sequence[str]]) -> bool:
    if not due.deadline.is_served:
        return True
    if due.deadline.is_of_today:
        return served_from is not None and date.fromisoformat(due.partition) >= served_from
    return due.partition in present.get("predictions/account_daily", ())


def _instant(day: date, by: time) -> datetime:
    return datetime.combine(day, by, tzinfo=UTC)
