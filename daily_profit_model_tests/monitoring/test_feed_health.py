"""Feed health: what the log says of a day's calls, and how far behind the stored rows were, whenever it is computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from daily_profit_model.lake import Lake, LakeError, write_revision
from daily_profit_model.monitoring.feed_health import FEEDS, feed_health
from daily_profit_model.risk_api.measurement import Measurement
from daily_profit_model.risk_api.raw_tables import ALL_TIME, QUESTIONS
from daily_profit_model.risk_api.request_log import RequestLog
from daily_profit_model.tables import Table
from daily_profit_model.tables.monitoring import FEED_HEALTH
from daily_profit_model.tables.raw import (
    RAW_ACCOUNTS,
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_TRADES_CLOSED,
    RAW_TRADES_OPEN,
)
from daily_profit_model.tables.raw_requests import RAW_REQUESTS
from daily_profit_model_tests.risk_api.measured import good_call

DAY = date(2026, 6, 2)
"""The day of the calls: its morning fetches the data of the day before."""
YESTERDAY = DAY - timedelta(days=1)
MORNING = datetime(2026, 6, 2, 6, 0, tzinfo=UTC)
CLOSED, OPEN, DAILY, HOURLY, ALLTIME = (
    "v2/trades/closed",
    "v2/trades/open",
    "v2/metrics/daily",
    "v2/metrics/hourly",
    "v2/metrics/alltime",
)
GOOD = good_call(MORNING)
HOUR = 3600.0


def called(lake: Lake, *measurements: Measurement) -> None:
    """The calls are in the log."""
    log = RequestLog(lake, later=lambda _, __: lambda: None)
    for measurement in measurements:
        log.record(measurement)
    log.close()


def all_called(lake: Lake, on: date = DAY) -> None:
    at = datetime(on.year, on.month, on.day, 6, tzinfo=UTC)
    called(lake, *(replace(GOOD, endpoint=feed.endpoint, started_at=at) for feed in FEEDS))


def health(lake: Lake, endpoint: str, day: date = DAY) -> dict[str, Any]:
    rows = feed_health(lake, day.isoformat())
    assert rows.schema.equals(FEED_HEALTH.schema())
    (row,) = [row for row in rows.to_pylist() if row["endpoint"] == endpoint]
    return row


def stored(lake: Lake, table: Table, day: date, at: datetime, *records: dict[str, object]) -> None:
    """A fetch of `table`, stored at `at`."""
    complete = [{**dict.fromkeys(table.column_names), "date": day, **record} for record in records]
    rows = pa.Table.from_pylist(complete, schema=table.schema())
    write_revision(lake, table, day.isoformat(), rows, ingested_at=at, code_version="1")


def test_calls_are_counted_by_what_became_of_them(lake: Lake) -> None:
    outcomes = (
        "ok", "ok", "ok", "timeout", "connection", "connection", "reset", "http_429", "http_5xx", "broken_json",
        "error_envelope", "refused_4xx",
    )  # fmt: skip
    called(lake, *(replace(GOOD, outcome=outcome) for outcome in outcomes))
    row = health(lake, CLOSED)
    assert (row["calls"], row["ok"], row["failures"]) == (12, 3, 8)
    counted = {name: row[name] for name in dict.fromkeys(outcomes)}
    assert counted == {name: outcomes.count(name) for name in outcomes}
    assert row["failure_rate"] == pytest.approx(8 / 12)


def test_being_asked_to_slow_down_is_no_failure(lake: Lake) -> None:
    called(lake, GOOD, replace(GOOD, outcome="http_429"))
    assert health(lake, CLOSED)["failure_rate"] == 0


def test_latency_is_that_of_all_calls_failed_ones_included(lake: Lake) -> None:
    seconds = [0.1, 0.2, 0.3, 0.4, 5.0, 120.0]
    outcomes = ["ok", "ok", "ok", "ok", "http_5xx", "timeout"]
    called(lake, *(replace(GOOD, latency_s=s, outcome=o) for s, o in zip(seconds, outcomes, strict=True)))
    row = health(lake, CLOSED)
    for name, level in (("latency_p50_s", 0.5), ("latency_p95_s", 0.95), ("latency_p99_s", 0.99)):
        assert row[name] == pytest.approx(np.quantile(seconds, level))


def test_sizes_retries_and_waits_are_summed(lake: Lake) -> None:
    called(
        lake,
        replace(GOOD, limited_s=0.5),
        replace(GOOD, outcome="http_5xx", rows=None, bytes=20),
        replace(GOOD, attempt=2, held_s=1.5, rows=7),
        replace(GOOD, attempt=3, held_s=2.0, limited_s=0.25),
    )
    row = health(lake, CLOSED)
    assert (row["bytes"], row["rows"], row["retries"]) == (3020, 27, 2)
    assert (row["limited_s"], row["held_s"]) == (0.75, 3.5)


def test_the_breakers_openings_are_the_endpoints_and_its_state_is_the_hosts_at_the_end_of_the_day(lake: Lake) -> None:
    late = MORNING + timedelta(hours=3)
    called(
        lake,
        replace(GOOD, outcome="http_5xx", opened_breaker=True, breaker_state="open"),
        replace(GOOD, endpoint=OPEN, started_at=late, outcome="http_5xx", breaker_state="half-open"),
        replace(GOOD, started_at=MORNING + timedelta(hours=1)),
    )
    closed, opened = health(lake, CLOSED), health(lake, OPEN)
    assert (closed["breaker_openings"], opened["breaker_openings"]) == (1, 0)
    assert (closed["breaker_state"], opened["breaker_state"]) == ("half-open", "half-open")


def test_a_feed_that_nobody_called_is_missing_and_not_healthy(lake: Lake) -> None:
    called(lake, GOOD)
    row = health(lake, HOURLY)
    assert (row["calls"], row["ok"], row["failures"], row["bytes"]) == (0, 0, 0, 0)
    unknown = ("failure_rate", "latency_p50_s", "latency_p95_s", "latency_p99_s", "last_success_at", "staleness_s")
    assert [row[name] for name in unknown] == [None] * len(unknown)


def test_a_day_without_any_call_has_a_row_for_every_feed(lake: Lake) -> None:
    called(lake, GOOD)
    rows = feed_health(lake, (DAY + timedelta(days=3)).isoformat()).to_pylist()
    assert [(row["endpoint"], row["calls"]) for row in rows] == [(feed.endpoint, 0) for feed in FEEDS]


def test_days_before_the_first_call_of_all_have_no_row(lake: Lake) -> None:
    assert feed_health(lake, DAY.isoformat()).num_rows == 0
    called(lake, GOOD)
    assert feed_health(lake, YESTERDAY.isoformat()).num_rows == 0


def test_a_call_belongs_to_the_day_on_which_it_was_sent(lake: Lake) -> None:
    called(lake, replace(GOOD, started_at=datetime(2026, 6, 2, 23, 59, 59, tzinfo=UTC), latency_s=90.0))
    assert health(lake, CLOSED)["calls"] == 1
    assert health(lake, CLOSED)["last_success_at"] == datetime(2026, 6, 3, 0, 1, 29, tzinfo=UTC)
    assert health(lake, CLOSED, DAY + timedelta(days=1))["calls"] == 0


def test_files_of_several_processes_and_flushes_are_one_log(lake: Lake) -> None:
    for minute in range(5):
        called(lake, replace(GOOD, started_at=MORNING + timedelta(minutes=minute)), GOOD)
    assert health(lake, CLOSED)["calls"] == 10


def test_an_endpoint_that_feeds_no_table_is_told_of_too(lake: Lake) -> None:
    called(lake, replace(GOOD, endpoint="accounts"))
    row = health(lake, "accounts")
    assert (row["calls"], row["table_name"], row["is_live"], row["staleness_s"]) == (1, None, False, None)


def test_every_feed_of_the_raw_tables_is_watched() -> None:
    asked = {question.table.name: question.endpoint for question in (*QUESTIONS.values(), ALL_TIME)}
    assert {feed.table.name: feed.endpoint for feed in FEEDS} == asked


def test_a_damaged_log_file_is_one_line_that_says_which(lake: Lake) -> None:
    called(lake, GOOD)
    file = Path(str(lake.files(RAW_REQUESTS.name, DAY.isoformat())[0]))
    file.write_bytes(b"PAR1 torn")
    with pytest.raises(LakeError, match=file.name) as damaged:
        feed_health(lake, DAY.isoformat())
    assert "\n" not in str(damaged.value)


def of_daily(lake: Lake, day: date, at: datetime) -> None:
    stored(lake, RAW_METRICS_DAILY, day, at, {"login": "1"})


def of_hourly(lake: Lake, day: date, at: datetime) -> None:
    stored(lake, RAW_METRICS_HOURLY, day, at, {"login": "1", "hour": 3}, {"login": "1", "hour": 23})


def of_closed(lake: Lake, day: date, at: datetime) -> None:
    end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    closes = (end - timedelta(hours=5), end, end - timedelta(hours=1))
    stored(lake, RAW_TRADES_CLOSED, day, at, *({"login": str(n), "close_time": each} for n, each in enumerate(closes)))


@pytest.mark.parametrize(("endpoint", "fetch"), [(DAILY, of_daily), (HOURLY, of_hourly), (CLOSED, of_closed)])
@pytest.mark.parametrize(("days_old", "hours"), [(1, 6), (2, 30), (3, 54)])
def test_a_daily_feed_is_behind_by_the_hours_from_its_newest_rows_to_the_cut_off(
    lake: Lake, endpoint: str, fetch: Callable[[Lake, date, datetime], None], days_old: int, hours: float
) -> None:
    all_called(lake)
    for age in (days_old, days_old + 1, days_old + 2):
        fetch(lake, DAY - timedelta(days=age), MORNING)
    row = health(lake, endpoint)
    assert row["staleness_s"] == pytest.approx(hours * HOUR)
    assert row["due_at"] == MORNING
    assert not row["is_live"]


def test_days_whose_fetch_brought_no_rows_are_passed_over(lake: Lake) -> None:
    all_called(lake)
    of_daily(lake, DAY - timedelta(days=3), MORNING)
    stored(lake, RAW_METRICS_DAILY, YESTERDAY, MORNING)
    assert health(lake, DAILY)["staleness_s"] == pytest.approx(54 * HOUR)


def test_what_was_stored_after_the_day_does_not_change_what_is_said_of_it(lake: Lake) -> None:
    all_called(lake)
    of_daily(lake, DAY - timedelta(days=2), MORNING)
    before = feed_health(lake, DAY.isoformat())
    of_daily(lake, YESTERDAY, datetime(2026, 6, 3, 0, 0, 0, tzinfo=UTC))
    of_closed(lake, YESTERDAY, datetime(2026, 6, 3, 6, tzinfo=UTC))
    all_called(lake, DAY + timedelta(days=1))
    assert feed_health(lake, DAY.isoformat()).equals(before)


def test_a_feed_without_a_good_call_has_no_staleness(lake: Lake) -> None:
    called(lake, replace(GOOD, endpoint=DAILY, outcome="http_5xx"))
    of_daily(lake, YESTERDAY, MORNING)
    row = health(lake, DAILY)
    assert (row["staleness_s"], row["last_success_at"]) == (None, None)
    assert row["newest_at"] is not None


@pytest.mark.parametrize(("days_old", "hours"), [(1, 0), (2, 24)])
def test_open_trades_are_behind_when_the_last_midnights_snapshot_is_missing(
    lake: Lake, days_old: int, hours: float
) -> None:
    all_called(lake)
    stored(lake, RAW_TRADES_OPEN, DAY - timedelta(days=days_old), MORNING, {"login": "1"})
    row = health(lake, OPEN)
    assert (row["staleness_s"], row["is_live"]) == (hours * HOUR, True)


def changed_at(lake: Lake, instant: datetime | None, at: datetime = MORNING, day: date = YESTERDAY) -> None:
    earlier = None if instant is None else instant - timedelta(days=400)
    stored(
        lake, RAW_ACCOUNTS, day, at, {"login": "1", "updated_date": earlier}, {"login": "2", "updated_date": instant}
    )


def test_accounts_are_behind_by_the_time_from_the_latest_change_to_the_answer(lake: Lake) -> None:
    all_called(lake)
    changed_at(lake, MORNING - timedelta(minutes=7))
    row = health(lake, ALLTIME)
    assert (row["staleness_s"], row["is_live"]) == (7 * 60, True)
    assert (row["newest_at"], row["due_at"]) == (MORNING - timedelta(minutes=7), MORNING)


def test_a_later_call_for_another_day_does_not_make_the_answer_older(lake: Lake) -> None:
    all_called(lake)
    changed_at(lake, MORNING - timedelta(minutes=2))
    called(lake, replace(GOOD, endpoint=ALLTIME, started_at=MORNING + timedelta(hours=8)))
    changed_at(lake, None, at=MORNING + timedelta(hours=8), day=DAY - timedelta(days=30))
    assert health(lake, ALLTIME)["staleness_s"] == 120


def test_a_change_at_midnight_is_a_date_and_good_for_its_day(lake: Lake) -> None:
    all_called(lake)
    changed_at(lake, datetime(2026, 6, 2, tzinfo=UTC))
    assert health(lake, ALLTIME)["staleness_s"] == 0


def test_a_date_that_is_over_is_stale_from_its_end_on(lake: Lake) -> None:
    all_called(lake)
    changed_at(lake, datetime(2026, 6, 1, tzinfo=UTC))
    assert health(lake, ALLTIME)["staleness_s"] == 6 * HOUR


def test_a_backfill_that_keeps_identity_alone_says_nothing_of_the_freshness_of_accounts(lake: Lake) -> None:
    all_called(lake)
    changed_at(lake, None)
    assert health(lake, ALLTIME)["staleness_s"] is None


def test_an_answer_of_the_future_is_fresh(lake: Lake) -> None:
    all_called(lake)
    changed_at(lake, MORNING + timedelta(minutes=3))
    assert health(lake, ALLTIME)["staleness_s"] == 0
