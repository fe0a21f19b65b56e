"""Rules of monitoring/feed_health: which calls, how slow, and how stale a feed is an alarm.

A value beyond the error's threshold fails the error's rule alone: an alarm is raised once. Thresholds are
handed in, as they come from the settings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from daily_profit_model.quality.conditions import disordered, named
from daily_profit_model.quality.expectation import Expectation, absent, between
from daily_profit_model.quality.frame import Frame, rows_of
from daily_profit_model.quality.rule import Dimension, Rule, Severity
from daily_profit_model.tables.monitoring import FEED_HEALTH

_FAILING = "Look at the failures by class in the row, and at raw/requests of the day; ask the service's operators."
_SLOW = "Compare p50 with p99: all calls slow means the service or the network, few mean single large answers."
_STALE = "Look whether the day's run was made and complete (dpm status); if it was, the service has stopped updating."


@dataclass(frozen=True)
class Threshold:
    """Above `warn` a warning, above `error` an error."""

    warn: float
    error: float


@dataclass(frozen=True)
class FeedThresholds:
    """What a feed's health is judged by."""

    failure_rate: Threshold
    """Share of the calls."""
    latency_s: Threshold
    """Of the 95 % quantile."""
    live_staleness_min: Threshold
    daily_staleness_h: Threshold


def monitoring_rules(limits: FeedThresholds) -> tuple[Rule, ...]:
    """The rules of monitoring/feed_health under these thresholds."""
    failure_rate, latency = limits.failure_rate, limits.latency_s
    live, daily = limits.live_staleness_min, limits.daily_staleness_h
    frame = _frame(limits)

    def rule(
        rule_id: str, dimension: Dimension, severity: Severity, holds: tuple[Expectation, ...], why: str, advice: str
    ) -> Rule:
        return Rule(rule_id, FEED_HEALTH.name, dimension, severity, frame, holds, why, advice)

    return (
        rule(
            "feeds_called",
            "completeness",
            "warn",
            (between("calls", low=1, says="every feed was called on the day"),),
            "A day on which nobody called is a run that did not take place, and no sign of health.",
            "Look why the schedule did not run; the next run fetches what is missing.",
        ),
        Rule(
            "calls_add_up",
            FEED_HEALTH.name,
            "consistency",
            "error",
            _counts(),
            (
                absent("miscounted", says="good, failed and refused calls are all calls"),
                absent("disordered", says="the quantiles of the latency ascend"),
            ),
            "A class of failure that is not counted is one that nobody sees.",
            "A new class of outcome in raw/requests is missing in the query: add it.",
        ),
        rule(
            "failures_few",
            "validity",
            "warn",
            (_most("small_failure_rate", failure_rate.warn, "few calls failed, or an error is raised"),),
            f"Repeated calls hide failures from the data; above {failure_rate.warn:g} the service is not well.",
            _FAILING,
        ),
        rule(
            "failures_bearable",
            "validity",
            "error",
            (_most("failure_rate", failure_rate.error, "not too many calls failed"),),
            f"Above {failure_rate.error:g} some question will soon fail more often than it is repeated.",
            _FAILING,
        ),
        rule(
            "calls_quick",
            "validity",
            "warn",
            (_most("small_latency_s", latency.warn, "95 % of the calls are quick, or an error is raised"),),
            f"Slow calls delay the morning; a page usually comes in a part of {latency.warn:g} s.",
            _SLOW,
        ),
        rule(
            "calls_bearable",
            "validity",
            "error",
            (_most("latency_p95_s", latency.error, "95 % of the calls are not too slow"),),
            f"Above {latency.error:g} s the morning's data are not there in time for the predictions.",
            _SLOW,
        ),
        rule(
            "feeds_fresh",
            "completeness",
            "warn",
            (
                _most("small_live_staleness_min", live.warn, "live feeds are fresh, or an error is raised"),
                _most("small_daily_staleness_h", daily.warn, "daily feeds are fresh, or an error is raised"),
            ),
            "A feed that answers but has stopped moving looks healthy otherwise.",
            _STALE,
        ),
        rule(
            "feeds_not_stale",
            "completeness",
            "error",
            (
                _most("live_staleness_min", live.error, "live feeds are not stale"),
                _most("daily_staleness_h", daily.error, "daily feeds are not stale"),
            ),
            "Predictions from a feed that has stopped moving are those of another day.",
            _STALE,
        ),
    )


def _counts() -> Frame:
    """The rows with what does not add up in them; words, so apart from the measures."""
    rows = rows_of(
        FEED_HEALTH,
        miscounted=named(
            {
                "calls": "ok + failures + http_429 <> calls",
                "failures": "timeout + connection + reset + http_5xx + broken_json + error_envelope + refused_4xx "
                "<> failures",
                "retries": "retries > calls",
            }
        ),
        disordered=disordered(("latency_p50_s", "latency_p95_s", "latency_p99_s"), 0),
    )
    return replace(rows, name=f"{FEED_HEALTH.name} counts")


def _most(column: str, high: float, says: str) -> Expectation:
    return between(column, high=high, says=says)


def _frame(limits: FeedThresholds) -> Frame:
    """The rows with each measure twice: as it is for the error, and null beyond the error for the warning."""
    live, daily = "case when is_live then staleness_s / 60 end", "case when not is_live then staleness_s / 3600 end"
    rows = rows_of(
        FEED_HEALTH,
        ("calls", "failure_rate", "latency_p95_s"),
        live_staleness_min=live,
        daily_staleness_h=daily,
        small_failure_rate=_up_to("failure_rate", limits.failure_rate.error),
        small_latency_s=_up_to("latency_p95_s", limits.latency_s.error),
        small_live_staleness_min=_up_to(live, limits.live_staleness_min.error),
        small_daily_staleness_h=_up_to(daily, limits.daily_staleness_h.error),
    )
    return replace(rows, measures=True)


def _up_to(value: str, limit: float) -> str:
    return f"case when ({value}) <= {limit!r} then ({value}) end"
