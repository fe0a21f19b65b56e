"""Deadlines, runtimes and failures: what is due, what is missing or late, what is slow, what fails too often."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from daily_profit_model.monitoring.deadlines import Deadline, Due, deadlines, due_since, late, missing
from daily_profit_model.monitoring.sla import (
    RUNS_FOR_A_RATE,
    RUNS_REMEMBERED,
    RUNS_TO_LEARN,
    FailedTick,
    Run,
    expected_seconds,
    failing_automation,
    failure_rate,
    slow,
)

SEVEN = datetime(2026, 6, 2, 7, tzinfo=UTC)
START = date(2026, 3, 1)
RAW = Deadline("raw/accounts", time(6, 30), False, "of the data's day")
PREDICTIONS = Deadline("predictions/account_daily", time(7), True, "of its own day", is_served=True)
OUTCOMES = Deadline("monitoring/outcomes", time(7), False, "of what was predicted", is_served=True)
MINUTE = timedelta(minutes=1)


def asked(due: list[Due]) -> list[tuple[str, str]]:
    return [(one.deadline.table, one.partition) for one in due]


def test_predictions_of_today_are_due_at_seven_and_raw_of_yesterday_half_an_hour_before() -> None:
    promised = deadlines(time(6, 30), time(7))
    due = asked(due_since(promised, SEVEN, START))
    assert ("raw/accounts", "2026-06-01") in due
    assert ("predictions/account_daily", "2026-06-02") in due
    before = asked(due_since(promised, SEVEN - MINUTE, START))
    assert ("raw/accounts", "2026-06-01") in before
    assert ("predictions/account_daily", "2026-06-01") in before
    assert all(deadline.reason for deadline in promised)


def test_every_deadline_since_the_last_look_is_due_and_none_of_before_the_history() -> None:
    since = SEVEN - timedelta(days=2)
    assert asked(due_since([PREDICTIONS], SEVEN, START, since)) == [
        ("predictions/account_daily", "2026-06-01"),
        ("predictions/account_daily", "2026-06-02"),
    ]
    young = date(2026, 6, 1)
    assert asked(due_since([RAW, PREDICTIONS], SEVEN, young, since)) == [
        ("raw/accounts", "2026-06-01"),
        ("predictions/account_daily", "2026-06-02"),
    ]
    assert due_since([RAW, PREDICTIONS], SEVEN, date(2026, 6, 2), since) == []


def test_a_partition_that_is_not_there_by_its_deadline_is_missing() -> None:
    due = due_since([RAW], SEVEN, START)
    assert missing(due, {"raw/accounts": ["2026-06-01"]}, None) == []
    (breach,) = missing(due, {"raw/accounts": ["2026-05-31"]}, None)
    assert breach.event == "missing:raw/accounts:2026-06-01"
    assert breach.finding.value == "raw/accounts of 2026-06-01 is missing"
    assert breach.finding.limit == "by 2026-06-02 06:30 UTC"


def test_predictions_are_due_once_a_champion_serves_and_outcomes_of_what_was_predicted() -> None:
    due = due_since([PREDICTIONS, OUTCOMES], SEVEN, START)
    assert missing(due, {}, None) == []
    assert missing(due, {}, date(2026, 6, 3)) == []
    assert [breach.event for breach in missing(due, {}, date(2026, 6, 2))] == [
        "missing:predictions/account_daily:2026-06-02"
    ]
    predicted = {"predictions/account_daily": ["2026-06-01", "2026-06-02"]}
    assert [breach.event for breach in missing(due, predicted, START)] == ["missing:monitoring/outcomes:2026-06-01"]


def test_what_came_after_its_deadline_is_late_unless_the_platform_did_not_run_yet() -> None:
    due = due_since([RAW], SEVEN, START)
    made = {("raw/accounts", "2026-06-01"): SEVEN + MINUTE}
    (breach,) = late(due, made, SEVEN - timedelta(days=9))
    assert (breach.event, breach.is_state) == ("late:raw/accounts:2026-06-01", False)
    assert "came at 2026-06-02 07:01 UTC" in breach.finding.value
    assert late(due, made, SEVEN) == []
    assert late(due, made, None) == []
    in_time = {("raw/accounts", "2026-06-01"): due[0].at}
    assert late(due, in_time, SEVEN - timedelta(days=9)) == []


def run(number: int, seconds: float, *, job: str = "daily_data", succeeded: bool | None = True) -> Run:
    started = SEVEN - timedelta(days=100 - number)
    ended = None if succeeded is None else started + timedelta(seconds=seconds)
    return Run(f"run-{number}", job, started, ended, succeeded)


def test_the_expected_runtime_is_the_median_of_the_last_successful_runs_and_unknown_before_five() -> None:
    runs = [run(number, 100.0) for number in range(RUNS_TO_LEARN - 1)]
    assert expected_seconds([*runs, run(9, 1.0, succeeded=False), run(9, 0.0, succeeded=None)]) is None
    assert expected_seconds([*runs, run(9, 9000.0)]) == 100.0
    grown = [run(number, 10.0 if number < 50 else 200.0) for number in range(50 + RUNS_REMEMBERED)]
    assert expected_seconds(list(reversed(grown))) == 200.0


@pytest.mark.parametrize(("seconds", "is_slow"), [(300.0, False), (301.0, True)])
def test_a_run_is_slow_above_150_percent_of_its_jobs_own_runs_before(seconds: float, is_slow: bool) -> None:
    others = [run(number, 1.0, job="another") for number in range(50)]
    runs = [run(number, 200.0) for number in range(RUNS_TO_LEARN)]
    last = run(90, seconds)
    breaches = slow([*others, *runs, last, run(91, 9000.0)], [last], SEVEN)
    assert [breach.event for breach in breaches] == (["slow:daily_data:run-90"] if is_slow else [])
    assert all("expected 200 s" in breach.finding.limit for breach in breaches)


def test_no_run_is_slow_by_less_than_a_minute_or_before_its_job_is_known() -> None:
    runs = [run(number, 2.0) for number in range(RUNS_TO_LEARN)]
    assert slow(runs, [run(90, 62.0)], SEVEN) == []
    assert len(slow(runs, [run(90, 62.5)], SEVEN)) == 1
    assert slow(runs[1:], [run(90, 9000.0)], SEVEN) == []


def test_a_run_under_way_is_slow_as_soon_as_it_has_taken_too_long_and_a_failed_one_is_not() -> None:
    runs = [run(number, 200.0) for number in range(RUNS_TO_LEARN)]
    under_way = run(90, 0.0, succeeded=None)
    assert slow(runs, [under_way], under_way.started + timedelta(seconds=300)) == []
    (breach,) = slow(runs, [under_way], under_way.started + timedelta(seconds=301))
    assert breach.is_state
    assert breach.finding.value == "daily_data has been running for 301 s (run run-90)"
    assert slow(runs, [run(90, 9000.0, succeeded=False)], SEVEN) == []


def test_a_sensor_that_raised_is_a_breach_with_its_newest_error_on_one_line() -> None:
    ticks = [
        FailedTick("b", SEVEN, "the newest\n  error " + "x" * 400),
        FailedTick("a", SEVEN, "another"),
        FailedTick("b", SEVEN - timedelta(hours=1), "an older error"),
    ]
    first, second = failing_automation(ticks)
    assert (first.event, second.event) == ("automation:a", "automation:b")
    assert first.finding.value == f"a failed once, the last time at {SEVEN:%Y-%m-%d %H:%M} UTC: another"
    assert second.finding.value.startswith("b failed 2 times")
    assert second.finding.value.endswith("UTC: the newest error " + "x" * 283)
    assert failing_automation([]) == []


def test_the_failure_rate_counts_runs_that_ended_within_its_days_from_ten_on() -> None:
    def told(*numbers: int, failed: int) -> bool:
        runs = [run(number, 60.0, succeeded=index >= failed) for index, number in enumerate(numbers)]
        _, breach = failure_rate(runs, 0.1, SEVEN, 7)
        return breach is not None

    recent = [99] * RUNS_FOR_A_RATE
    assert not told(*recent, failed=1)
    assert told(*recent, failed=2)
    assert not told(*recent[1:], failed=9)
    assert not told(*[50] * 20, *recent, failed=20)
    cancelled = [Run("c", "daily_data", SEVEN - MINUTE, SEVEN, None)] * 20
    assert "0 of 0 runs" in failure_rate(cancelled, 0.1, SEVEN, 7)[0].value
