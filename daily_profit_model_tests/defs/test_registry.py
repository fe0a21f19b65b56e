"""The registry in the lake: acts of many processes at once, who serves by gate and persons, and what footers record."""

from __future__ import annotations

import multiprocessing
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from daily_profit_model.defs.launch.plan import first_served_day
from daily_profit_model.defs.models.registry import (
    acts,
    challenger_of,
    champion_inputs,
    champion_of,
    hash_lookup,
    record,
)
from daily_profit_model.defs.models.transitions import TRANSITIONS, tell
from daily_profit_model.lake import Lake, LakeError, changes_since_written, write
from daily_profit_model.modeling.acts import ActRefused, Wish
from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.contracts import MODELS_TRANSITIONS
from daily_profit_model.settings import WrongUse
from daily_profit_model_tests.defs import racer
from daily_profit_model_tests.defs.racer import DAY, NOON
from daily_profit_model_tests.defs.small_versions import FIRST_CUTOFF, predicted, register, small_model
from daily_profit_model_tests.lake.small_table import DAY_1, SMALL, small_rows

RACERS = 8


@pytest.fixture
def versions(lake: Lake, tmp_path: Path) -> list[Model]:
    """Three weekly versions: the first promoted by the gate, the second refused, the third not decided on yet."""
    models = [small_model(number, FIRST_CUTOFF + timedelta(weeks=number)) for number in range(3)]
    for model, decision in zip(models, ("promoted", "refused", None), strict=True):
        register(lake, tmp_path / "models", model, decision)
    return models


def act(lake: Lake, model: Model | None, day: date | None = DAY, **given: Any) -> dict[str, Any]:
    version, content = (model.version, model.hash) if model else (None, None)
    wish = {"alias": "champion", "reason": "better", "author": "ana", "in_force_from": day, **given}
    return record(lake, Wish(version=version, model_hash=content, **wish), now=lambda: NOON)


def champion(lake: Lake, day: date) -> str:
    return champion_of(lake, day).version


def test_an_act_is_a_row_of_the_lake_and_says_who_serves_from_its_day_on(lake: Lake, versions: list[Model]) -> None:
    first, second, _ = versions
    written = act(lake, second)
    assert acts(lake).to_pylist() == [written]
    assert (written["number"], written["previous_version"], written["made_at"]) == (1, first.version, NOON)
    assert champion(lake, DAY - timedelta(days=1)) == first.version
    assert champion(lake, DAY) == second.version
    served = champion_of(lake, DAY)
    assert (served.cutoff, served.model_hash) == (FIRST_CUTOFF + timedelta(weeks=1), second.hash)


def test_a_challenger_of_the_gate_and_one_of_a_person_are_found_and_removed(
    lake: Lake, versions: list[Model], tmp_path: Path
) -> None:
    assert challenger_of(lake, DAY) is None
    register(lake, tmp_path / "models", versions[1], "challenger")
    found = challenger_of(lake, DAY)
    assert found is not None
    assert found.version == versions[1].version
    act(lake, versions[2], DAY + timedelta(days=9), alias="challenger")
    later = challenger_of(lake, DAY + timedelta(days=9))
    assert later is not None
    assert later.version == versions[2].version
    act(lake, None, DAY + timedelta(days=9), alias="challenger")
    assert challenger_of(lake, DAY + timedelta(days=9)) is None
    assert champion(lake, DAY + timedelta(days=9)) == versions[0].version


def test_when_the_gate_refuses_every_version_a_person_can_still_put_one_in_force(lake: Lake, tmp_path: Path) -> None:
    model = small_model(1)
    register(lake, tmp_path / "models", model, "refused")
    with pytest.raises(LakeError, match="no champion is in force on 2026-05-02: train one"):
        champion_of(lake, DAY)
    assert first_served_day(lake) is None
    written = act(lake, model, None)
    assert written["in_force_from"] == first_served_day(lake) == FIRST_CUTOFF + timedelta(days=2)
    with pytest.raises(LakeError, match="the first is in force from 2026-04-21"):
        champion_of(lake, FIRST_CUTOFF)


def test_an_act_counts_from_the_first_day_without_predictions_and_never_earlier(
    lake: Lake, versions: list[Model]
) -> None:
    predicted(lake, DAY)
    assert act(lake, versions[1], None)["in_force_from"] == DAY + timedelta(days=1)
    with pytest.raises(WrongUse, match="2026-05-02 has been predicted"):
        act(lake, versions[0], DAY)
    with pytest.raises(WrongUse, match="so it can serve from 2026-05-05 on"):
        act(lake, versions[2], DAY + timedelta(days=1))
    assert acts(lake).num_rows == 1


def test_a_footer_is_out_of_date_exactly_when_another_serves_its_day(lake: Lake, versions: list[Model]) -> None:
    day = DAY + timedelta(days=3)
    served = champion_of(lake, day)
    file = write(
        lake, SMALL, DAY_1, small_rows(), code_version="1", inputs=champion_inputs(lake, served, day)
    )  # fmt: skip

    def is_stale() -> bool:
        return bool(changes_since_written(file, hash_lookup(lake), "1"))

    assert not is_stale()
    act(lake, versions[1], day + timedelta(days=1))
    act(lake, versions[1], day, alias="challenger")
    assert not is_stale()
    act(lake, versions[1], day)
    assert is_stale()
    act(lake, versions[0], day)
    assert not is_stale()


def test_a_decision_of_the_gate_that_displaces_the_champion_makes_its_day_out_of_date(
    lake: Lake, versions: list[Model], tmp_path: Path
) -> None:
    day = FIRST_CUTOFF + timedelta(weeks=2)
    name = f"models/champion#in_force@{day}"
    assert champion_inputs(lake, champion_of(lake, day), day) == {name: versions[0].hash}
    register(lake, tmp_path / "models", versions[1], "promoted")
    table, _, partition = name.rpartition("@")
    assert hash_lookup(lake)(table, partition) == versions[1].hash
    assert hash_lookup(lake)(table, FIRST_CUTOFF.isoformat()) is None


def test_a_missing_act_is_named_instead_of_guessed_around(lake: Lake, versions: list[Model]) -> None:
    for model in (versions[1], versions[0], versions[1]):
        act(lake, model)
    folder = Path(str(lake.partition_folder(MODELS_TRANSITIONS.name, "000002", "number")))
    shutil.move(folder, folder.with_name("kept"))
    with pytest.raises(LakeError, match=r"act 2 is missing, though act 3 is there.*restore its folder number=000002"):
        champion_of(lake, DAY)
    shutil.move(folder.with_name("kept"), folder)
    assert champion(lake, DAY) == versions[1].version


def test_an_act_is_told_to_the_event_log_with_who_did_what_and_why(lake: Lake, versions: list[Model]) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        tell(instance, act(lake, versions[1], reason="the market has changed"))
        event = instance.get_latest_materialization_event(TRANSITIONS.key)
    assert event is not None
    assert event.asset_materialization is not None
    told = {name: value.value for name, value in event.asset_materialization.metadata.items()}
    assert told == {
        "number": 1,
        "alias": "champion",
        "version": versions[1].version,
        "previous_version": versions[0].version,
        "in_force_from": DAY.isoformat(),
        "reason": "the market has changed",
        "author": "ana",
    }


@pytest.fixture(scope="module")
def racers() -> Iterator[ProcessPoolExecutor]:
    # a server that has imported everything and runs no thread: what it forks inherits no lock, and imports nothing
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([racer.__name__, "pandas"])
    with ProcessPoolExecutor(RACERS, mp_context=context) as pool:
        yield pool


@pytest.fixture
def race(lake: Lake, racers: ProcessPoolExecutor, tmp_path: Path) -> Callable[[str | None], list[tuple[int, str]]]:
    """All promote another version at once, having read the same history; what became of each."""

    def run(expected: str | None) -> list[tuple[int, str]]:
        names = [f"20260419-{number:08x}" for number in range(RACERS)]
        running = [racers.submit(racer.race, str(lake.root), str(tmp_path), name, expected) for name in names]
        until = time.monotonic() + racer.PATIENCE_S
        while len(list(tmp_path.glob("here-*"))) < RACERS:
            assert time.monotonic() < until
            time.sleep(0.01)
        (tmp_path / "go").touch()
        return [each.result() for each in running]

    return run


def test_of_processes_that_expect_the_same_champion_exactly_one_promotes(
    lake: Lake, versions: list[Model], race: Callable[[str | None], list[tuple[int, str]]]
) -> None:
    ended = race(versions[0].version)
    assert sorted(number for number, _ in ended) == [0] * (RACERS - 1) + [1]
    (row,) = acts(lake).to_pylist()
    assert row["previous_version"] == versions[0].version
    assert champion(lake, DAY) == row["version"]
    line = (
        f"{versions[0].version} was expected to be the champion on {DAY}, but {row['version']} is, "
        f"by act 1 of author of {row['version']}, from {DAY} on (race); nothing was changed"
    )
    assert {why for number, why in ended if not number} == {line}


def test_processes_that_expect_nobody_in_particular_all_act_in_one_chain(
    lake: Lake, versions: list[Model], race: Callable[[str | None], list[tuple[int, str]]]
) -> None:
    ended = race(None)
    assert sorted(number for number, _ in ended) == list(range(1, RACERS + 1))
    rows = acts(lake).to_pylist()
    assert [row["previous_version"] for row in rows] == [versions[0].version, *(row["version"] for row in rows[:-1])]
    assert len({row["version"] for row in rows}) == RACERS
    assert champion(lake, DAY) == rows[-1]["version"]


def test_a_writer_killed_in_the_act_blocks_nobody_and_leaves_no_act(lake: Lake, versions: list[Model]) -> None:
    context = multiprocessing.get_context("forkserver")
    dying = context.Process(target=racer.die_acting, args=(str(lake.root), versions[1].version))
    dying.start()
    dying.join(racer.PATIENCE_S)
    assert dying.exitcode == -9
    assert acts(lake).num_rows == 0
    assert champion(lake, DAY) == versions[0].version
    assert act(lake, versions[1])["number"] == 1


def test_an_act_refused_leaves_the_lake_as_it_was(lake: Lake, versions: list[Model]) -> None:
    with pytest.raises(ActRefused):
        act(lake, versions[1], expected=versions[2].version)
    assert lake.partitions(MODELS_TRANSITIONS.name) == []
    assert not lake.table_folder(MODELS_TRANSITIONS.name).exists()
