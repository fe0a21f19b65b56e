"""Many processes at once, real ones: one computes, a killed one blocks nobody, what is in use stays."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Event, Timer

import filelock
import pyarrow as pa
import pytest

from daily_profit_model.cache import Cache, collect, statistics
from daily_profit_model.cache.lock import exclusive, shared
from daily_profit_model.cache.statistics import Counts
from daily_profit_model.lake import content_hash
from daily_profit_model_tests.cache.small_entries import NOON, ROWS, Computation, entry_of, flip_a_byte, key, never

RIGHT = f"rows {content_hash(ROWS)}"
WAITING = "another_process_computes_the_cache_entry"
LIMIT_S = 30.0
"""A worker that a test waits for in vain is killed; only a wrong cache comes near it."""
LATER = NOON + timedelta(weeks=50)


class Worker:
    """A process of `worker.py`; a test reads where it is and tells it to go on."""

    def __init__(self, folder: Path, stop: str) -> None:
        command = [sys.executable, "-m", "daily_profit_model_tests.cache.worker", str(folder), stop]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._limit = Timer(LIMIT_S, self.process.kill)  # then it says nothing more, and the test fails
        self._limit.start()

    def says(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self._limit.cancel()
        self.process.kill()
        self.process.communicate()


@contextlib.contextmanager
def workers(folder: Path, *stops: str) -> Iterator[list[Worker]]:
    """Processes that stop there; each is ready and has yet to ask."""
    started = [Worker(folder, stop) for stop in stops]
    try:
        assert {worker.says() for worker in started} == {"ready"}
        yield started
    finally:
        for worker in started:
            worker.kill()


def test_of_two_processes_at_once_one_computes_and_the_other_waits_for_it(folder: Path) -> None:
    with workers(folder, "computing", "nowhere") as [first, second]:
        first.go_on()
        assert [first.says(), first.says()] == ["computed", "computing"]
        second.go_on()
        assert second.says() == WAITING
        first.go_on()
        assert first.says() == RIGHT
        assert second.says() == RIGHT  # and not "computed"
    assert statistics.total(folder) == Counts(hits=1, misses=1, waits=1)


def test_processes_that_ask_together_compute_once(folder: Path) -> None:
    with workers(folder, *["nowhere"] * 3) as together:
        for worker in together:
            worker.go_on()
        said = [line for worker in together for line in worker.process.communicate()[0].splitlines()]
    assert said.count("computed") == 1
    assert said.count(RIGHT) == 3
    counts = statistics.total(folder)
    assert (counts.hits, counts.misses) == (2, 1)


def test_a_process_killed_while_computing_blocks_nobody(folder: Path) -> None:
    with workers(folder, "computing", "nowhere") as [first, second]:
        first.go_on()
        assert [first.says(), first.says()] == ["computed", "computing"]
        second.go_on()
        assert second.says() == WAITING
        first.kill()
        assert [second.says(), second.says()] == ["computed", RIGHT]
    assert content_hash(Cache(folder).get_or_compute(key(), never)) == content_hash(ROWS)


def test_a_process_killed_while_writing_leaves_no_half_entry_and_blocks_nobody(folder: Path) -> None:
    with workers(folder, "writing") as [writer]:
        writer.go_on()
        assert [writer.says(), writer.says()] == ["computed", "writing"]
        writer.kill()
    entry = entry_of(folder, key())
    assert len(list(entry.rows_file.parent.iterdir())) == 1  # the temporary file
    assert entry.state() is None
    again = Computation()
    Cache(folder).get_or_compute(key(), again)
    assert again.runs == 1
    with exclusive(entry.lock_file, wait=False):
        assert entry.check()


def test_a_reader_while_a_writer_replaces_a_damaged_entry_gets_the_new_one(cache: Cache, folder: Path) -> None:
    cache.get_or_compute(key(), Computation())
    flip_a_byte(entry_of(folder, key()).rows_file)
    with workers(folder, "writing", "nowhere") as [writer, reader]:
        writer.go_on()
        said = [writer.says(), writer.says(), writer.says()]
        assert said == ["cache_entry_is_damaged", "computed", "writing"]
        reader.go_on()
        assert reader.says() == WAITING
        writer.go_on()
        assert writer.says() == "writing"  # the description, after the rows
        writer.go_on()
        assert [writer.says(), reader.says()] == [RIGHT, RIGHT]
    assert statistics.total(folder) == Counts(hits=1, misses=1, recomputed=1, waits=1)


def test_a_collection_during_a_read_keeps_the_entry_and_does_not_wait(cache: Cache, folder: Path) -> None:
    cache.get_or_compute(key(), Computation())
    with workers(folder, "reading") as [reader]:
        reader.go_on()
        assert reader.says() == "reading"
        kept = collect(folder, now=LATER, retention=timedelta(0), max_bytes=0)
        assert (kept.expired, kept.over_size, kept.in_use, kept.entries_left) == (0, 0, 1, 1)
        reader.go_on()
        assert reader.says() == RIGHT
    gone = collect(folder, now=LATER, retention=timedelta(0), max_bytes=0)
    assert (gone.expired, gone.entries_left) == (1, 0)


def test_a_collection_during_a_computation_keeps_the_lock_and_the_files_in_flight(folder: Path) -> None:
    with workers(folder, "writing") as [writer]:
        writer.go_on()
        assert [writer.says(), writer.says()] == ["computed", "writing"]
        kept = collect(folder, now=LATER, retention=timedelta(0), max_bytes=0)  # long beyond the grace period
        assert kept.dead_files == 0
        with pytest.raises(filelock.Timeout), exclusive(entry_of(folder, key()).lock_file, wait=False):
            pass
        writer.go_on()
        assert writer.says() == "writing"
        writer.go_on()
        assert writer.says() == RIGHT
    assert entry_of(folder, key()).check()


def test_threads_of_one_process_compute_once_too(cache: Cache, folder: Path) -> None:
    entered, leave = Event(), Event()

    def slow() -> pa.Table:
        entered.set()
        leave.wait(5)
        return ROWS

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(cache.get_or_compute, key(), slow)
        entered.wait(5)
        second = pool.submit(cache.get_or_compute, key(), never)
        leave.set()
        assert content_hash(first.result()) == content_hash(second.result())
    assert statistics.total(folder).misses == 1


def test_readers_share_a_lock_that_no_writer_gets_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with shared(path) as waited, shared(path, wait=False):
        assert not waited
        with pytest.raises(filelock.Timeout), exclusive(path, wait=False):
            pass
    with exclusive(path, wait=False), pytest.raises(filelock.Timeout), shared(path, wait=False):
        pass


def test_who_waited_for_a_lock_whose_file_was_removed_takes_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    waiting, leave = Event(), Event()

    def reader() -> bool:
        with shared(path, before_waiting=waiting.set), pytest.raises(filelock.Timeout), exclusive(path, wait=False):
            pass
        leave.set()
        return True

    with ThreadPoolExecutor(1) as pool:
        with exclusive(path):
            held = pool.submit(reader)
            waiting.wait(5)
            path.unlink()
        assert held.result(5)
