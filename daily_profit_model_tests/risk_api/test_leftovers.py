"""What killed fetches left goes when it is of no use any more; nothing goes that a living process holds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import filelock
import pytest

from daily_profit_model.risk_api.leftovers import SCRATCH_GRACE_S, Leftovers, remove_leftovers
from daily_profit_model.risk_api.spool import LIFE_S, Spools

TABLE = "raw/trades_closed"
DAY = date(2026, 6, 1)
NOW = datetime(2026, 6, 3, tzinfo=UTC)
TOO_OLD = NOW - timedelta(seconds=LIFE_S + 1)
YOUNG = NOW - timedelta(seconds=LIFE_S - 1)
NOBODY = 2**22 + 1
"""No process has this number: Linux gives none above 2**22."""

HOLDER = f"""
import sys
from datetime import date
from pathlib import Path
from daily_profit_model.risk_api.spool import Spools
spools = Spools(Path(sys.argv[1]))
with spools.locked({TABLE!r}, [date(2026, 6, 1)]):
    spools.open({TABLE!r}, [date(2026, 6, 1)], "question").add(0, 1, 1, b"[1]")
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def spool_dir(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def broken_off(spool_dir: Path, day: date, at: datetime, table: str = TABLE) -> None:
    """A spool whose fetch ended without removing it, last written to at that instant."""
    spools = Spools(spool_dir)
    with spools.locked(table, [day]):
        spool = spools.open(table, [day], "question")
        spool.add(0, 1, 1, b"[1]")
        spool.close()
    age(spool_dir, at)


def age(folder: Path, at: datetime) -> None:
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (at.timestamp(), at.timestamp()))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_old_spools_of_all_tables_go_with_their_locks_and_young_ones_stay(spool_dir: Path, scratch: Path) -> None:
    broken_off(spool_dir, DAY, TOO_OLD)
    broken_off(spool_dir / "nested", DAY, TOO_OLD)
    size = sum(path.stat().st_size for path in spool_dir.rglob("*.sqlite"))
    assert remove_leftovers(spool_dir, scratch, now=NOW) == Leftovers(spools=2, spool_bytes=size)
    assert files(spool_dir) == []
    broken_off(spool_dir, DAY, YOUNG)
    assert remove_leftovers(spool_dir, scratch, now=NOW) == Leftovers()
    assert files(spool_dir) == ["2026-06-01.lock", "2026-06-01_2026-06-01.sqlite"]


def test_pages_that_are_still_in_the_journal_keep_a_spool_young(spool_dir: Path, scratch: Path) -> None:
    broken_off(spool_dir, DAY, TOO_OLD)
    journal = spool_dir / TABLE / "2026-06-01_2026-06-01.sqlite-wal"
    journal.write_bytes(b"")
    os.utime(journal, (YOUNG.timestamp(), YOUNG.timestamp()))
    assert remove_leftovers(spool_dir, scratch, now=NOW) == Leftovers()


def test_a_dry_run_tells_the_same_and_removes_nothing(spool_dir: Path, scratch: Path) -> None:
    broken_off(spool_dir, DAY, TOO_OLD)
    scratch_of(NOBODY, scratch, SCRATCH_GRACE_S + 1)
    before = files(spool_dir), files(scratch)
    told = remove_leftovers(spool_dir, scratch, now=NOW, dry_run=True)
    assert (files(spool_dir), files(scratch)) == before
    assert (told.spools, told.scratch_folders) == (1, 1)
    assert remove_leftovers(spool_dir, scratch, now=NOW) == told
    assert remove_leftovers(spool_dir, scratch, now=NOW) == Leftovers()


def test_a_file_of_somebody_else_stays(spool_dir: Path, scratch: Path) -> None:
    (spool_dir / TABLE).mkdir(parents=True)
    for name in ("notes.sqlite", "notes.lock", "2026-06-01_2026-06-01.txt"):
        (spool_dir / TABLE / name).write_text("somebody's")
    age(spool_dir, TOO_OLD)
    before = files(spool_dir)
    assert remove_leftovers(spool_dir, scratch, now=NOW) == Leftovers()
    assert files(spool_dir) == before


def test_without_folders_there_is_nothing_to_do(spool_dir: Path, scratch: Path) -> None:
    assert remove_leftovers(spool_dir, scratch, now=NOW) == Leftovers()
    assert not spool_dir.exists()


@contextmanager
def living_fetch(spool_dir: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(spool_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_spool_that_a_living_process_holds_stays_and_goes_after_its_death(spool_dir: Path, scratch: Path) -> None:
    with living_fetch(spool_dir) as process:
        age(spool_dir, TOO_OLD)
        held = files(spool_dir)
        assert remove_leftovers(spool_dir, scratch, now=NOW) == Leftovers(spools_in_use=1)
        assert files(spool_dir) == held
        process.kill()
        process.wait()
    age(spool_dir, TOO_OLD)
    assert remove_leftovers(spool_dir, scratch, now=NOW).spools == 1
    assert files(spool_dir) == []


def test_a_lock_that_is_held_stays_and_one_that_was_removed_is_held_by_one_alone(
    spool_dir: Path, scratch: Path
) -> None:
    spools, lock = Spools(spool_dir), spool_dir / TABLE / f"{DAY}.lock"
    with spools.locked(TABLE, [DAY]):
        age(spool_dir, TOO_OLD)
        remove_leftovers(spool_dir, scratch, now=NOW)
        assert lock.exists()
    remove_leftovers(spool_dir, scratch, now=NOW)
    assert not lock.exists()
    with spools.locked(TABLE, [DAY]), pytest.raises(filelock.Timeout):
        filelock.FileLock(lock, thread_local=False).acquire(timeout=0)


def scratch_of(pid: int, parent: Path, age_s: float) -> Path:
    folder = parent / f"dpm-scratch-{pid}-abc"
    (folder / "spilled-0").mkdir(parents=True)
    (folder / "spilled-0" / "rows").write_bytes(b"rows")
    age(folder, NOW - timedelta(seconds=age_s))
    return folder


def test_scratch_of_a_dead_process_goes_after_the_grace_and_that_of_a_living_one_stays(
    spool_dir: Path, scratch: Path
) -> None:
    dead = scratch_of(NOBODY, scratch, SCRATCH_GRACE_S + 1)
    fresh = scratch_of(NOBODY + 1, scratch, SCRATCH_GRACE_S - 1)
    living = scratch_of(os.getpid(), scratch, 10 * SCRATCH_GRACE_S)
    assert remove_leftovers(spool_dir, scratch, now=NOW) == Leftovers(scratch_folders=1, scratch_bytes=4)
    assert [folder.exists() for folder in (dead, fresh, living)] == [False, True, True]
