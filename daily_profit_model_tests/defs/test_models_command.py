"""`dpm models`: what it prints as text and as JSON, what an act leaves behind, and each refusal in one line."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import orjson
import pytest
from typer.testing import CliRunner

from daily_profit_model.cli import app
from daily_profit_model.defs.launch import acts as launch_acts
from daily_profit_model.defs.launch.versions import resolve
from daily_profit_model.defs.models.assets import MODEL_FEATURES
from daily_profit_model.defs.models.registry import acts, champion_of
from daily_profit_model.defs.models.transitions import TRANSITIONS
from daily_profit_model.features.training_set import TRAINING_ACCOUNT_DAILY
from daily_profit_model.lake import Lake, write
from daily_profit_model.modeling.boosting import BoosterSettings
from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.training import TrainSettings, train
from daily_profit_model.settings import WrongUse
from daily_profit_model_tests.benchmarks.kept_design import CUTOFF, training_rows
from daily_profit_model_tests.defs.small_versions import FIRST_CUTOFF, predicted, register, small_model

pytestmark = pytest.mark.usefixtures("own_folder")

SERVED = FIRST_CUTOFF + timedelta(days=20)
NEXT = SERVED + timedelta(days=1)


@pytest.fixture
def versions(lake: Lake, tmp_path: Path) -> list[str]:
    """Three weekly versions: promoted, promoted, refused; and the days up to SERVED predicted."""
    predicted(lake, SERVED)
    decisions = ("promoted", "promoted", "refused")
    models = [small_model(number, FIRST_CUTOFF + timedelta(weeks=number)) for number in range(3)]
    return [register(lake, tmp_path / "models", *pair) for pair in zip(models, decisions, strict=True)]


def dpm(*words: str, code: int = 0) -> Any:
    done = CliRunner().invoke(app, ["models", *words])
    assert done.exit_code == code, (done.output, done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return json.loads(done.stdout) if "--json" in words else done.stdout


def refused(*words: str) -> str:
    """What a command says that fails; `cli.main` prints it as one line."""
    done = CliRunner().invoke(app, ["models", *words])
    assert done.exception is not None, done.output
    assert "\n" not in str(done.exception)
    return f"{type(done.exception).__name__}: {done.exception}"


def promote(*words: str, code: int = 0) -> Any:
    return dpm("promote", *words, "--reason", "it knows the new market", "--author", "ana", code=code)


def refused_promotion(*words: str) -> str:
    return refused("promote", *words, "--reason", "because", "--author", "ana")


def test_list_tells_every_version_with_its_figures_decision_and_alias(versions: list[str]) -> None:
    states = dpm("list", "--json")
    assert [state["version"] for state in states] == versions
    assert [state["decision"] for state in states] == ["promoted", "promoted", "refused"]
    assert [state["alias"] for state in states] == [None, "champion", None]
    assert states[1]["since"] == (FIRST_CUTOFF + timedelta(days=9)).isoformat()
    assert (states[2]["skill"], states[2]["skill_lower"], states[2]["coverage_90"]) == (0.022, 0.01, 0.9)
    text = dpm("list")
    assert all(version in text for version in versions)
    assert "+0.022 [+0.010, +0.030]" in text
    assert "champion since 2026-04-28" in text


def test_list_tells_what_is_still_to_come_and_a_bundle_that_is_gone(
    lake: Lake, versions: list[str], tmp_path: Path
) -> None:
    later = NEXT + timedelta(days=5)
    promote(versions[2], "--from", later.isoformat())
    promote(versions[0], "--alias", "challenger")
    shutil.rmtree(tmp_path / "models" / versions[0])
    states = {state["version"]: state for state in dpm("list", "--json")}
    assert states[versions[2]]["coming"] == [{"alias": "champion", "from": later.isoformat()}]
    assert states[versions[1]]["alias"] == "champion"
    assert (states[versions[0]]["alias"], states[versions[0]]["has_bundle"]) == ("challenger", False)
    text = dpm("list")
    assert f"champion from {later} on" in text
    assert f"challenger since {NEXT} (no bundle)" in text


def test_a_champion_that_models_net_profit_no_longer_knows_is_listed(
    lake: Lake, versions: list[str], tmp_path: Path
) -> None:
    promote(versions[2])
    again = register(lake, tmp_path / "models", small_model(9, FIRST_CUTOFF + timedelta(weeks=2)), "refused")
    states = {state["version"]: state for state in dpm("list", "--json")}
    assert set(states) == {*versions, again}
    assert (states[versions[2]]["alias"], states[versions[2]]["skill"]) == ("champion", None)


def test_an_empty_registry_says_how_to_begin() -> None:
    assert dpm("list", "--json") == []
    assert "dpm run --stages training,models" in dpm("list")


def test_show_tells_the_manifest_and_what_was_decided(versions: list[str]) -> None:
    promote(versions[2])
    told = dpm("show", versions[1], "--json")
    assert told["manifest"]["trees"] == {"median": 11}
    assert [change["what"] for change in told["transitions"]] == ["promoted", f"is champion no more, but {versions[2]}"]
    text = dpm("show", versions[2])
    for part in ("split", "scores", "trees", "data versions", "files", "booster_median.txt", "skill value", "0.0220"):
        assert part in text
    assert "quantile" in text  # what boosters differ in
    assert "seed=1" in text  # what they share
    assert f"features     {len(MODEL_FEATURES)}" in text
    assert "becomes champion, act 1 of ana: it knows the new market" in text
    assert "refused, the gate: by its figures" in text
    assert "card         not written" in text


def test_show_says_where_the_card_lies(versions: list[str], tmp_path: Path) -> None:
    card = tmp_path / "reports" / "models" / versions[0] / "card.md"
    card.parent.mkdir(parents=True)
    card.write_text("# Model card")
    assert f"card         {card}" in dpm("show", versions[0])


def test_a_promotion_is_an_act_with_evidence_that_the_event_log_knows(
    lake: Lake, versions: list[str], told: dg.DagsterInstance
) -> None:
    said = promote(versions[2][:10], "--expect", versions[1])
    assert f"act 1: {versions[2]} is champion from {NEXT} on (before: {versions[1]})" in said
    assert "the gate has refused it: by its figures" in said
    (row,) = acts(lake).to_pylist()
    assert orjson.loads(row["evidence"])["gate"] == {"decision": "refused", "reason": "by its figures"}
    assert champion_of(lake, NEXT).version == versions[2]
    assert champion_of(lake, SERVED).version == versions[1]
    event = told.get_latest_materialization_event(TRANSITIONS.key)
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.description == "ana: it knows the new market"


def test_an_act_stands_when_the_event_log_cannot_be_told(
    lake: Lake, versions: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("daily_profit_model.defs.launch.instance.stored_instance", broken)
    done = CliRunner().invoke(app, ["models", "promote", versions[2], "--reason", "because"])
    assert done.exit_code == 0
    assert "act 1 stands, but the UI could not be told of it: disk full" in done.stderr
    assert acts(lake).num_rows == 1


def test_a_promotion_tells_what_is_known_to_follow(versions: list[str]) -> None:
    promote(versions[2], "--from", (NEXT + timedelta(days=9)).isoformat())
    assert f"known already: then {versions[2]}, by act 1 of ana" in promote(versions[0])


def test_a_rollback_goes_to_the_champion_before_and_back_again(lake: Lake, versions: list[str]) -> None:
    said = dpm("rollback", "--reason", "worse", "--author", "bo")
    assert f"act 1: {versions[0]} is champion from {NEXT} on (before: {versions[1]})" in said
    assert f"{versions[1]} is champion" in dpm("rollback", "--reason", "better after all", "--author", "bo")
    rows = acts(lake).to_pylist()
    assert [row["previous_version"] for row in rows] == [versions[1], versions[0]]
    assert orjson.loads(rows[0]["evidence"])["rollback_of"] == versions[1]


def test_before_any_prediction_a_rollback_takes_the_present_champions_whole_time(lake: Lake, tmp_path: Path) -> None:
    models = [small_model(number, FIRST_CUTOFF + timedelta(weeks=number)) for number in range(2)]
    first, second = (register(lake, tmp_path / "models", model) for model in models)
    dpm("rollback", "--reason", "worse")
    since = FIRST_CUTOFF + timedelta(days=9)
    assert [row["in_force_from"] for row in acts(lake).to_pylist()] == [since]
    assert champion_of(lake, since).version == first
    assert acts(lake)["previous_version"].to_pylist() == [second]


def test_a_rollback_without_anybody_to_go_back_to_is_refused(lake: Lake, tmp_path: Path) -> None:
    assert "nobody is champion" in refused("rollback", "--reason", "worse")
    only = register(lake, tmp_path / "models", small_model(0), "promoted")
    assert f"{only} is the first champion, by the gate's decision" in refused("rollback", "--reason", "worse")
    assert acts(lake).num_rows == 0


def test_a_challenger_is_named_and_withdrawn(versions: list[str]) -> None:
    promote(versions[2], "--alias", "challenger")
    assert [state["alias"] for state in dpm("list", "--json")] == [None, "champion", "challenger"]
    assert "nobody is challenger" in dpm("withdraw", "--reason", "enough seen", "--author", "ana")
    assert [state["alias"] for state in dpm("list", "--json")] == [None, "champion", None]
    assert "has no challenger; nothing was changed" in refused("withdraw", "--reason", "again")


def test_a_promotion_that_expects_another_is_refused_with_who_is_champion(lake: Lake, versions: list[str]) -> None:
    said = refused_promotion(versions[2], "--expect", versions[0])
    assert said.startswith(f"ActRefused: {versions[0]} was expected to be the champion on {NEXT}, but {versions[1]} is")
    assert "but" in refused_promotion(versions[2], "--expect", "none")
    assert acts(lake).num_rows == 0


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda folder: shutil.rmtree(folder), "there is no manifest.json"),
        (lambda folder: (folder / "booster_median.txt").write_bytes(b"Tree"), "booster_median.txt is not what"),
        (lambda folder: (folder / "booster_median.txt").unlink(), "booster_median.txt is missing"),
    ],
)
def test_a_bundle_that_is_not_whole_is_not_promoted(
    lake: Lake, versions: list[str], tmp_path: Path, spoil: Any, says: str
) -> None:
    spoil(tmp_path / "models" / versions[2])
    assert says in refused_promotion(versions[2])
    assert acts(lake).num_rows == 0


@pytest.mark.parametrize(
    ("features", "says"),
    [
        (MODEL_FEATURES[1:], f"the model lacks the feature {MODEL_FEATURES[0].name}"),
        (MODEL_FEATURES[::-1], "the model's columns are reordered: place 0"),
    ],
)
def test_a_bundle_with_other_features_than_the_catalogues_is_not_promoted(
    lake: Lake, versions: list[str], tmp_path: Path, features: Any, says: str
) -> None:
    other = register(lake, tmp_path / "models", small_model(7, FIRST_CUTOFF, features), None)
    assert says in refused_promotion(other)
    assert acts(lake).num_rows == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("promote", "19990101", "--reason", "x"), "there is no version '19990101'"),
        (("promote", "2026", "--reason", "x"), "'2026' may be"),
        (("promote", "20260419", "--reason", " "), "--reason is empty"),
        (("promote", "20260419", "--reason", "x", "--from", "soon"), "'soon' is not a day"),
        (("promote", "20260419", "--reason", "x", "--from", SERVED.isoformat()), "what was served stays"),
        (("promote", "20260419", "--reason", "x", "--expect", "nonsense"), "there is no version 'nonsense'"),
        (("show", "nonsense"), "there is no version 'nonsense'"),
        (("compare", "20260419", "20260419"), "cannot be compared with itself"),
    ],
)
def test_wrong_use_is_named_and_changes_nothing(
    lake: Lake, versions: list[str], words: tuple[str, ...], says: str
) -> None:
    said = refused(*words)
    assert said.startswith("WrongUse: ")  # exit code 2 by `cli.main`
    assert says in said
    assert acts(lake).num_rows == 0


def test_an_act_needs_a_reason_and_knows_its_aliases(versions: list[str]) -> None:
    for words in (
        ("promote", versions[2]),
        ("rollback",),
        ("promote", versions[2], "--reason", "x", "--alias", "king"),
    ):
        assert CliRunner().invoke(app, ["models", *words]).exit_code == 2


def test_the_author_is_by_default_whoever_is_logged_in(
    lake: Lake, versions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "carla")
    dpm("promote", versions[2], "--reason", "because")
    assert acts(lake)["author"].to_pylist() == ["carla"]

    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("getpass.getuser", nobody)
    with pytest.raises(WrongUse, match="say --author NAME"):
        launch_acts.user_name()


def test_a_version_is_found_by_its_beginning_or_that_of_its_hash() -> None:
    known = ["20260419-aabb0000", "20260419-ccdd0000", "20260426-aacc0000"]
    assert resolve("20260426", known) == known[2]
    assert resolve("ccd", known) == known[1]
    assert resolve(known[0], known) == known[0]
    for text in ("20260419", "aa", ""):
        with pytest.raises(WrongUse):
            resolve(text, known)


@pytest.fixture(scope="module")
def trained() -> list[tuple[date, Any, Model]]:
    """Cut-off, training rows and version of two weeks, from a few rows of every feature."""
    settings = TrainSettings(booster=BoosterSettings(rounds=3))
    rows = training_rows(12 * 120)
    made = []
    for cutoff in (CUTOFF - timedelta(weeks=1), CUTOFF):
        days = rows["target_date"].to_numpy() <= cutoff
        known = rows.filter(days).drop_columns("cutoff")
        known = known.append_column("cutoff", [[cutoff] * known.num_rows]).select(rows.column_names)
        given: dict[str, Any] = {"data_versions": {}, "code_version": "1"}
        made.append((cutoff, known, train(known, MODEL_FEATURES, cutoff=cutoff, settings=settings, **given).model))
    return made


def test_compare_sets_the_figures_side_by_side_and_both_on_the_later_versions_days(
    lake: Lake, tmp_path: Path, trained: list[tuple[date, Any, Model]]
) -> None:
    for cutoff, rows, model in trained:
        write(lake, TRAINING_ACCOUNT_DAILY, cutoff.isoformat(), rows, code_version="1")
        register(lake, tmp_path / "models", model)
    earlier, later = (model for _, _, model in trained)
    told = dpm("compare", later.version, earlier.version, "--json")
    assert told["versions"] == [later.version, earlier.version]
    assert told["figures"]["scores skill value"] == [
        model.manifest["scores"]["skill"]["value"] for model in (later, earlier)
    ]
    paired = told["paired"]
    assert (paired["judge"], paired["to"]) == (later.version, later.manifest["split"]["test"]["to"])
    assert paired["losses"][later.version] == later.manifest["scores"]["pinball"]
    assert paired["difference"]["value"] == pytest.approx(
        sum(paired["losses"][later.version].values()) / 3 - sum(paired["losses"][earlier.version].values()) / 3
    )
    text = dpm("compare", earlier.version, later.version)
    assert f"both on the {paired['days']} test days of {later.version}" in text
    assert "a day being one observation" in text


def test_compare_without_the_days_of_the_later_version_says_so_and_fails(versions: list[str]) -> None:
    text = dpm("compare", versions[0], versions[1], code=1)
    assert "0.0210" in text
    assert "not compared on the same days: training/account_daily of 2026-04-26 is not in the lake" in text
    assert dpm("compare", versions[0], versions[1], "--json", code=1)["paired"] is None
