"""Several processes at one lake: readers during writes, a writer killed, many writers at once. All real processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

import duckdb
import pyarrow.dataset as ds
import pytest
from upath import UPath

from daily_profit_model.lake import Lake, content_hash, read, write
from daily_profit_model_tests.lake.small_table import DAY_1, SMALL, small_rows

WRITER = """
import sys
from upath import UPath
from daily_profit_model.lake import Lake, write
from daily_profit_model_tests.lake.small_table import DAY_1, SMALL, small_rows

lake = Lake(UPath(sys.argv[1]))
versions = [small_rows(accounts=int(sys.argv[2]), money=float(money)) for money in (1, 2)]
print("ready", flush=True)
turn = 0
while True:
    write(lake, SMALL, DAY_1, versions[turn % 2], code_version="1")
    turn += 1
"""


@contextmanager
def _endless_writer(lake: Lake, accounts: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(lake.root), str(accounts)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def _write_one(root: str, day: str) -> str:
    return write(Lake(UPath(root)), SMALL, day, small_rows(day, 200), code_version="1").content_hash


def _write_same(root: str, money: float) -> str:
    return write(Lake(UPath(root)), SMALL, DAY_1, small_rows(accounts=200, money=money), code_version="1").content_hash


def test_a_reader_during_writes_sees_the_old_or_the_new_partition(lake: Lake) -> None:
    accounts = 2_000
    whole = {content_hash(small_rows(accounts=accounts, money=money)) for money in (1.0, 2.0)}
    write(lake, SMALL, DAY_1, small_rows(accounts=accounts, money=1.0), code_version="1")
    seen = set()
    with _endless_writer(lake, accounts):
        deadline = time.monotonic() + 20
        for turn in range(10_000):
            seen.add(content_hash(read(lake, SMALL, [DAY_1])))
            assert seen <= whole
            if turn >= 60 and (seen == whole or time.monotonic() > deadline):
                break
    assert seen == whole


def test_a_writer_killed_at_any_moment_leaves_nothing_that_a_reader_takes(lake: Lake) -> None:
    accounts = 2_000
    whole = {content_hash(small_rows(accounts=accounts, money=money)) for money in (1.0, 2.0)}
    write(lake, SMALL, DAY_1, small_rows(accounts=accounts, money=1.0), code_version="1")
    folder = str(lake.table_folder(SMALL.name))
    for delay in (0.003, 0.011, 0.023):
        with _endless_writer(lake, accounts) as process:
            time.sleep(delay)
            os.kill(process.pid, signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
        file = lake.describe(SMALL.name, DAY_1)
        assert file is not None
        assert file.content_hash in whole
        assert content_hash(read(lake, SMALL, [DAY_1])) == file.content_hash
        assert ds.dataset(folder, partitioning="hive").count_rows() == accounts
        counted = duckdb.execute(f"select count(*) from read_parquet('{folder}/**/*.parquet')").fetchall()
        assert counted == [(accounts,)]


def test_the_file_of_a_write_that_never_ended_is_no_partition(lake: Lake) -> None:
    folder = lake.partition_folder(SMALL.name, DAY_1)
    folder.mkdir(parents=True)
    (folder / ".part-0.parquet.0123.tmp").write_bytes(b"PAR1 half")
    (folder / ".part-0.parquet").write_bytes(b"PAR1 half")
    assert lake.partitions(SMALL.name) == []
    assert lake.file(SMALL.name, DAY_1) is None
    assert read(lake, SMALL, [DAY_1]).num_rows == 0


def test_a_write_that_fails_leaves_the_old_partition_and_no_litter(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    before = write(lake, SMALL, DAY_1, small_rows(), code_version="1")

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write(lake, SMALL, DAY_1, small_rows(money=9.0), code_version="1")
    assert lake.describe(SMALL.name, DAY_1) == before
    assert [path.name for path in before.path.parent.iterdir()] == ["part-0.parquet"]


@pytest.fixture(scope="module")
def eight_processes() -> Iterator[ProcessPoolExecutor]:
    # spawned: a process forked off a test's inherits locks of its threads, and may never end
    with ProcessPoolExecutor(8, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def test_eight_processes_write_eight_partitions_at_once(lake: Lake, eight_processes: ProcessPoolExecutor) -> None:
    days = [f"2026-03-{day:02d}" for day in range(1, 9)]
    hashes = list(eight_processes.map(_write_one, [str(lake.root)] * 8, days))
    assert lake.partitions(SMALL.name) == days
    assert [lake.describe(SMALL.name, day).content_hash for day in days] == hashes  # type: ignore[union-attr]  # all exist
    assert read(lake, SMALL, days).num_rows == 8 * 200


def test_of_many_writers_of_one_partition_one_wins_whole(lake: Lake, eight_processes: ProcessPoolExecutor) -> None:
    hashes = list(eight_processes.map(_write_same, [str(lake.root)] * 8, map(float, range(8))))
    assert content_hash(read(lake, SMALL, [DAY_1])) in hashes
    assert len(list(lake.partition_folder(SMALL.name, DAY_1).iterdir())) == 1
    write(lake, SMALL, DAY_1, small_rows(money=99.0), code_version="1")
    assert read(lake, SMALL, [DAY_1]).equals(small_rows(money=99.0))
