"""What goes: the old, the least recently used beyond the size, the dead; and what stays."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from daily_profit_model.cache import Cache, Collected, collect
from daily_profit_model.cache.collect import verify_all
from daily_profit_model.cache.entry import Entry, entries
from daily_profit_model.cache.lock import exclusive
from daily_profit_model_tests.cache.small_entries import NOON, Computation, filled, flip_a_byte, key, never

WEEK = timedelta(weeks=1)
PLENTY = 10**9


def gc(folder: Path, *, now: datetime = NOON, weeks: int = 4, max_bytes: int = PLENTY, dry: bool = False) -> Collected:
    return collect(folder, now=now, retention=weeks * WEEK, max_bytes=max_bytes, dry_run=dry)


def left(folder: Path) -> set[str]:
    return {entry.digest for entry in entries(folder)}


def test_an_entry_goes_when_its_last_access_is_older_than_the_retention(folder: Path) -> None:
    old = filled(folder, 1, NOON - 4 * WEEK - timedelta(seconds=1))
    young = filled(folder, 2, NOON - 4 * WEEK)
    freed = old.bytes()
    done = gc(folder)
    assert left(folder) == {young.digest}
    assert done == Collected(expired=1, bytes_removed=freed, entries_left=1, bytes_left=young.bytes())


def test_an_old_entry_that_was_read_lately_stays(folder: Path) -> None:
    entry = filled(folder, 1, NOON - 9 * WEEK)
    Cache(folder, clock=lambda: NOON - WEEK).get_or_compute(key(1), never)
    assert gc(folder).expired == 0
    assert left(folder) == {entry.digest}


def test_beyond_the_size_the_least_recently_used_go_first_and_no_more_than_needed(folder: Path) -> None:
    first, _, third = (filled(folder, seed, NOON - timedelta(hours=9 - seed)) for seed in (1, 2, 3))
    Cache(folder, clock=lambda: NOON).get_or_compute(key(1), never)
    limit = first.bytes() + third.bytes()
    done = gc(folder, max_bytes=limit)
    assert left(folder) == {first.digest, third.digest}
    assert (done.over_size, done.expired, done.bytes_left) == (1, 0, limit)
    assert gc(folder, max_bytes=limit - 1).over_size == 1
    assert left(folder) == {first.digest}


def test_an_entry_in_use_stays_and_the_next_one_goes(folder: Path) -> None:
    oldest, other = filled(folder, 1, NOON - 2 * WEEK), filled(folder, 2, NOON - WEEK)
    with exclusive(oldest.lock_file):
        done = gc(folder, max_bytes=oldest.bytes())
    assert left(folder) == {oldest.digest}
    assert (done.over_size, done.in_use) == (1, 1)
    assert other.bytes() == 0


def test_an_entry_in_use_that_is_too_old_as_well_is_counted_once(folder: Path) -> None:
    entry = filled(folder, 1, NOON - 9 * WEEK)
    with exclusive(entry.lock_file):
        assert gc(folder, max_bytes=0) == Collected(in_use=1, entries_left=1, bytes_left=entry.bytes())


def test_an_entry_that_is_read_while_the_collection_is_under_way_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = filled(folder, 1, NOON - 9 * WEEK)
    sizes = Entry.bytes

    def read_meanwhile(self: Entry) -> int:
        Cache(folder, clock=lambda: NOON).get_or_compute(key(1), never)
        return sizes(self)

    monkeypatch.setattr(Entry, "bytes", read_meanwhile)
    assert gc(folder).expired == 0
    assert left(folder) == {entry.digest}


@pytest.mark.parametrize("name", [f".{'a' * 64}.parquet.{'b' * 32}.tmp", f"{'a' * 64}.parquet"])
@pytest.mark.parametrize(("minutes", "goes"), [(59, False), (61, True)])
def test_a_file_of_a_dead_writer_goes_after_the_grace_period(folder: Path, name: str, minutes: int, goes: bool) -> None:
    kept = filled(folder, 1, NOON)
    left_over = folder / "entries" / name
    left_over.write_bytes(b"12345")
    written = (NOON - timedelta(minutes=minutes)).timestamp()
    os.utime(left_over, (written, written))
    done = gc(folder)
    assert (left_over.exists(), done.dead_files, done.bytes_removed) == ((False, 1, 5) if goes else (True, 0, 0))
    assert kept.check()


def test_files_that_are_not_the_caches_own_stay(folder: Path) -> None:
    filled(folder, 1, NOON)
    foreign = [folder / "entries" / "notes.txt", folder / "entries" / ".x.tmp", folder / "other.parquet"]
    for path in foreign:
        path.write_text("mine")
        os.utime(path, (0, 0))
    gc(folder, weeks=0, now=NOON + WEEK)
    assert all(path.exists() for path in foreign)


@pytest.mark.parametrize("spelling", ["link", "dots", "relative"])
def test_another_spelling_of_the_folder_makes_nothing_an_orphan(folder: Path, tmp_path: Path, spelling: str) -> None:
    young, old = filled(folder, 1, NOON), filled(folder, 2, NOON - 9 * WEEK)
    (tmp_path / "link").symlink_to(folder)
    other = {
        "link": tmp_path / "link",
        "dots": folder / ".." / folder.name,
        "relative": Path(os.path.relpath(folder)),
    }[spelling]
    with exclusive(old.lock_file):  # held under the first spelling
        assert gc(other).in_use == 1
    assert gc(other).expired == 1
    assert left(folder) == {young.digest}


def test_a_dry_run_says_what_would_go_and_removes_nothing(folder: Path) -> None:
    filled(folder, 1, NOON - 9 * WEEK)
    filled(folder, 2, NOON - 2 * WEEK)
    filled(folder, 3, NOON)
    before = {path: path.stat().st_mtime for path in folder.rglob("*")}
    said = gc(folder, max_bytes=1, dry=True)
    assert {path: path.stat().st_mtime for path in folder.rglob("*")} == before
    assert (said.expired, said.over_size) == (1, 2)
    assert gc(folder, max_bytes=1) == said


def test_no_lock_is_left_for_what_is_gone(folder: Path) -> None:
    filled(folder, 1, NOON - 9 * WEEK)
    kept = filled(folder, 2, NOON)
    (folder / "locks" / f"{'a' * 64}.lock").touch()  # of a computation that failed
    gc(folder)
    assert {path.stem for path in (folder / "locks").iterdir()} == {kept.digest}


def test_what_was_collected_is_computed_again(folder: Path) -> None:
    filled(folder, 1, NOON - 9 * WEEK)
    gc(folder)
    again = Computation()
    Cache(folder).get_or_compute(key(1), again)
    assert again.runs == 1


def test_a_folder_that_is_not_there_holds_nothing_and_is_not_made(folder: Path) -> None:
    assert gc(folder) == Collected()
    assert not folder.exists()


def test_the_check_tells_damaged_entries_from_whole_ones_and_is_no_access(folder: Path) -> None:
    whole, damaged, half = (filled(folder, seed, NOON) for seed in (1, 2, 3))
    assert verify_all(entries(folder)).damaged == {}
    flip_a_byte(damaged.rows_file)
    half.rows_file.unlink()
    found = verify_all(entries(folder))
    assert set(found.damaged) == {damaged.digest, half.digest}
    assert "checksum" in found.damaged[damaged.digest]
    assert found.whole == 1
    assert whole.last_access() == NOON


def test_an_entry_that_is_being_written_is_not_called_damaged(folder: Path) -> None:
    entry = filled(folder, 1, NOON)
    flip_a_byte(entry.rows_file)
    with exclusive(entry.lock_file):
        found = verify_all(entries(folder))
    assert (found.whole, found.in_use, found.damaged) == (0, 1, {})
