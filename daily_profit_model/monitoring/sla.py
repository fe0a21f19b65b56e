"""Whether runs are as they are expected to be: as quick as their job's own runs before, and seldom failing; and whether
what asks for them works.

Verdicts on runs and ticks that are handed in, the clock too. What must be there by when stands in `deadlines`; where runs and
partitions are looked up, in defs/monitoring/service_levels.py.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from daily_profit_model.monitoring.health import Finding

SLOW = 1.5
"""Times the expected runtime, from which on a run is slow (issue: alarm above 150 %)."""
LEAST_EXCESS = timedelta(minutes=1)
"""A run is not slow for less: schedules go by the minute, and a job of seconds takes half as long again by chance."""
RUNS_TO_LEARN = 5
"""Successful runs before there is an expected runtime: a median of fewer may itself be one odd run."""
RUNS_REMEMBERED = 20
"""Of which the expected runtime is the median: three weeks of mornings, so that growth is followed."""
LONGEST_ERROR = 300
"""Characters of an error that a finding repeats."""
RUNS_FOR_A_RATE = 10
"""Finished runs before there is a failure rate: of fewer a single failure is above the default limit."""


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
class FailedTick:
    """A look of a sensor or a schedule that raised: what it would have asked for was not asked for."""

    name: str
    at: datetime
    error: str


@dataclass(frozen=True)
class Breach:
    """A promise that is not kept: a finding, and the key by which it is alerted."""

    event: str
    finding: Finding
    at: datetime
    is_state: bool = True
    """It goes on until somebody does something; a finished run that was slow does not."""


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


def failing_automation(ticks: Sequence[FailedTick]) -> list[Breach]:
    """A breach for each sensor or schedule among `ticks`, with its newest error."""
    newest = {tick.name: tick for tick in sorted(ticks, key=lambda tick: tick.at)}
    breaches = []
    for name, tick in sorted(newest.items()):
        count = sum(other.name == name for other in ticks)
        error = " ".join(tick.error.split())[:LONGEST_ERROR]
        times = "once" if count == 1 else f"{count} times"
        value = f"{name} failed {times}, the last time at {tick.at:%Y-%m-%d %H:%M} UTC: {error}"
        advice = "dpm ui shows its ticks; what it did not ask for, dpm run makes"
        breaches.append(Breach(f"automation:{name}", Finding("automation", "fail", value, "never", advice), tick.at))
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
