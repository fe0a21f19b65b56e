"""Collecting the lake: what nobody can ask for any more goes, and every answer that is promised stays as it was."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from upath import UPath

from daily_profit_model.lake import Collected, Lake, LakeError, collect, read, write, write_revision
from daily_profit_model.lake.changes import corrections_since
from daily_profit_model.lake.collect import GRACE
from daily_profit_model.lake.lake import AsKnown, revision_of
from daily_profit_model.tables import Table
from daily_profit_model_tests.lake.small_table import DAY_1, SMALL, small_rows

RAW = replace(SMALL, name="raw/small", revisions=True)
REJECTS = replace(SMALL, name="raw/rejects/small", revisions=True)
CUT_OFF = datetime(2026, 3, 2, 6, tzinfo=UTC)
NOW = CUT_OFF + timedelta(days=500)
RETENTION = timedelta(days=400)
FIXED: tuple[AsKnown, ...] = ("cut-off", "newest")


def store(lake: Lake, *instants: datetime, table: Table = RAW) -> list[UPath]:
    return [
        write_revision(lake, table, DAY_1, small_rows(money=float(place)), ingested_at=at, code_version="1")[0].path
        for place, at in enumerate(instants)
    ]


def collected(lake: Lake, *, now: datetime = NOW, retention: timedelta = RETENTION, dry_run: bool = False) -> Collected:
    return collect(lake, (SMALL, RAW, REJECTS), now=now, retention=retention, dry_run=dry_run)


def days(count: float) -> datetime:
    return CUT_OFF + timedelta(days=count)


def test_a_revision_replaced_long_ago_goes_and_cut_off_and_newest_stay(lake: Lake) -> None:
    early, known, replaced, newest = store(lake, days(-0.2), days(-0.1), days(1), days(2))
    sizes = early.stat().st_size + replaced.stat().st_size
    (table,) = collected(lake).tables
    assert (table.table, table.revisions, table.revision_bytes) == (RAW.name, 2, sizes)
    assert lake.files(RAW.name, DAY_1) == [known, newest]


def test_the_first_fetch_of_a_day_filled_later_stays(lake: Lake) -> None:
    first, _, newest = store(lake, days(5), days(6), days(7))
    assert collected(lake).files_removed == 1
    assert lake.files(RAW.name, DAY_1) == [first, newest]


def test_what_counts_is_when_a_revision_was_replaced_and_not_when_it_was_stored(lake: Lake) -> None:
    _, old, _, _ = store(lake, days(0), days(1), days(100) + timedelta(seconds=1), days(300))
    assert collected(lake).files_removed == 0
    assert collected(lake, now=NOW + timedelta(seconds=1)).files_removed == 1
    assert not old.exists()


def test_a_retention_of_nothing_still_leaves_what_was_replaced_a_moment_ago(lake: Lake) -> None:
    store(lake, days(0), days(1), NOW - GRACE + timedelta(seconds=1))
    assert collected(lake, retention=timedelta(0)).files_removed == 0
    assert collected(lake, retention=timedelta(0), now=NOW + timedelta(seconds=1)).files_removed == 1


def copies(lake: Lake, template: UPath, table: str, minutes: Sequence[int]) -> None:
    """Revisions at instants after the cut-off, all with the same rows: only the names matter here."""
    folder = Path(str(lake.partition_folder(table, DAY_1)))
    folder.mkdir(parents=True)
    for minute in minutes:
        at = CUT_OFF + timedelta(minutes=minute)
        shutil.copyfile(str(template), folder / f"revision={at:%Y%m%dT%H%M%S.%fZ}.parquet")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> UPath:
    return store(Lake(UPath(tmp_path_factory.mktemp("template"))), CUT_OFF)[0]


@given(
    minutes=st.lists(st.integers(-300, 3_000), min_size=1, max_size=7, unique=True),
    rejected=st.sets(st.integers(0, 6)),
    now=st.integers(-300, 4_000),
    retention=st.integers(0, 3_000),
)
@example(minutes=[10, 20, 30], rejected={0}, now=80, retention=60)  # replaced exactly at the edge
@example(minutes=[-20, -10, 10], rejected={0, 1, 2}, now=4_000, retention=0)
@settings(max_examples=120, derandomize=True, deadline=None)
def test_every_answer_from_the_retention_on_is_the_one_before_and_nothing_else_is_kept(
    minutes: list[int],
    rejected: set[int],
    now: int,
    retention: int,
    template: UPath,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    lake = Lake(UPath(tmp_path_factory.mktemp("as-of")))
    instants = sorted(minutes)
    copies(lake, template, RAW.name, instants)
    # rejected rows are stored first with the table's first revision, then only where they differ
    copies(lake, template, REJECTS.name, [at for place, at in enumerate(instants) if place == 0 or place in rejected])
    present = CUT_OFF + timedelta(minutes=now)
    begin = present - timedelta(minutes=retention)
    moments = [begin, present, *(CUT_OFF + timedelta(minutes=minute, seconds=s) for minute in minutes for s in (-1, 0))]
    asked = [moment for moment in moments if moment >= begin]
    tables = (RAW.name, REJECTS.name)

    def answers() -> list[object]:
        as_of = [lake.file(name, DAY_1, moment) for name in tables for moment in asked]
        fixed = [lake.file(name, DAY_1, choice) for name in tables for choice in FIXED]
        pairs = [(older.path, newer.path) for older, newer in corrections_since(lake, RAW, begin)]
        return [as_of, fixed, pairs]

    def needed(table: str) -> set[UPath | None]:
        held_from = min(begin, present - GRACE)
        later = [path for path in lake.files(table, DAY_1) if (revision_of(path) or held_from) > held_from]
        return {*later, *(lake.file(table, DAY_1, choice) for choice in (*FIXED, held_from))} - {None}

    before, expected = answers(), [needed(name) for name in tables]
    collected(lake, now=present, retention=timedelta(minutes=retention))
    assert answers() == before
    assert [set(lake.files(name, DAY_1)) for name in tables] == expected


def test_a_dry_run_tells_what_goes_and_removes_nothing(lake: Lake) -> None:
    store(lake, days(0), days(1), days(2))
    leave(lake, age=2 * GRACE)
    before = every_file(lake)
    told = collected(lake, dry_run=True)
    assert every_file(lake) == before
    assert told.files_removed == 2
    assert collected(lake) == told
    assert len(every_file(lake)) == len(before) - 2


def test_a_second_collection_removes_nothing_more(lake: Lake) -> None:
    store(lake, *(days(count) for count in range(6)))
    assert collected(lake).files_removed == 4
    before = every_file(lake)
    assert collected(lake).files_removed == 0
    assert every_file(lake) == before


def test_a_table_that_no_contract_knows_is_named_and_left_alone(lake: Lake) -> None:
    unknown = replace(RAW, name="raw/of_somebody_else")
    store(lake, days(0), days(1), days(2), table=unknown)
    leave(lake, age=2 * GRACE, table=unknown)
    before = every_file(lake)
    done = collected(lake)
    assert (done.tables, done.unknown) == ((), (unknown.name,))
    assert every_file(lake) == before


def test_files_that_are_no_revisions_are_never_superseded(lake: Lake) -> None:
    write(lake, SMALL, DAY_1, small_rows(), code_version="1")
    folder = lake.partition_folder(SMALL.name, DAY_1)
    shutil.copyfile(str(folder / "part-0.parquet"), str(folder / "part-1.parquet"))
    shutil.copyfile(str(folder / "part-0.parquet"), str(folder / "revision=20260302T060000.000000Z.parquet"))
    assert collected(lake).files_removed == 0


@pytest.mark.parametrize("place", [0, -1])
def test_all_revisions_stay_where_one_that_must_be_left_cannot_be_read(lake: Lake, place: int) -> None:
    store(lake, days(0), days(1), days(2))[place].write_bytes(b"PAR1 half")
    (table,) = collected(lake).tables
    assert (table.revisions, table.unsafe_partitions) == (0, 1)
    assert len(lake.files(RAW.name, DAY_1)) == 3


def test_what_was_set_aside_as_damaged_is_counted_and_stays(lake: Lake) -> None:
    path = store(lake, days(0))[0]
    path.write_bytes(b"PAR1 half")
    store(lake, days(1))
    aside = path.parent / f".damaged-{path.name}"
    assert aside.exists()
    (table,) = collected(lake).tables
    assert (table.damaged_files, table.files_removed) == (1, 0)
    assert aside.exists()


KILLED_WRITER = """
import os, signal, sys
from datetime import UTC, datetime
from upath import UPath
from daily_profit_model.lake import Lake, partition_file, write_revision
from daily_profit_model_tests.lake.small_table import DAY_1, small_rows
from daily_profit_model_tests.lake.test_collect import RAW

partition_file.ROW_GROUP = 100

class UntilKilled:
    num_rows = 500
    def to_batches(self):
        yield from small_rows(accounts=300).to_batches()
        os.kill(os.getpid(), signal.SIGKILL)

write_revision(Lake(UPath(sys.argv[1])), RAW, DAY_1, UntilKilled(), ingested_at=datetime.now(UTC), code_version="1")
"""


def test_the_file_of_a_killed_writer_goes_after_the_grace_and_not_before(lake: Lake) -> None:
    process = subprocess.run([sys.executable, "-c", KILLED_WRITER, str(lake.root)], check=False)
    assert process.returncode == -signal.SIGKILL
    (left,) = every_file(lake)
    assert left.endswith(".tmp")
    written = datetime.fromtimestamp(os.stat(left).st_mtime, UTC)
    assert collected(lake, now=written + GRACE).files_removed == 0
    (table,) = collected(lake, now=written + GRACE + timedelta(seconds=1)).tables
    assert (table.temporary_files, every_file(lake)) == (1, [])


def test_who_has_opened_a_file_reads_on_and_who_opens_too_late_is_told_to_run_again(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced = store(lake, days(0), days(1), days(2))[1]
    content = replaced.read_bytes()
    with replaced.open("rb") as stream:
        collected(lake)
        assert stream.read() == content
    monkeypatch.setattr(Lake, "file", lambda *_: replaced)  # as it was answered long ago
    with pytest.raises(
        LakeError, match=r"^raw/small of 2026-03-01: .* was removed before it could be read; run again$"
    ):
        read(lake, RAW, [DAY_1])
    with pytest.raises(LakeError, match="run again"):
        lake.describe(RAW.name, DAY_1)


def test_in_an_object_store_revisions_go_and_a_temporary_file_of_unknown_age_stays() -> None:
    lake = Lake(UPath("memory://test-collect/lake"))
    store(lake, days(0), days(1), days(2))
    temporary = lake.partition_folder(RAW.name, DAY_1) / ".revision=x.parquet.0123.tmp"
    temporary.write_bytes(b"half")
    (table,) = collected(lake).tables
    assert (table.revisions, table.temporary_files) == (1, 0)
    assert temporary.exists()


def test_an_empty_lake_has_nothing_to_collect(lake: Lake) -> None:
    assert collected(lake) == Collected()


def leave(lake: Lake, *, age: timedelta, table: Table = RAW) -> None:
    """A writer's temporary file of that age."""
    path = lake.partition_folder(table.name, DAY_1) / ".part-0.parquet.0123.tmp"
    path.write_bytes(b"half")
    at = (NOW - age).timestamp()
    os.utime(str(path), (at, at))


def every_file(lake: Lake) -> list[str]:
    return sorted(str(path) for path in Path(str(lake.root)).rglob("*") if path.is_file())
