"""Sensors of the models, ticked as a daemon does that has just started, on days with alarms and without. No tests here."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache

import dagster as dg

from daily_profit_model.defs.build import build_definitions
from daily_profit_model.defs.resources.notifier import notifier_of
from daily_profit_model.lake import Lake, write
from daily_profit_model.settings import load_settings
from daily_profit_model.tables.drift import MONITORING_DRIFT
from daily_profit_model_tests.defs.small_versions import FIRST_CUTOFF
from daily_profit_model_tests.monitoring.drifted_rows import drift_of
from daily_profit_model_tests.monitoring.receivers import Inbox

NOW = datetime(2026, 6, 2, 7, 5, tzinfo=UTC)
SUNDAY = FIRST_CUTOFF + timedelta(weeks=2)
MONDAY = SUNDAY + timedelta(days=1)


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@cache
def graph() -> dg.RepositoryDefinition:
    return build_definitions().get_repository_def()


def tick(
    sensor: dg.SensorDefinition, instance: dg.DagsterInstance, cursor: str | None = None, clock: Clock | None = None
) -> tuple[list[dg.RunRequest], str | None, str]:
    """Evaluate a sensor as a daemon does that has just started: requests, cursor afterwards, what is said."""
    notifier = notifier_of(load_settings(), now=clock or Clock())
    resources = {"notifier": notifier} if "notifier" in sensor.required_resource_keys else {}
    context = dg.build_sensor_context(
        instance=instance, cursor=cursor, sensor_name=sensor.name, resources=resources, repository_def=graph()
    )
    told = sensor.evaluate_tick(context)
    assert told.cursor is None or isinstance(told.cursor, str)
    return list(told.run_requests or []), told.cursor, told.skip_message or ""


def drifts(lake: Lake, day: date, since: date | None, kind: str = "feature") -> None:
    """Store the day's drift: an alarm that stands since `since`, or a quiet row."""
    rows = drift_of(day, {"since": since, "kind": kind} if since else {})
    write(lake, MONITORING_DRIFT, day.isoformat(), rows, code_version="1")


def titles(inbox: Inbox) -> list[str]:
    return [post["text"] for post in inbox.posts]
