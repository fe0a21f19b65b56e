"""What follows from drift and degradation: a training once, and its challenger's deployment, whenever the daemon is killed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from daily_profit_model.defs.automation.retraining import (
    ALARM_TAG,
    PLANNED_DAYS,
    REASON_TAG,
    challenger_is_trained,
    champion_falls_behind,
)
from daily_profit_model.defs.models.shadows import all_deployments
from daily_profit_model.lake import Lake, write
from daily_profit_model.modeling.contracts import MODELS_NET_PROFIT
from daily_profit_model.modeling.registry import version_row
from daily_profit_model.tables.drift import MONITORING_DEGRADATION
from daily_profit_model_tests.defs.sensor_ticks import MONDAY, SUNDAY, drifts, graph, tick
from daily_profit_model_tests.defs.small_versions import predicted, register, small_model
from daily_profit_model_tests.monitoring.drifted_rows import degradation_of

pytestmark = pytest.mark.usefixtures("own_data_dir")


def start_training(instance: dg.DagsterInstance, request: dg.RunRequest, status: dg.DagsterRunStatus) -> str:
    tags = {**request.tags, "dagster/partition": str(request.partition_key)}
    job = graph().get_job("weekly_training")
    return instance.create_run_for_job(job, tags=tags, status=status).run_id


def test_a_confirmed_alarm_trains_the_cut_off_of_sunday_once_though_the_daemon_is_killed_before_its_cursor_is_saved(
    lake: Lake, instance: dg.DagsterInstance
) -> None:
    assert tick(champion_falls_behind, instance)[0] == []
    drifts(lake, MONDAY, SUNDAY)
    (request,), cursor, _ = tick(champion_falls_behind, instance)
    (again,), _, _ = tick(champion_falls_behind, instance)
    assert (request.partition_key, request.run_key) == (SUNDAY.isoformat(), again.run_key)
    assert request.tags[REASON_TAG] == "drift"
    assert request.tags[ALARM_TAG] == f"{SUNDAY} feature a location"
    assert tick(champion_falls_behind, instance, cursor)[0] == []
    run_id = start_training(instance, request, dg.DagsterRunStatus.STARTED)
    requests, _, said = tick(champion_falls_behind, instance)  # the run is there, the cursor is lost
    assert (requests, "on its way" in said) == ([], True)
    run = instance.get_run_by_id(run_id)
    assert run is not None
    instance.report_dagster_event(dg.DagsterEvent("PIPELINE_SUCCESS", run.job_name), run_id)
    drifts(lake, MONDAY + timedelta(weeks=1), SUNDAY)
    requests, _, said = tick(champion_falls_behind, instance)  # a week later, and the cursor of a week ago
    assert (requests, "cool-down" in said) == ([], True)
    drifts(lake, MONDAY + timedelta(weeks=4), SUNDAY)
    (later,), _, _ = tick(champion_falls_behind, instance, cursor)
    assert later.partition_key == (SUNDAY + timedelta(weeks=4)).isoformat()


def test_a_training_that_failed_does_not_keep_the_next_cut_off_waiting_and_is_not_asked_for_again(
    lake: Lake, instance: dg.DagsterInstance
) -> None:
    drifts(lake, MONDAY, SUNDAY)
    (request,), cursor, _ = tick(champion_falls_behind, instance)
    run = instance.get_run_by_id(start_training(instance, request, dg.DagsterRunStatus.STARTED))
    assert run is not None
    instance.report_run_failed(run)
    assert tick(champion_falls_behind, instance, cursor)[0] == []
    drifts(lake, MONDAY + timedelta(weeks=1), SUNDAY)
    (later,), _, _ = tick(champion_falls_behind, instance, cursor)
    assert later.partition_key == (SUNDAY + timedelta(weeks=1)).isoformat()


def test_a_version_of_the_weekly_schedule_is_not_trained_again_and_degradation_counts_as_drift_does(
    lake: Lake, instance: dg.DagsterInstance
) -> None:
    drifts(lake, MONDAY, None)
    assert "no alarm" in tick(champion_falls_behind, instance)[2]
    rows = degradation_of(MONDAY, {"since": SUNDAY - timedelta(days=3)})
    write(lake, MONITORING_DEGRADATION, MONDAY.isoformat(), rows, code_version="1")
    (request,), _, _ = tick(champion_falls_behind, instance)
    assert request.tags[REASON_TAG] == "degradation"
    write(lake, MODELS_NET_PROFIT, SUNDAY.isoformat(), version_row(small_model(1, SUNDAY)), code_version="1")
    requests, _, said = tick(champion_falls_behind, instance)
    assert (requests, f"the version of {SUNDAY} is there" in said) == ([], True)


def test_the_challenger_that_an_alarm_asked_for_is_deployed_once_by_the_sensor_and_its_reason_names_the_run(
    lake: Lake, instance: dg.DagsterInstance, challenger: str
) -> None:
    drifts(lake, MONDAY, SUNDAY)
    tags = {REASON_TAG: "drift", ALARM_TAG: "an alarm"}
    request = dg.RunRequest(partition_key=SUNDAY.isoformat(), tags=tags)
    run_id = start_training(instance, request, dg.DagsterRunStatus.SUCCESS)
    _, cursor, said = tick(challenger_is_trained, instance)
    tick(challenger_is_trained, instance)  # killed before the cursor was saved
    tick(challenger_is_trained, instance, cursor)
    (one,) = all_deployments(lake)
    assert (one.version, one.author, one.planned_days) == (challenger, "sensor", PLANNED_DAYS)
    assert one.reason == f"trained because of drift: an alarm (run {run_id})"
    assert one.from_day == SUNDAY + timedelta(days=2)
    assert one.name in said


def test_a_challenger_of_the_schedule_is_deployed_if_it_follows_an_alarm_and_no_other_that_does_runs(
    lake: Lake, instance: dg.DagsterInstance, challenger: str, tmp_path: Path
) -> None:
    drifts(lake, MONDAY, None)
    assert "follows no alarm" in tick(challenger_is_trained, instance)[2]
    drifts(lake, MONDAY + timedelta(days=1), MONDAY)
    assert "follows no alarm" in tick(challenger_is_trained, instance)[2]
    drifts(lake, MONDAY + timedelta(days=2), SUNDAY)
    assert "scores from" in tick(challenger_is_trained, instance)[2]
    register(lake, tmp_path / "models", small_model(2, SUNDAY + timedelta(weeks=1)), "challenger")
    assert "another that follows it is" in tick(challenger_is_trained, instance)[2]
    assert [one.version for one in all_deployments(lake)] == [challenger]


def test_a_refused_version_is_not_deployed(lake: Lake, instance: dg.DagsterInstance, tmp_path: Path) -> None:
    predicted(lake, MONDAY)
    drifts(lake, MONDAY, SUNDAY)
    register(lake, tmp_path / "models", small_model(0), "promoted")
    register(lake, tmp_path / "models", small_model(1, SUNDAY), "refused")
    assert "no version challenges the champion" in tick(challenger_is_trained, instance)[2]
