"""When an alarm is confirmed, and which cut-off is trained for it."""

from __future__ import annotations

from datetime import date

import pytest

from daily_profit_model.monitoring.retraining import (
    Alarm,
    Retraining,
    confirmed_degradation,
    confirmed_drift,
    retraining_for,
)
from daily_profit_model_tests.monitoring.drifted_rows import MODEL, degradation_of, drift_of

DAY = date(2026, 6, 10)
SUNDAYS = ["2026-05-31", "2026-06-07", "2026-06-14", "2026-06-21"]


def alarm(since: str) -> Alarm:
    day = date.fromisoformat(since)
    return Alarm("drift", DAY, day, "feature", "a location", MODEL["model_version"], MODEL["model_hash"])


def test_a_column_is_confirmed_by_a_sum_above_its_threshold_and_the_longest_alarm_comes_first() -> None:
    found = confirmed_drift(
        drift_of(
            DAY,
            {"column_name": "late", "since": date(2026, 6, 9)},
            {"column_name": "early", "kind": "prediction", "since": date(2026, 6, 3)},
            {"column_name": "quiet"},
        )
    )
    assert [one.words for one in found] == ["2026-06-03 prediction early location", "2026-06-09 feature late location"]
    assert {(one.version, one.source, one.day) for one in found} == {(MODEL["model_version"], "drift", DAY)}


def test_a_column_is_named_by_the_statistic_that_rose_most_and_dated_by_the_one_that_alarmed_first() -> None:
    rows = drift_of(
        DAY,
        {"since": date(2026, 6, 9), "statistic": "scale", "rise": 4.0},
        {"since": date(2026, 6, 3), "statistic": "location", "rise": 2.0},
    )
    assert [one.words for one in confirmed_drift(rows)] == ["2026-06-03 feature a scale"]


def test_a_column_that_is_broken_asks_for_a_repair_and_not_for_a_training() -> None:
    since = date(2026, 6, 3)
    assert confirmed_drift(drift_of(DAY, {"hard_break": "unit", "since": since}, {"column_name": "b"})) == []
    assert confirmed_drift(drift_of(DAY, {"hard_break": "all null"})) == []
    assert len(confirmed_drift(drift_of(DAY, {"since": since}))) == 1


def test_a_feature_that_moves_no_prediction_or_is_a_function_of_the_date_asks_for_nothing() -> None:
    since = date(2026, 6, 3)
    for row in ({"importance": 0.0}, {"column_name": "month"}, {"column_name": "quarter"}):
        assert confirmed_drift(drift_of(DAY, {"since": since, **row})) == []
        assert len(confirmed_drift(drift_of(DAY, {"since": since, **row, "kind": "target"}))) == 1


def test_a_loss_is_confirmed_by_its_sum() -> None:
    rows = degradation_of(DAY, {}, {"measure": "relative_pinball", "since": date(2026, 6, 3)})
    assert [one.words for one in confirmed_degradation(rows)] == ["2026-06-03 loss relative_pinball"]
    assert confirmed_degradation(rows.slice(0, 0)) == []
    assert confirmed_degradation(degradation_of(DAY, {})) == []


@pytest.mark.parametrize("since", ["2026-06-01", "2026-06-07"])
def test_the_newest_cut_off_that_does_not_lie_before_the_alarm_is_trained(since: str) -> None:
    found = retraining_for([alarm(since)], cut_offs=SUNDAYS[:2], trained=SUNDAYS[:1], asked=None, cooldown_days=28)
    assert found == Retraining("2026-06-07", (alarm(since),))


def test_an_alarm_between_two_cut_offs_waits_for_the_coming_one() -> None:
    def asked(cut_offs: list[str]) -> Retraining | str:
        return retraining_for([alarm("2026-06-10")], cut_offs=cut_offs, trained=[], asked=None, cooldown_days=28)

    assert "no cut-off since the alarm of 2026-06-10 feature a location is known yet" in str(asked(SUNDAYS[:2]))
    assert asked(SUNDAYS[:3]) == Retraining("2026-06-14", (alarm("2026-06-10"),))
    assert "the newest is none" in str(asked([]))


def test_nothing_is_trained_without_an_alarm_or_where_the_version_is_there_or_when_it_is_switched_off() -> None:
    for alarms, trained, cooldown, why in (
        ([], [], 28, "no alarm of drift or degradation stands"),
        ([alarm("2026-06-01")], SUNDAYS[:2], 28, "the version of 2026-06-07 is there or on its way"),
        ([alarm("2026-06-01")], [], 0, "DPM_RETRAIN_COOLDOWN_DAYS is 0"),
    ):
        found = retraining_for(alarms, cut_offs=SUNDAYS[:2], trained=trained, asked=None, cooldown_days=cooldown)
        assert why in str(found)


@pytest.mark.parametrize(("cooldown", "is_trained"), [(14, True), (15, False), (28, False), (7, True)])
def test_between_two_trainings_because_of_alarms_lies_the_cool_down(cooldown: int, is_trained: bool) -> None:
    found = retraining_for(
        [alarm("2026-06-01")], cut_offs=SUNDAYS, trained=[], asked=SUNDAYS[1], cooldown_days=cooldown
    )
    assert isinstance(found, Retraining) == is_trained
    if not is_trained:
        assert "cool-down: 2026-06-07 was trained because of an alarm" in str(found)


def test_only_the_alarms_that_the_cut_off_follows_are_named() -> None:
    late = alarm("2026-06-20")
    found = retraining_for([alarm("2026-06-01"), late], cut_offs=SUNDAYS[:2], trained=[], asked=None, cooldown_days=7)
    assert isinstance(found, Retraining)
    assert late not in found.alarms
