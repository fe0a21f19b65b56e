"""What follows from the evaluation of a shadow: it is promoted or stopped, and told of, once, whenever the daemon is killed."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from daily_profit_model.defs.automation.decided_shadows import shadows_are_decided
from daily_profit_model.defs.models.deployments import create, promote
from daily_profit_model.defs.models.registry import acts, champion_of, record
from daily_profit_model.defs.models.shadows import all_deployments, shadow_acts
from daily_profit_model.lake import Lake, write
from daily_profit_model.modeling.acts import ActRefused, Wish
from daily_profit_model.modeling.bundle import BundleError
from daily_profit_model.modeling.shadow_contracts import SHADOW_EVALUATION
from daily_profit_model_tests.defs.sensor_ticks import SUNDAY, Clock, tick, titles
from daily_profit_model_tests.defs.small_versions import FIRST_CUTOFF, predicted, register, small_model
from daily_profit_model_tests.monitoring.receivers import Inbox
from daily_profit_model_tests.quality.good_shadow import good_shadow_rows

pytestmark = pytest.mark.usefixtures("own_data_dir")

DECIDED = SUNDAY + timedelta(days=30)


def evaluated(lake: Lake, name: str, day: date, decision: str, **values: object) -> None:
    (good,) = good_shadow_rows(day, [], "")[SHADOW_EVALUATION.name]
    row = {**dict.fromkeys(SHADOW_EVALUATION.column_names), **good, "deployment": name, "decision": decision, **values}
    rows = pa.Table.from_pylist([row], schema=SHADOW_EVALUATION.schema())
    write(lake, SHADOW_EVALUATION, day.isoformat(), rows, code_version="1")


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
    harmful = create(lake, tmp_path / "models", other, **words)["deployment"]  # type: ignore[arg-type]  # as the keywords are
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
