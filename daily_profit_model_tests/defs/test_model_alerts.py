"""Who is told that the champion is in doubt: of each episode of drift or degradation once, whatever days come when."""

from __future__ import annotations

import json
from datetime import timedelta

import dagster as dg
import pytest

from daily_profit_model.defs.automation.model_alerts import champion_is_in_doubt
from daily_profit_model.defs.automation.retraining import ALARM_TAG, champion_falls_behind
from daily_profit_model.lake import Lake, write
from daily_profit_model.tables.drift import MONITORING_DEGRADATION, MONITORING_DRIFT
from daily_profit_model_tests.defs.sensor_ticks import MONDAY, SUNDAY, Clock, drifts, tick, titles
from daily_profit_model_tests.monitoring.drifted_rows import degradation_of, drift_of
from daily_profit_model_tests.monitoring.receivers import Inbox

pytestmark = pytest.mark.usefixtures("own_data_dir")


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
