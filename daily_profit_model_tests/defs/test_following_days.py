"""Which days follow when a day has been predicted or judged: shadows, drift and segments of those that rest on it."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import dagster as dg
import pytest

from daily_profit_model.defs.automation.sensors import (
    comparable,
    days_are_judged,
    days_are_predicted,
    days_of,
    looked_at_before,
)
from daily_profit_model.defs.models.shadows import all_deployments
from daily_profit_model.lake import Lake, write
from daily_profit_model.modeling.shadow_contracts import PREDICTIONS_SHADOW
from daily_profit_model.tables import Table
from daily_profit_model.tables.drift import MONITORING_DRIFT
from daily_profit_model.tables.monitoring import MONITORING_OUTCOMES
from daily_profit_model.tables.segments import SEGMENT_PERFORMANCE
from daily_profit_model_tests.defs.sensor_ticks import MONDAY, graph

pytestmark = pytest.mark.usefixtures("own_data_dir")


def after(instance: dg.DagsterInstance, sensor: Any, job: str, day: date) -> list[dg.RunRequest]:
    """What a run-status sensor asks for when the run of a day has succeeded."""
    definition = graph().get_job(job)
    run = instance.create_run_for_job(definition, tags={"dagster/partition": day.isoformat()})
    event = dg.DagsterEvent("PIPELINE_SUCCESS", job_name=job)
    context = dg.build_run_status_sensor_context(sensor.name, event, instance, run)
    first, again = list(sensor(context)), list(sensor(context))
    assert [request.run_key for request in first] == [request.run_key for request in again]
    return first


def stored(lake: Lake, table: Table, day: date, inputs: dict[str, str | None] | None = None) -> str:
    rows = table.schema().empty_table()
    return write(lake, table, day.isoformat(), rows, code_version="1", inputs=inputs or {}).content_hash


def test_shadows_predict_the_days_on_which_one_is_active_and_are_compared_once_outcomes_are_there(
    lake: Lake, instance: dg.DagsterInstance, shadow: str
) -> None:
    first = all_deployments(lake)[0].from_day
    before, later = first - timedelta(days=1), first + timedelta(days=2)
    assert [one.job_name for one in after(instance, days_are_predicted, "daily_predictions", before)] == ["daily_drift"]
    jobs = [one.job_name for one in after(instance, days_are_predicted, "daily_predictions", first)]
    assert jobs == ["daily_drift", "daily_shadows"]
    stored(lake, MONITORING_OUTCOMES, first)
    assert after(instance, days_are_judged, "daily_outcomes", first) == []
    stored(lake, PREDICTIONS_SHADOW, first)
    for job in ("daily_outcomes", "daily_shadows"):
        (request,) = after(instance, days_are_judged, job, first)
        assert (request.job_name, request.partition_key) == ("daily_shadow_evaluation", first.isoformat())
    for table in (MONITORING_OUTCOMES, PREDICTIONS_SHADOW):
        stored(lake, table, later)
    assert comparable(lake, [first.isoformat()]) == [first.isoformat(), later.isoformat()]
    assert comparable(lake, [before.isoformat()]) == []


def test_drift_is_looked_at_again_from_the_first_day_on_that_rests_on_other_outcomes(
    lake: Lake, instance: dg.DagsterInstance
) -> None:
    days = [MONDAY + timedelta(days=number) for number in range(4)]
    for yesterday, day in pairwise(days):
        known = stored(lake, MONITORING_OUTCOMES, yesterday)
        inputs = {f"{MONITORING_OUTCOMES.name}@{yesterday}": known if yesterday != days[1] else None}
        stored(lake, MONITORING_DRIFT, day, inputs)
    assert after(instance, days_are_judged, "daily_outcomes", days[0]) == []
    assert looked_at_before(lake, [days[2].isoformat()]) == []
    (request,) = after(instance, days_are_judged, "daily_outcomes", days[1])
    assert request.job_name == "daily_drift"
    assert days_of(request.tags) == [days[2].isoformat(), days[3].isoformat()]


def test_segments_are_looked_at_again_on_the_days_that_rest_on_other_outcomes_and_on_no_other(
    lake: Lake, instance: dg.DagsterInstance
) -> None:
    days = [MONDAY + timedelta(days=number) for number in range(3)]
    known = {day: stored(lake, MONITORING_OUTCOMES, day) for day in days}
    for place, day in enumerate(days):
        inputs: dict[str, str | None] = {
            f"{MONITORING_OUTCOMES.name}@{each}": known[each] for each in days[: place + 1]
        }
        if place:
            inputs[f"{MONITORING_OUTCOMES.name}@{days[1]}"] = "as it was before a correction"
        stored(lake, SEGMENT_PERFORMANCE, day, inputs)
    (request,) = after(instance, days_are_judged, "daily_outcomes", days[0])
    assert request.job_name == "daily_segments"
    assert days_of(request.tags) == [days[1].isoformat(), days[2].isoformat()]
    assert after(instance, days_are_judged, "daily_shadows", days[0]) == []
