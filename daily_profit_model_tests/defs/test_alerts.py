"""The alert sensors: what each makes an alert of, once, with its cursor across restarts; and the notifier."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from daily_profit_model.defs.automation.alerts import (
    ALERT_SENSORS,
    alerts_are_delivered,
    broken_promises,
    failed_run,
    promises_are_kept,
    read_cursor,
    rules_do_not_hold,
    run_has_failed,
)
from daily_profit_model.defs.build import build_definitions
from daily_profit_model.defs.monitoring.alerts import ALERTS
from daily_profit_model.defs.resources.notifier import Notifier, notifier_of, raise_alert
from daily_profit_model.lake import Lake, write
from daily_profit_model.monitoring.alerts import SEVERITIES, Alert
from daily_profit_model.monitoring.health import Finding
from daily_profit_model.monitoring.sla import Breach
from daily_profit_model.settings import ALERT_SEVERITIES, WrongSettings, load_settings
from daily_profit_model.tables.alerts import MONITORING_ALERTS
from daily_profit_model.tables.quality import rule_results_of
from daily_profit_model.tables.staging import STAGING_ACCOUNTS
from daily_profit_model_tests.monitoring.receivers import PASSWORD, Inbox, mail_server, web_server

NOW = datetime(2026, 6, 2, 7, 5, tzinfo=UTC)
ALERT = Alert("an-event", "error", "Something", "", NOW)


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Inbox]:
    """A webhook that the settings name, and a lake of its own."""
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))
    with web_server() as inbox:
        monkeypatch.setenv("DPM_ALERT_WEBHOOK_URL", inbox.address)
        yield inbox


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


def notifier(clock: Clock) -> Notifier:
    """As a process that has just started has it."""
    return notifier_of(load_settings(), now=clock)


def tick(sensor: dg.SensorDefinition, instance: dg.DagsterInstance, clock: Clock, cursor: str | None) -> str | None:
    """Evaluate a sensor as a daemon does that has just started; its cursor afterwards."""
    context = dg.build_sensor_context(
        instance=instance,
        cursor=cursor,
        sensor_name=sensor.name,
        resources={"notifier": notifier(clock)},
        repository_def=None,
    )
    told = sensor.evaluate_tick(context).cursor
    assert told is None or isinstance(told, str)
    return told


def titles(inbox: Inbox) -> list[str]:
    return [post["text"] for post in inbox.posts]


def fail(instance: dg.DagsterInstance, tags: dict[str, str]) -> str:
    @dg.op
    def breaks() -> None:
        raise dg.Failure("the service is gone")

    @dg.job(name="daily_data")
    def daily_data() -> None:
        breaks()

    return daily_data.execute_in_process(instance=instance, tags=tags, raise_on_error=False).run_id


def test_a_failed_run_is_told_once_though_the_daemon_starts_again_with_its_old_cursor(
    web: Inbox, instance: dg.DagsterInstance, clock: Clock
) -> None:
    cursor = tick(run_has_failed, instance, clock, None)
    run_id = fail(instance, {"dagster/partition": "2026-06-01"})
    after = tick(run_has_failed, instance, clock, cursor)
    assert titles(web) == ["[ERROR] daily_data of 2026-06-01 failed"]
    assert "the service is gone" in json.dumps(web.posts)
    assert run_id in json.dumps(web.posts)
    clock.now += timedelta(days=1)
    tick(run_has_failed, instance, clock, cursor)  # killed before the cursor was stored, started a day later
    tick(run_has_failed, instance, clock, after)
    assert len(web.posts) == 1
    fail(instance, {"dagster/partition": "2026-06-01"})
    tick(run_has_failed, instance, clock, after)
    assert len(web.posts) == 2


def test_the_failed_runs_of_a_backfill_are_one_event_and_those_of_other_days_are_not() -> None:
    def event(**tags: str) -> str:
        return failed_run(dg.DagsterRun(job_name="daily_data", tags=tags), [], NOW).event

    assert event(**{"dagster/partition": "2026-06-01"}) == "run_failed:daily_data:2026-06-01"
    assert event(**{"dagster/partition": "2026-06-02"}) == "run_failed:daily_data:2026-06-02"
    days = {"dagster/asset_partition_range_start": "2026-06-01", "dagster/asset_partition_range_end": "2026-06-03"}
    assert event(**days) == "run_failed:daily_data:2026-06-01 … 2026-06-03"
    assert event(**days, **{"dagster/backfill": "b"}) == "run_failed:backfill:b"


def said(lake: Lake, day: str, *rules: tuple[str, str, bool, bool]) -> None:
    """Store what rules (id, severity, blocks, holds) said of staging/accounts of a day."""
    rows = [
        {
            "date": date.fromisoformat(day),
            "table": STAGING_ACCOUNTS.name,
            "rule": rule,
            "dimension": "validity",
            "severity": severity,
            "is_blocking": blocks,
            "passed": holds,
            "is_judged": True,
            "rows": 10,
            "unexpected_count": 0 if holds else 3,
            "unexpected_share": 0.0 if holds else 0.3,
            "message": None if holds else f"3 of 10 rows are not {rule}",
        }
        for rule, severity, blocks, holds in rules
    ]
    kept = rule_results_of(STAGING_ACCOUNTS)
    write(lake, kept, day, pa.Table.from_pylist(rows, schema=kept.schema()), code_version="1")


def test_rules_of_severity_error_are_told_by_table_and_day_and_blocking_ones_are_critical(
    web: Inbox, instance: dg.DagsterInstance, clock: Clock
) -> None:
    lake = Lake(load_settings().lake_root)
    said(lake, "2026-06-01", ("b", "error", True, False), ("c", "error", False, False), ("a", "error", False, False),
         ("d", "warn", False, False), ("e", "error", True, True))  # fmt: skip
    cursor = tick(rules_do_not_hold, instance, clock, None)
    assert titles(web) == [
        "[CRITICAL] staging/accounts of 2026-06-01 stopped: nothing is made of it",
        "[ERROR] staging/accounts of 2026-06-01 does not hold what it must",
    ]
    assert "a: 3 of 10 rows are not a\\nc: 3 of 10 rows are not c" in json.dumps(web.posts[1])
    assert tick(rules_do_not_hold, instance, clock, cursor) == cursor
    clock.now += timedelta(days=1)
    tick(rules_do_not_hold, instance, clock, None)  # a cursor that was lost
    assert len(web.posts) == 2


def test_a_daemon_that_was_down_for_days_tells_what_was_judged_meanwhile_and_nothing_of_old_days(
    web: Inbox, instance: dg.DagsterInstance, clock: Clock
) -> None:
    lake = Lake(load_settings().lake_root)
    said(lake, "2026-05-01", ("old", "error", False, False))
    cursor = tick(rules_do_not_hold, instance, clock, None)
    assert titles(web) == []
    for day in ("2026-06-02", "2026-06-20"):
        said(lake, day, ("new", "error", False, False))
    said(lake, "2026-06-19", ("holds", "error", True, True))
    clock.now += timedelta(days=20)
    cursor = tick(rules_do_not_hold, instance, clock, cursor)
    assert [title.split(" of ")[1][:10] for title in titles(web)] == ["2026-06-02", "2026-06-20"]
    said(lake, "2026-06-20", ("new", "error", False, False), ("another", "error", False, False))
    tick(rules_do_not_hold, instance, clock, cursor)
    assert len(web.posts) == 3


def test_the_cursor_looks_back_as_far_as_days_are_read_again() -> None:
    assert read_cursor(None, date(2026, 6, 2), 3) == ({}, date(2026, 5, 29))
    cursor = json.dumps({"looked": "2026-05-20", "seen": {"staging/accounts@2026-05-19": "h"}})
    assert read_cursor(cursor, date(2026, 6, 2), 0) == ({"staging/accounts@2026-05-19": "h"}, date(2026, 5, 19))


def test_missing_partitions_are_told_after_their_deadline_with_a_reminder_after_the_cool_down(
    web: Inbox, instance: dg.DagsterInstance, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DPM_START_DATE", "2026-06-01")
    monkeypatch.setenv("DPM_SLA_RAW_BY", "07:10")
    monkeypatch.setenv("DPM_SLA_PREDICTIONS_BY", "23:00")
    cursor = tick(promises_are_kept, instance, clock, None)
    assert titles(web) == []
    clock.now = NOW + timedelta(minutes=5)
    cursor = tick(promises_are_kept, instance, clock, cursor)
    assert titles(web) == ["[ERROR] 8 tables of raw are missing their partition of 2026-06-01"]
    assert "raw/accounts of 2026-06-01 is missing" in json.dumps(web.posts)
    clock.now += timedelta(minutes=239)
    cursor = tick(promises_are_kept, instance, clock, cursor)
    assert len(web.posts) == 1
    clock.now += timedelta(minutes=1)
    tick(promises_are_kept, instance, clock, cursor)
    assert len(web.posts) == 2


def test_missing_predictions_are_critical_a_slow_run_is_a_warning_and_a_finished_one_is_told_once() -> None:
    def breach(event: str, *, is_state: bool = True) -> Breach:
        return Breach(event, Finding("x", "fail", event, "a limit"), NOW, is_state)

    found = [breach("missing:predictions/account_daily:2026-06-02"), breach("slow:daily_data:a", is_state=False),
             breach("slow:daily_data:b"), breach("failure_rate")]  # fmt: skip
    told = {alert.event: (alert.severity, alert.occurrence) for alert in broken_promises(found, NOW)}
    assert told == {
        "missing:predictions:2026-06-02": ("critical", ""),
        "slow:daily_data:a": ("warn", "slow:daily_data:a"),
        "slow:daily_data:b": ("warn", ""),
        "failure_rate": ("error", ""),
    }


def test_what_the_receiver_did_not_take_is_sent_by_the_next_tick_of_delivery_and_once(
    web: Inbox, instance: dg.DagsterInstance, clock: Clock
) -> None:
    web.status = 400
    assert raise_alert(notifier(clock), ALERT)
    web.status = 200
    for _ in range(3):
        clock.now += timedelta(minutes=1)
        tick(alerts_are_delivered, instance, clock, None)
    assert titles(web) == ["[ERROR] Something"]


def test_without_any_channel_alerts_are_kept_and_logged_and_none_is_sent_when_one_comes(
    web: Inbox, clock: Clock, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DPM_ALERT_WEBHOOK_URL")
    assert raise_alert(notifier(clock), ALERT)
    assert "Something" in "".join(capfd.readouterr())
    assert len(Lake(load_settings().lake_root).partitions(MONITORING_ALERTS.name)) == 1
    monkeypatch.setenv("DPM_ALERT_WEBHOOK_URL", web.address)
    raise_alert(notifier(clock), Alert("another", "error", "Another", "", NOW))
    assert titles(web) == ["[ERROR] Another"]


def test_severities_decide_where_an_alert_goes(web: Inbox, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server() as post:
        monkeypatch.setenv("DPM_ALERT_SMTP_URL", post.address)
        monkeypatch.setenv("DPM_ALERT_EMAIL_FROM", "dpm@example.com")
        monkeypatch.setenv("DPM_ALERT_EMAIL_TO", "risk@example.com, ml@example.com")
        for severity in ("info", "warn", "error", "critical"):
            raise_alert(notifier(clock), Alert(severity, severity, severity, "", NOW))  # type: ignore[arg-type]  # all of them
        monkeypatch.setenv("DPM_ALERT_WEBHOOK_SEVERITIES", "info")
        monkeypatch.setenv("DPM_ALERT_EMAIL_SEVERITIES", "critical")
        for severity in ("info", "error"):
            raise_alert(notifier(clock), Alert(f"{severity} again", severity, "again", "", NOW))  # type: ignore[arg-type]  # as above
    assert titles(web) == ["[WARN] warn", "[ERROR] error", "[CRITICAL] critical", "[INFO] again"]
    assert [mail["Subject"] for mail in post.mails] == ["[ERROR] error", "[CRITICAL] critical"]
    assert post.mails[0]["To"] == "risk@example.com, ml@example.com"


def test_an_alert_that_the_lake_cannot_keep_is_sent_all_the_same(web: Inbox, clock: Clock) -> None:
    settings = load_settings()
    settings.lake_root.parent.mkdir(parents=True, exist_ok=True)
    Path(str(settings.lake_root)).write_text("no folder")
    assert raise_alert(notifier(clock), ALERT)
    assert titles(web) == ["[ERROR] Something"]


WRONG: list[tuple[dict[str, str], str]] = [
    ({"DPM_ALERT_WEBHOOK_URL": f"slack/{PASSWORD}"}, "must be an address such as https://"),
    ({"DPM_ALERT_SMTP_URL": f"http://dpm:{PASSWORD}@mail"}, "must be an address such as smtp://"),
    ({"DPM_ALERT_SMTP_URL": f"smtp://dpm:{PASSWORD}@mail:port"}, "must be an address such as smtp://"),
    ({"DPM_ALERT_SMTP_URL": f"smtp://dpm:{PASSWORD}@mail"}, "needs DPM_ALERT_EMAIL_FROM"),
    ({"DPM_SLA_PREDICTIONS_BY": "07:00+02:00"}, "must be HH:MM, without a zone: it is UTC"),
    ({"DPM_ALERT_WEBHOOK_SEVERITIES": "error,fatal"}, "'fatal' is none of info, warn, error, critical"),
]


@pytest.mark.parametrize(("variables", "expected"), WRONG)
def test_wrong_settings_are_told_without_their_secrets(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(WrongSettings) as caught:
        load_settings()
    assert expected in str(caught.value)
    assert PASSWORD not in f"{caught.value} {caught.value.__cause__} {caught.value.__cause__!r}"


def test_the_settings_know_the_severities_that_alerts_have() -> None:
    assert ALERT_SEVERITIES == SEVERITIES


def test_every_alert_sensor_waits_to_be_switched_on() -> None:
    assert all(sensor.default_status == dg.DefaultSensorStatus.STOPPED for sensor in ALERT_SENSORS)


def test_the_checks_of_the_deadlines_say_what_is_missing(
    web: Inbox, instance: dg.DagsterInstance, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "daily_profit_model.defs.build.notifier_resource", dg.ResourceDefinition(lambda _: notifier(clock))
    )
    job = build_definitions().resolve_job_def("daily_deadlines")

    def passed() -> dict[str, Any]:
        evaluations = job.execute_in_process(instance=instance).get_asset_check_evaluations()
        assert {evaluation.asset_key for evaluation in evaluations} == {ALERTS.key}
        return {evaluation.check_name: evaluation.passed for evaluation in evaluations}

    always = {"predictions_in_time": True, "monitoring_in_time": True}  # no champion serves yet
    assert passed() == {**always, "raw_in_time": False, "staging_in_time": False, "features_in_time": False}
    monkeypatch.setenv("DPM_START_DATE", "2026-06-02")
    assert passed() == {**always, "raw_in_time": True, "staging_in_time": True, "features_in_time": True}
