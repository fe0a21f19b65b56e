"""`dpm shadow`: what it prints, what an act leaves behind, and each refusal in one line with exit code 2."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from daily_profit_model.cli import app
from daily_profit_model.defs.build import build_definitions
from daily_profit_model.defs.calendars import SHADOW_DEPLOYMENTS
from daily_profit_model.defs.models.registry import acts, champion_of, hash_lookup, record
from daily_profit_model.defs.models.shadows import (
    ACTIVE,
    SHADOWS,
    TRAFFIC,
    Active,
    all_deployments,
    record_shadow,
    shadow_acts,
)
from daily_profit_model.lake import Lake, write
from daily_profit_model.modeling.acts import Wish
from daily_profit_model.modeling.shadow_contracts import (
    PREDICTIONS_SHADOW,
    SHADOW_EVALUATION,
    SHADOW_LOSSES,
    SHADOW_SCORES,
    SHADOW_TABLES,
)
from daily_profit_model.modeling.shadows import ShadowWish, create
from daily_profit_model.settings import WrongUse
from daily_profit_model_tests.defs.small_versions import FIRST_CUTOFF, predicted, register, small_model
from daily_profit_model_tests.quality.good_shadow import good_shadow_rows

pytestmark = pytest.mark.usefixtures("own_folder")

SERVED = FIRST_CUTOFF + timedelta(days=20)
NEXT = SERVED + timedelta(days=1)


@pytest.fixture
def versions(lake: Lake, tmp_path: Path) -> list[str]:
    """The champion of a week, and two versions that the gate has refused; the days up to SERVED are predicted."""
    predicted(lake, SERVED)
    models = [small_model(number, FIRST_CUTOFF + timedelta(weeks=number)) for number in range(3)]
    decisions = ("promoted", "refused", "refused")
    return [register(lake, tmp_path / "models", *pair) for pair in zip(models, decisions, strict=True)]


def dpm(*words: str) -> str:
    done = CliRunner().invoke(app, ["shadow", *words])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def refused(*words: str) -> str:
    """What the command is refused with; `cli.main` makes exit code 2 and one line of it."""
    done = CliRunner().invoke(app, ["shadow", *words])
    assert isinstance(done.exception, WrongUse), (done.output, done.exception)
    assert "\n" not in str(done.exception)
    return str(done.exception)


def evaluated(lake: Lake, name: str, day: date, **values: object) -> None:
    """Say what the days up to `day` have decided on a deployment: to promote it, unless told otherwise."""
    (good,) = good_shadow_rows(day, [], "")[SHADOW_EVALUATION.name]
    row = {**dict.fromkeys(SHADOW_EVALUATION.column_names), **good, "deployment": name, **values}
    rows = pa.Table.from_pylist([row], schema=SHADOW_EVALUATION.schema())
    write(lake, SHADOW_EVALUATION, day.isoformat(), rows, code_version="1")


def states() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(dpm("list", "--json"))["deployments"]
    return found


def test_a_deployment_is_created_listed_and_stopped_and_the_graph_knows_it_as_a_partition(
    lake: Lake, versions: list[str], told: dg.DagsterInstance
) -> None:
    assert "no version was ever deployed" in dpm("list")
    said = dpm("create", versions[1][:8], "--reason", "new features", "--author", "ana", "--days", "120")
    name = f"s1-{versions[1]}"
    assert said.startswith(f"{name}: {versions[1]} scores every account beside the champion from {NEXT} on")
    (state,) = states()
    assert (state["name"], state["planned_days"], state["traffic"], state["until"]) == (name, 120, 0, None)
    assert state["decision"] is None
    assert name in told.get_dynamic_partitions(SHADOW_DEPLOYMENTS.name or "")
    assert name in told.get_materialized_partitions(SHADOWS.key)
    assert f"{name}: stopped, {NEXT} is the first day without it" in dpm("stop", "s1", "--reason", "r", "--author", "b")
    (state,) = states()
    assert (state["until"], state["ended_by"]) == (NEXT.isoformat(), "stop")
    assert name in dpm("list")
    assert [act["act"] for act in shadow_acts(lake).to_pylist()] == ["create", "stop"]


def test_each_refusal_is_one_line_and_changes_nothing(lake: Lake, versions: list[str]) -> None:
    why = ("--reason", "r", "--author", "a")
    early = (FIRST_CUTOFF + timedelta(weeks=1, days=1)).isoformat()
    dpm("create", versions[1], *why)
    for words, says in (
        (("create", versions[0], *why), "is the champion on"),
        (("create", versions[1], *why), "is deployed already, as s1-"),
        (("create", "2031", *why), "there is no version '2031'"),
        (("create", versions[2], *why, "--traffic", "101"), "--traffic 101 is not between 0 and 100"),
        (
            ("create", versions[2], *why, "--traffic", "25", "--from", SERVED.isoformat()),
            f"--from {SERVED}: days up to {SERVED} are predicted, so nobody else can serve them any more",
        ),
        (("create", versions[2], *why, "--days", "3"), "--days 3 is not between 20 and 250"),
        (("create", versions[1], *why, "--from", early), f"--from {early} is too early"),
        (("create", versions[2], "--reason", " ", "--author", "a"), "an act needs a reason"),
        (("stop", "s7", *why), "there is no shadow deployment 's7'"),
        (("promote", "s7", *why), "there is no shadow deployment 's7'"),
        (("promote", "s1", *why), "nothing is evaluated yet (dpm shadow evaluate)"),
        (("evaluate",), "no outcomes are there: there are none"),
    ):
        assert says in refused(*words), words
    assert shadow_acts(lake).num_rows == 1


def test_evaluating_without_a_deployment_is_refused() -> None:
    assert "there is no shadow deployment to evaluate" in refused("evaluate")


def test_a_deployment_is_promoted_by_an_act_of_the_registry_that_carries_its_evidence(
    lake: Lake, versions: list[str]
) -> None:
    dpm("create", versions[1], "--reason", "r", "--author", "a", "--from", (SERVED - timedelta(days=5)).isoformat())
    name = f"s1-{versions[1]}"
    evaluated(lake, name, SERVED - timedelta(days=1), decision="continue", decided_on=None, rule="too early")
    assert "continue, too early; dpm models promote" in refused("promote", name, "--reason", "r", "--author", "a")
    evaluated(lake, name, SERVED)
    said = dpm("promote", name, "--reason", "by its evidence", "--author", "ana")
    assert f"{versions[1]} is champion from {NEXT} on" in said
    assert champion_of(lake, NEXT).version == versions[1]
    (act,) = acts(lake).to_pylist()
    assert json.loads(act["evidence"])["shadow"]["evidence_better"] == 50.0
    created, promoted = shadow_acts(lake).to_pylist()
    assert (promoted["act"], promoted["transition"], promoted["day"]) == ("promote", act["number"], NEXT)
    assert (created["act"], states()[0]["ended_by"]) == ("create", "promote")


def test_a_promotion_that_was_killed_between_its_two_acts_is_ended_by_the_same_command(
    lake: Lake, versions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dpm("create", versions[1], "--reason", "r", "--author", "a", "--from", (SERVED - timedelta(days=5)).isoformat())
    evaluated(lake, f"s1-{versions[1]}", SERVED)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("daily_profit_model.defs.models.deployments.record_shadow", killed)
        CliRunner().invoke(app, ["shadow", "promote", "s1", "--reason", "r", "--author", "a"])
    assert (acts(lake).num_rows, shadow_acts(lake).num_rows) == (1, 1)
    # the champion is nobody's shadow, whatever the acts say
    assert Active(lake).on(NEXT) == []
    dpm("promote", "s1", "--reason", "r", "--author", "a")
    assert (acts(lake).num_rows, shadow_acts(lake)["transition"].to_pylist()) == (1, [None, 1])


def test_a_day_is_out_of_date_once_who_is_active_on_it_has_changed_and_no_other_day_is(
    lake: Lake, versions: list[str]
) -> None:
    days = [(SERVED + timedelta(days=offset)).isoformat() for offset in (-1, 0, 1)]
    before = [hash_lookup(lake)(ACTIVE, day) for day in days]
    dpm("create", versions[1], "--reason", "r", "--author", "a", "--from", SERVED.isoformat())
    created = [hash_lookup(lake)(ACTIVE, day) for day in days]
    dpm("stop", "s1", "--reason", "r", "--author", "a")
    stopped = [hash_lookup(lake)(ACTIVE, day) for day in days]
    assert before == [None, None, None]
    assert created[0] is None
    assert created[1] is not None
    assert created[2] is not None
    assert stopped == [None, created[1], None]


def test_of_many_who_create_the_same_deployment_at_once_one_does(lake: Lake) -> None:
    wish = ShadowWish("20260614-0a0a0a0a", "ab", date(2026, 6, 20), 60, 0, "r", "a")

    def attempt(_: int) -> bool:
        try:
            record_shadow(
                lake, lambda known: create(known, wish, "20260607-0b0b0b0b", datetime(2026, 6, 20, tzinfo=UTC))
            )
        except WrongUse:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(8))) == 1
    assert len(all_deployments(lake)) == 1


def test_who_serves_a_share_of_a_day_is_one_of_its_inputs(lake: Lake, versions: list[str]) -> None:
    days = [(SERVED + timedelta(days=offset)).isoformat() for offset in (0, 1)]
    dpm("create", versions[1], "--reason", "r", "--author", "a")
    nobody = hash_lookup(lake)(TRAFFIC, days[0])
    assert nobody is not None
    said = dpm("create", versions[2], "--reason", "r", "--author", "a", "--traffic", "25", "--from", "2030-01-01")
    assert "and serves 25 % of them; dpm shadow list" in said
    known = hash_lookup(lake)
    assert [known(TRAFFIC, day) for day in days] == [nobody, nobody]
    assert known(TRAFFIC, "2030-01-01") != nobody
    assert [one.name for one in Active(lake).serving(date(2030, 1, 1))] == [f"s2-{versions[2]}"]
    assert "25 %" in dpm("list")


def test_a_version_that_has_been_champion_serves_no_traffic_of_its_deployment_once_it_is_replaced(
    lake: Lake, versions: list[str], tmp_path: Path
) -> None:
    dpm("create", versions[1], "--traffic", "40", "--reason", "r", "--author", "ana")
    wish = Wish("champion", versions[1], "r", "ana", model_hash="ab", in_force_from=NEXT + timedelta(days=2))
    record(lake, wish)
    replaced = NEXT + timedelta(days=9)
    register(lake, tmp_path / "models", small_model(4, replaced - timedelta(days=2)), "promoted")
    assert champion_of(lake, replaced).version not in versions
    days = [NEXT + timedelta(days=later) for later in (0, 1, 2, 8, 9, 10)]
    assert [len(Active(lake).serving(day)) for day in days] == [1, 1, 0, 0, 0, 0]


def test_predictions_are_asked_for_with_shadows_evaluated_or_left_out_but_not_both() -> None:
    done = CliRunner().invoke(app, ["predict", "--evaluate-shadows", "--disable-shadow"])
    assert isinstance(done.exception, WrongUse)
    assert "exclude one another" in str(done.exception)


def test_no_job_that_serves_makes_a_shadow_so_that_none_can_hold_it_up() -> None:
    defs = build_definitions()
    names = {table.name for table in SHADOW_TABLES}
    made = {
        job: {key.to_user_string() for key in defs.resolve_job_def(job).asset_layer.selected_asset_keys} & names
        for job in ("daily_predictions", "daily_outcomes", "daily_shadows", "daily_shadow_evaluation")
    }
    assert made == {
        "daily_predictions": set(),
        "daily_outcomes": set(),
        "daily_shadows": {SHADOW_SCORES.name, PREDICTIONS_SHADOW.name},
        "daily_shadow_evaluation": {SHADOW_LOSSES.name, SHADOW_EVALUATION.name},
    }
