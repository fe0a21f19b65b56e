"""What the benchmarks of the cache judge by: each measure says no where it should, and holds for a small run."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest

from daily_profit_model.cache import Cache
from daily_profit_model.cache.entry import Entry
from daily_profit_model.cache.lock import exclusive
from daily_profit_model.lake import Lake, content_hash, write
from daily_profit_model_tests.benchmarks import cache_in_use, cache_under_kills
from daily_profit_model_tests.benchmarks.cache_keys import FIRST, key_of, keys_after_changes
from daily_profit_model_tests.benchmarks.cache_processes import cache_key, rows_of, watching
from daily_profit_model_tests.benchmarks.cache_under_kills import judged
from daily_profit_model_tests.benchmarks.cell_changes import CELLS, CHANGES, cell_rows, changed_cell

ENDED = [("begun", "a"), ("right", "a"), ("right", "b")]
DAYS = [(FIRST + timedelta(days=number)).isoformat() for number in range(3)]


def test_a_computation_that_a_kill_cut_off_is_excused_and_any_other_second_one_is_not() -> None:
    assert judged([(False, ENDED)])["computed twice"] == 0
    assert judged([(True, [("begun", "a")]), (False, ENDED)])["computed twice"] == 0
    assert judged([(True, ENDED), (False, ENDED)])["computed twice"] == 1
    assert judged([(False, [("begun", "a")]), (False, ENDED)])["computed twice"] == 1


def test_wrong_values_and_reads_that_failed_or_found_damage_count() -> None:
    found = judged([(False, [("wrong", "a"), ("failed", "a: x"), ("damaged", "y"), ("right", "b")])])
    assert (found["wrong values"], found["torn reads"], found["operations"], found["keys"]) == (1, 2, 3, 2)


def test_a_small_run_under_kills_holds() -> None:
    found = cache_under_kills.measure(count=3, operations=4, rounds=2, keys=2, kills=3, seed=1)
    assert found["holds"], found
    assert found["kills"] > 0


def test_a_lock_that_is_held_and_a_key_without_an_entry_are_found_in_the_end(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    Cache(folder).get_or_compute(cache_key("a"), lambda: rows_of("a"))
    known = {"a": content_hash(rows_of("a"))}
    assert cache_under_kills.what_is_left(tmp_path, folder, known)["not got at once"] == 0
    (tmp_path / "b").mkdir()
    missing = cache_under_kills.what_is_left(tmp_path / "b", folder, {"b": ""})
    assert (missing["not got at once"], missing["longest of them ms"]) == (1, None)
    with exclusive(Entry(folder.resolve(), cache_key("a").digest).lock_file):
        assert cache_under_kills.what_is_left(tmp_path, folder, {})["locks held"] == 1


def test_a_small_run_beside_collectors_holds_and_tries_something() -> None:
    found = cache_in_use.measure(count=3, operations=12, collectors=1, keys=2, seed=1)
    assert found["holds"], found


def test_an_entry_that_goes_while_it_is_read_or_was_just_written_is_noticed(tmp_path: Path) -> None:
    said: list[str] = []
    load, store = Entry.load, Entry.store
    entry = Entry(tmp_path.resolve(), cache_key("a").digest)
    with watching(said.append, random.Random(1)):
        Cache(tmp_path).get_or_compute(cache_key("a"), lambda: rows_of("a"))
        Cache(tmp_path).get_or_compute(cache_key("a"), lambda: rows_of("a"))
        assert said == []
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("time.sleep", lambda _: entry.remove())  # a collector without manners
            entry.load()
        assert said == ["removed"]
    assert (Entry.load, Entry.store) == (load, store)


@pytest.fixture
def cells(lake: Lake) -> Lake:
    for number, day in enumerate(DAYS):
        write(lake, CELLS, day, cell_rows(day, 300, number), code_version="-")
    return lake


@pytest.mark.parametrize("at_the_end", [False, True], ids=["anywhere", "last row"])
def test_every_kind_of_change_of_one_cell_changes_the_key_and_putting_it_back_brings_the_first(
    cells: Lake, at_the_end: bool
) -> None:
    found = keys_after_changes(cells, DAYS, {DAYS[1]: [(kind, at_the_end) for kind in CHANGES]})
    assert found["keys changed"] == found["distinct keys"] == found["changes"] == len(CHANGES)
    assert found["not the first again"] == 0


def test_a_key_that_stays_is_counted(cells: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daily_profit_model_tests.benchmarks.cache_keys.changed_cell", lambda rows, *_, **__: (rows, 0))
    assert keys_after_changes(cells, DAYS, {DAYS[0]: [("0.0 to -0.0", False)]})["keys changed"] == 0


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_is_of_one_cell_only(kind: str) -> None:
    rows = cell_rows(DAYS[0], 300, 1)
    changed, row = changed_cell(rows, kind, random.Random(1), at_the_end=False)
    others = [*range(row), *range(row + 1, rows.num_rows)]
    assert content_hash(changed.take(others)) == content_hash(rows.take(others))
    assert (
        sum(content_hash(changed.select([name])) != content_hash(rows.select([name])) for name in rows.column_names)
        == 1
    )


def test_the_key_of_the_same_input_is_the_same(cells: Lake) -> None:
    assert key_of(cells, DAYS) == key_of(cells, DAYS)
