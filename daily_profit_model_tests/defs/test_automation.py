"""What happens by the clock, and what follows from new data."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest
from upath import UPath

from daily_profit_model.defs.automation.requests import requests_for
from daily_profit_model.defs.automation.retraining import REASON_TAG
from daily_profit_model.defs.automation.schedules import (
    every_monday,
    every_morning,
    every_morning_again,
    every_morning_before,
    every_night,
)
from daily_profit_model.defs.automation.sensors import (
    after_data,
    days_are_predicted,
    days_of,
    newest_day,
    outdated_outcomes,
)
from daily_profit_model.defs.build import build_definitions
from daily_profit_model.defs.calendars import range_tags
from daily_profit_model.lake import Lake, write, write_revision
from daily_profit_model.tables.monitoring import MONITORING_OUTCOMES
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model.tables.raw import RAW_METRICS_DAILY
from daily_profit_model_tests.staging.firm_days import day, snapshot, stage, stage_trades, store_day, trade


def test_the_morning_asks_for_the_data_of_yesterday() -> None:
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 6, 2, 6, tzinfo=UTC))
    request = every_morning(context)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2026-06-01"
    assert every_morning.cron_schedule == "0 6 * * *"


def test_the_bars_of_yesterday_are_asked_for_before_its_data_if_there_is_a_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 6, 2, 5, 45, tzinfo=UTC))
    skipped = every_morning_before(context)
    assert isinstance(skipped, dg.SkipReason)
    assert "MARKET_API_BASE_URL is not set" in str(skipped.skip_message)
    monkeypatch.setenv("MARKET_API_BASE_URL", "http://127.0.0.1:1/")
    request = every_morning_before(context)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2026-06-01"
    assert (every_morning_before.job.name, every_morning_before.cron_schedule) == ("daily_bars", "45 5 * * *")


def test_the_night_asks_how_the_calls_of_yesterday_went() -> None:
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 6, 2, 0, 15, tzinfo=UTC))
    request = every_night(context)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2026-06-01"
    assert (every_night.job.name, every_night.cron_schedule) == ("daily_feeds", "15 0 * * *")


def test_the_morning_asks_for_the_days_before_yesterday_again_in_one_run() -> None:
    (request,) = requested(datetime(2026, 6, 2, 6, 30, tzinfo=UTC))
    assert (request.job_name, request.partition_key) == ("daily_corrections", None)
    assert days_of(request.tags) == ["2026-05-29", "2026-05-30", "2026-05-31"]
    assert every_morning_again.cron_schedule == "30 6 * * *"


@pytest.mark.parametrize(
    ("setting", "moment", "expected"),
    [
        ("1", datetime(2026, 6, 2, 6, 30, tzinfo=UTC), ["2026-05-31"]),
        ("9", datetime(2026, 3, 4, 6, 30, tzinfo=UTC), ["2026-03-01", "2026-03-02"]),
        ("3", datetime(2026, 3, 2, 6, 30, tzinfo=UTC), []),
        ("0", datetime(2026, 6, 2, 6, 30, tzinfo=UTC), []),
    ],
)
def test_no_day_is_read_again_before_the_history_or_beyond_the_setting(
    setting: str, moment: datetime, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DPM_CORRECTION_DAYS", setting)
    found = requested(moment)
    asked = [request.partition_key or days_of(request.tags) for request in found]
    assert asked == ([expected] if len(expected) > 1 else expected)


def requested(moment: datetime) -> list[dg.RunRequest]:
    answered = every_morning_again(dg.build_schedule_context(scheduled_execution_time=moment))
    return answered if isinstance(answered, list) else []


def test_each_run_of_days_is_asked_for_once_as_one_day_or_one_range() -> None:
    days = ["2026-03-05", "2026-03-07", "2026-03-08"]
    alone, together = requests_for("late_accounts", days, "a-run")
    assert (alone.partition_key, alone.run_key) == ("2026-03-05", "late_accounts:2026-03-05:2026-03-05:a-run")
    assert (together.partition_key, days_of(together.tags)) == (None, days[1:])
    assert list(requests_for("late_accounts", [], "a-run")) == []


def test_complete_data_are_reconciled_and_predictions_judged_where_there_are_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))
    lake, yesterday = Lake(UPath(tmp_path / "lake")), date(2026, 3, 5)
    skipped, books = after_data(lake, yesterday, "a-run")
    assert isinstance(skipped, dg.SkipReason)
    assert "no champion is in force on 2026-03-06" in str(skipped.skip_message)
    assert isinstance(books, dg.RunRequest)
    assert (books.job_name, books.partition_key) == ("daily_reconciliation", "2026-03-05")
    predictions = PREDICTIONS_ACCOUNT_DAILY.schema().empty_table()
    write(lake, PREDICTIONS_ACCOUNT_DAILY, yesterday.isoformat(), predictions, code_version="1")
    jobs = [request.job_name for request in after_data(lake, yesterday, "a-run") if isinstance(request, dg.RunRequest)]
    assert jobs == ["daily_outcomes", "daily_reconciliation"]


def test_days_with_trades_of_accounts_that_have_appeared_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))
    lake = Lake(UPath(tmp_path / "lake"))
    store_day(lake, day(0), closed=[trade("late")])
    stage(lake, day(0))
    stage_trades(lake, day(0))
    store_day(lake, day(1), accounts=[snapshot("late")])
    requests = [request for request in after_data(lake, date(2026, 3, 3), "r") if isinstance(request, dg.RunRequest)]
    assert [(request.job_name, request.partition_key) for request in requests] == [
        ("late_accounts", day(0)), ("daily_reconciliation", "2026-03-03"),
    ]  # fmt: skip


def test_outcomes_are_judged_again_only_where_the_newest_metrics_have_changed(tmp_path: Path) -> None:
    lake, at = Lake(UPath(tmp_path)), datetime(2026, 3, 6, 5, tzinfo=UTC)
    rows = RAW_METRICS_DAILY.schema().empty_table()
    outcomes = MONITORING_OUTCOMES.schema().empty_table()
    days = ["2026-03-03", "2026-03-04", "2026-03-05"]
    for one in days[:2]:
        metrics, _ = write_revision(lake, RAW_METRICS_DAILY, one, rows, ingested_at=at, code_version="1")
        inputs = {f"{RAW_METRICS_DAILY.name}#newest@{one}": metrics.content_hash}
        write(lake, MONITORING_OUTCOMES, one, outcomes, code_version="1", inputs=inputs)
    assert outdated_outcomes(lake, days) == []
    corrected = pa.Table.from_pylist(
        [{"date": date(2026, 3, 4), "account_id": "a", "net_profit": 1.0}], schema=RAW_METRICS_DAILY.schema()
    )
    write_revision(lake, RAW_METRICS_DAILY, days[1], corrected, ingested_at=at + timedelta(hours=1), code_version="1")
    assert outdated_outcomes(lake, days) == [days[1]]


def test_monday_asks_for_the_cut_off_of_sunday_unless_an_alarm_has_done_so_and_its_run_has_not_failed() -> None:
    with dg.instance_for_test() as instance:

        def requested() -> dg.RunRequest | dg.SkipReason:
            moment = datetime(2026, 6, 8, 7, tzinfo=UTC)
            answered = every_monday(dg.build_schedule_context(instance, scheduled_execution_time=moment))
            assert isinstance(answered, dg.RunRequest | dg.SkipReason)
            return answered

        request = requested()
        assert isinstance(request, dg.RunRequest)
        assert request.partition_key == "2026-06-07"
        assert date.fromisoformat("2026-06-07").isoweekday() == 7
        job = build_definitions().resolve_job_def("weekly_training")
        tags = {"dagster/partition": "2026-06-07"}
        instance.create_run_for_job(job, tags=tags)
        assert isinstance(requested(), dg.RunRequest)
        run = instance.create_run_for_job(job, tags={**tags, REASON_TAG: "drift"})
        skipped = requested()
        assert isinstance(skipped, dg.SkipReason)
        assert run.run_id in str(skipped.skip_message)
        instance.report_run_failed(run)
        assert isinstance(requested(), dg.RunRequest)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"dagster/partition": "2026-06-01"}, date(2026, 6, 1)),
        ({"dagster/asset_partition_range_start": "2026-05-01", "dagster/asset_partition_range_end": "2026-06-01"},
         date(2026, 6, 1)),
        ({"dagster/partition": "2026-05-31"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_only_yesterday_asks_for_outcomes_and_predictions(tags: dict[str, str], expected: date | None) -> None:
    assert newest_day(tags, today=date(2026, 6, 2)) == expected


@pytest.mark.parametrize(
    ("tags", "days"),
    [
        ({"dagster/partition": "2026-05-05"}, ["2026-05-05"]),
        (range_tags("2026-05-05", "2026-05-07"), ["2026-05-05", "2026-05-06", "2026-05-07"]),
    ],
)
def test_days_that_are_predicted_are_looked_at_for_drift_once_in_one_run(tags: dict[str, str], days: list[str]) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_definitions().resolve_job_def("daily_predictions")
        run = instance.create_run_for_job(job, tags=tags)
        event = dg.DagsterEvent("PIPELINE_SUCCESS", job_name=job.name)
        context = dg.build_run_status_sensor_context("days_are_predicted", event, instance, run)
        (request,), (again,) = days_are_predicted(context), days_are_predicted(context)
    assert request.job_name == "daily_drift"
    assert ([request.partition_key] if request.partition_key else days_of(request.tags)) == days
    assert request.run_key == again.run_key
