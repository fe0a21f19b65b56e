"""What follows from drift, degradation and the shadows' evaluation: once, whenever the daemon is killed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from daily_profit_model.defs.automation.decided_shadows import shadows_are_decided
from daily_profit_model.defs.automation.model_alerts import champion_is_in_doubt
from daily_profit_model.defs.automation.retraining import (
    ALARM_TAG,
    PLANNED_DAYS,
    REASON_TAG,
    challenger_is_trained,
    champion_falls_behind,
)
from daily_profit_model.defs.automation.sensors import (
    comparable,
    days_are_judged,
    days_are_predicted,
    days_of,
    looked_at_before,
)
from daily_profit_model.defs.build import build_definitions
from daily_profit_model.defs.models.deployments import create, promote
from daily_profit_model.defs.models.registry import acts, champion_of, record
from daily_profit_model.defs.models.shadows import all_deployments, shadow_acts
from daily_profit_model.defs.resources.notifier import notifier_of
from daily_profit_model.lake import Lake, write
from daily_profit_model.modeling.acts import ActRefused, Wish
from daily_profit_model.modeling.bundle import BundleError
from daily_profit_model.modeling.contracts import MODELS_NET_PROFIT
from daily_profit_model.modeling.registry import version_row
from daily_profit_model.modeling.shadow_contracts import PREDICTIONS_SHADOW, SHADOW_EVALUATION
from daily_profit_model.settings import load_settings
from daily_profit_model.tables import Table
from daily_profit_model.tables.drift import MONITORING_DEGRADATION, MONITORING_DRIFT
from daily_profit_model.tables.monitoring import MONITORING_OUTCOMES
from daily_profit_model.tables.segments import SEGMENT_PERFORMANCE
from daily_profit_model_tests.defs.small_versions import FIRST_CUTOFF, predicted, register, small_model
from daily_profit_model_tests.monitoring.drifted_rows import degradation_of, drift_of
from daily_profit_model_tests.monitoring.receivers import Inbox, web_server
from daily_profit_model_tests.quality.good_shadow import good_shadow_rows

NOW = datetime(2026, 6, 2, 7, 5, tzinfo=UTC)
SUNDAY = FIRST_CUTOFF + timedelta(weeks=2)
MONDAY = SUNDAY + timedelta(days=1)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    with web_server() as inbox:
        monkeypatch.setenv("DPM_ALERT_WEBHOOK_URL", inbox.address)
        monkeypatch.setenv("DPM_ALERT_WEBHOOK_SEVERITIES", "info,warn,error,critical")
        yield inbox


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


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
    rows = drift_of(day, {"since": since, "kind": kind} if since else {})
    write(lake, MONITORING_DRIFT, day.isoformat(), rows, code_version="1")


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


@pytest.fixture
def challenger(lake: Lake, tmp_path: Path) -> str:
    """The version of SUNDAY, which the gate has made challenger of the champion of FIRST_CUTOFF."""
    predicted(lake, MONDAY)
    register(lake, tmp_path / "models", small_model(0), "promoted")
    return register(lake, tmp_path / "models", small_model(1, SUNDAY), "challenger")


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


@pytest.fixture
def shadow(lake: Lake, tmp_path: Path, challenger: str) -> str:
    """A running deployment of the challenger."""
    words = {"traffic": 0, "days": 60, "first_day": None, "reason": "r", "author": "sensor"}
    act = create(lake, tmp_path / "models", challenger, **words)  # type: ignore[arg-type]  # as the keywords are
    return str(act["deployment"])


def evaluated(lake: Lake, name: str, day: date, decision: str, **values: object) -> None:
    (good,) = good_shadow_rows(day, [], "")[SHADOW_EVALUATION.name]
    row = {**dict.fromkeys(SHADOW_EVALUATION.column_names), **good, "deployment": name, "decision": decision, **values}
    rows = pa.Table.from_pylist([row], schema=SHADOW_EVALUATION.schema())
    write(lake, SHADOW_EVALUATION, day.isoformat(), rows, code_version="1")


DECIDED = SUNDAY + timedelta(days=30)


def titles(inbox: Inbox) -> list[str]:
    return [post["text"] for post in inbox.posts]


def test_a_shadow_that_has_earned_it_is_promoted_once_with_its_evidence_wherever_the_daemon_is_killed(
    lake: Lake, instance: dg.DagsterInstance, shadow: str, challenger: str, web: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DPM_AUTO_PROMOTE", "true")
    evaluated(lake, shadow, DECIDED, "continue", decided_on=None)
    assert "0 shadows are decided" in tick(shadows_are_decided, instance)[2]
    evaluated(lake, shadow, DECIDED, "promote", decided_on=DECIDED)

    class Killed(BaseException):
        pass

    def kill(*_: Any, **__: Any) -> Any:
        raise Killed

    for place in ("decided_shadows.promote", "decided_shadows.tell", "decided_shadows.tell_shadow"):
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(f"daily_profit_model.defs.automation.{place}", kill)
            tick(shadows_are_decided, instance)
    _, cursor, _ = tick(shadows_are_decided, instance)
    tick(shadows_are_decided, instance, cursor)
    (act,) = acts(lake).to_pylist()
    assert (act["version"], act["author"]) == (challenger, "sensor")
    assert json.loads(act["evidence"])["shadow"]["decision"] == "promote"
    assert champion_of(lake, act["in_force_from"]).version == challenger
    assert [one["act"] for one in shadow_acts(lake).to_pylist()] == ["create", "promote"]
    assert titles(web) == [f"[WARN] shadow {shadow} has earned promotion and is to become champion"]


def test_without_auto_promote_a_person_is_asked_once_and_nothing_is_promoted(
    lake: Lake, instance: dg.DagsterInstance, shadow: str, web: Inbox
) -> None:
    cursor = None
    clock = Clock()
    for later in range(3):
        evaluated(lake, shadow, DECIDED + timedelta(days=later), "promote", decided_on=DECIDED)
        _, cursor, _ = tick(shadows_are_decided, instance, cursor, clock)
        clock.now += timedelta(days=5)
    tick(shadows_are_decided, instance, None, Clock())
    assert acts(lake).num_rows == 0
    assert all_deployments(lake)[0].until is None
    assert titles(web) == [f"[WARN] shadow {shadow} has earned promotion: dpm shadow promote s1 --reason …"]


@pytest.mark.parametrize(
    ("decision", "severity", "because"),
    [
        ("stop_harm", "WARN", "it is worse than the champion"),
        ("stop_futility", "INFO", "it will hardly be found better any more"),
        ("stop_end", "INFO", "its planned days are over and it was not found better"),
    ],
)
def test_a_shadow_that_is_not_better_is_stopped_by_an_act_and_told_once(
    decision: str, severity: str, because: str, lake: Lake, instance: dg.DagsterInstance, shadow: str, web: Inbox
) -> None:
    evaluated(lake, shadow, DECIDED, decision, decided_on=DECIDED)
    _, cursor, _ = tick(shadows_are_decided, instance)
    tick(shadows_are_decided, instance)
    tick(shadows_are_decided, instance, cursor)
    _, stopped = shadow_acts(lake).to_pylist()
    assert (stopped["act"], stopped["author"]) == ("stop", "sensor")
    assert json.loads(stopped["evidence"])["decision"] == decision
    assert titles(web) == [f"[{severity}] shadow {shadow} is stopped: {because}"]


def test_a_shadow_is_not_promoted_for_having_been_better_than_a_champion_that_serves_no_more(
    lake: Lake, instance: dg.DagsterInstance, shadow: str, web: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DPM_AUTO_PROMOTE", "true")
    evaluated(lake, shadow, DECIDED, "promote", decided_on=DECIDED)
    predicted(lake, DECIDED + timedelta(days=7))
    register(lake, tmp_path / "models", small_model(2, DECIDED + timedelta(days=3)), "promoted")
    tick(shadows_are_decided, instance)
    assert acts(lake).num_rows == 0
    assert titles(web) == [f"[WARN] shadow {shadow} was better than a champion that serves no more"]


def test_a_shadow_that_cannot_be_promoted_keeps_no_other_from_being_stopped(
    lake: Lake, instance: dg.DagsterInstance, shadow: str, web: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DPM_AUTO_PROMOTE", "true")
    other = register(lake, tmp_path / "models", small_model(2, SUNDAY), "refused")
    words = {"traffic": 0, "days": 60, "first_day": None, "reason": "r", "author": "ana"}
    harmful = create(lake, tmp_path / "models", other, **words)["deployment"]  # type: ignore[arg-type]  # as above
    (good,) = good_shadow_rows(DECIDED, [], "")[SHADOW_EVALUATION.name]
    row = {**dict.fromkeys(SHADOW_EVALUATION.column_names), **good, "decided_on": DECIDED}
    earned = {**row, "deployment": shadow, "decision": "promote", "decided_on": DECIDED - timedelta(days=1)}
    harms = {**row, "deployment": harmful, "decision": "stop_harm"}
    rows = pa.Table.from_pylist([earned, harms], schema=SHADOW_EVALUATION.schema())
    write(lake, SHADOW_EVALUATION, DECIDED.isoformat(), rows, code_version="1")
    shutil.rmtree(tmp_path / "models" / shadow.split("-", 1)[1])
    for _ in range(2):  # it goes on to fail, and tells nothing twice
        with pytest.raises(BundleError):
            tick(shadows_are_decided, instance)
    assert [one.ended_by for one in all_deployments(lake)] == [None, "stop"]
    assert len(web.posts) == 2


def test_a_champion_that_a_person_names_while_a_shadow_is_promoted_stays(
    lake: Lake, shadow: str, tmp_path: Path
) -> None:
    named = register(lake, tmp_path / "models", small_model(2, FIRST_CUTOFF), None)

    def carry_out(wish: Wish) -> dict[str, Any]:
        record(lake, Wish("champion", named, "a better one", "ana", model_hash="ab"))
        return record(lake, wish)

    (found,) = all_deployments(lake)
    with pytest.raises(ActRefused, match="nothing was changed"):
        promote(lake, tmp_path / "models", found, {}, reason="r", author="sensor", carry_out=carry_out)
    assert acts(lake)["version"].to_pylist() == [named]
    assert all_deployments(lake) == [found]


def test_drift_is_a_warning_and_degradation_an_error_told_once_an_episode(
    lake: Lake, instance: dg.DagsterInstance, web: Inbox
) -> None:
    clock, cursor = Clock(), None
    for later in range(3):
        day = MONDAY + timedelta(days=later)
        drifts(lake, day, SUNDAY if later else None)
        rows = degradation_of(day, {"since": SUNDAY} if later else {})
        write(lake, MONITORING_DEGRADATION, day.isoformat(), rows, code_version="1")
        _, cursor, _ = tick(champion_is_in_doubt, instance, cursor, clock)
        clock.now += timedelta(days=1)
    tick(champion_is_in_doubt, instance, None, clock)  # a cursor that was lost
    assert [title.split(" ")[0] for title in titles(web)] == ["[WARN]", "[ERROR]"]
    assert "a feature has drifted from what 20260419-aaaaaaaa has learnt" in titles(web)[0]
    assert "dpm drift show --date" in json.dumps(web.posts)
    drifts(lake, MONDAY + timedelta(days=3), None)
    _, cursor, _ = tick(champion_is_in_doubt, instance, cursor, clock)
    drifts(lake, MONDAY + timedelta(days=4), MONDAY + timedelta(days=4))
    tick(champion_is_in_doubt, instance, cursor, clock)
    assert len(web.posts) == 3


def test_an_episode_goes_on_while_any_column_stands_and_is_not_told_again_when_its_first_one_recovers(
    lake: Lake, instance: dg.DagsterInstance, web: Inbox
) -> None:
    clock, cursor = Clock(), None
    standing = [("a", SUNDAY), ("b", MONDAY)], [("b", MONDAY)], [("c", MONDAY + timedelta(days=2))]
    for later, columns in enumerate(standing):
        day = MONDAY + timedelta(days=later)
        rows = drift_of(day, *({"column_name": name, "since": since} for name, since in columns))
        write(lake, MONITORING_DRIFT, day.isoformat(), rows, code_version="1")
        _, cursor, _ = tick(champion_is_in_doubt, instance, cursor, clock)
        clock.now += timedelta(days=1)
    assert len(web.posts) == 1


def test_an_episode_that_begins_within_the_cool_down_of_the_one_before_is_told_a_day_later(
    lake: Lake, instance: dg.DagsterInstance, web: Inbox
) -> None:
    clock = Clock()
    drifts(lake, MONDAY, None)
    _, cursor, _ = tick(champion_is_in_doubt, instance, None, clock)
    second = MONDAY + timedelta(days=3)
    for later, since in ((1, MONDAY), (2, None), (3, second)):  # the daemon was down for three days
        drifts(lake, MONDAY + timedelta(days=later), since)
    _, cursor, _ = tick(champion_is_in_doubt, instance, cursor, clock)
    assert len(web.posts) == 1
    clock.now += timedelta(days=1)
    for later in (4, 5):
        drifts(lake, MONDAY + timedelta(days=later), second)
        _, cursor, _ = tick(champion_is_in_doubt, instance, cursor, clock)
        clock.now += timedelta(days=1)
    assert [title.rpartition(" ")[2] for title in titles(web)] == [str(MONDAY), str(second)]


def test_an_alarm_that_began_before_its_version_served_is_told_and_trains_the_newest_cut_off_on_the_first_day(
    lake: Lake, instance: dg.DagsterInstance, web: Inbox
) -> None:
    began = MONDAY - timedelta(days=40)
    drifts(lake, MONDAY, began)
    tick(champion_is_in_doubt, instance)
    assert [title.rpartition(" ")[2] for title in titles(web)] == [str(began)]
    (request,), _, _ = tick(champion_falls_behind, instance)
    assert request.partition_key == SUNDAY.isoformat()
    assert request.tags[ALARM_TAG] == f"{began} feature a location"


def test_a_champion_that_comes_back_with_an_alarm_that_was_told_before_it_left_is_in_the_same_episode(
    lake: Lake, instance: dg.DagsterInstance, web: Inbox
) -> None:
    clock, cursor = Clock(), None
    own: dict[str, object] = {"since": MONDAY}
    other: dict[str, object] = {"model_version": "20260426-bbbbbbbb", "model_hash": "b" * 64}
    for later, row in enumerate((own, other, own)):
        day = MONDAY + timedelta(days=later)
        write(lake, MONITORING_DRIFT, day.isoformat(), drift_of(day, row), code_version="1")
        _, cursor, _ = tick(champion_is_in_doubt, instance, cursor, clock)
        clock.now += timedelta(days=1)
    assert len(web.posts) == 1


def test_days_that_came_while_the_daemon_was_down_are_told_of_and_a_backfill_of_old_days_is_not(
    lake: Lake, instance: dg.DagsterInstance, web: Inbox
) -> None:
    drifts(lake, MONDAY, None)
    _, cursor, _ = tick(champion_is_in_doubt, instance)
    drifts(lake, MONDAY - timedelta(days=30), MONDAY - timedelta(days=30))
    drifts(lake, MONDAY + timedelta(days=2), MONDAY + timedelta(days=2), "prediction")
    drifts(lake, MONDAY + timedelta(days=3), None)
    tick(champion_is_in_doubt, instance, cursor)
    assert len(web.posts) == 1
    assert "a prediction has drifted" in titles(web)[0]


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
