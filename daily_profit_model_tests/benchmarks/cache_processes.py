"""Processes that ask a cache for keys and write down what they got, for the benchmarks of the cache.

A line of a life's record is appended at once, so that it stays whatever happens to the process: `begun KEY` when
its computation begins, `right KEY` or `wrong KEY` when it has an answer, `damaged` and `failed …` for what it
could not read, `removed` when the entry that it was reading or had just written went or changed beneath it.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import structlog

from daily_profit_model.cache import Cache, CacheKey
from daily_profit_model.cache.entry import Entry
from daily_profit_model.lake import content_hash
from daily_profit_model_tests.benchmarks import processes

ROWS = 20_000
COMPUTING_S, RESTING_S = (0.01, 0.1), (0.0, 0.06)
"""Bounds of what a computation takes, and of the pause between two operations."""
SLOW_READ_S = 0.01

Say = Callable[[str], None]


@dataclass(frozen=True)
class Task:
    """What one life of a process does: `operations` on `keys` chosen at random, as soon as `go` is there."""

    folder: Path
    record: Path
    keys: Mapping[str, str]
    """Key → content hash of its rows."""
    operations: int
    seed: str
    go: Path
    watched: bool = False
    """Reads are slow, and entries in use are watched."""


def forking() -> Any:
    """Where processes are started: forked from one that has imported everything and runs no thread."""
    context = multiprocessing.get_context("forkserver")
    # a child runs the text of the benchmark again: what that imports is here already, and costs nothing
    context.set_forkserver_preload([__name__, processes.__name__])
    return context


def cache_key(name: str) -> CacheKey:
    return CacheKey(inputs={"staging/small@2026-03-01": name}, code="1", catalogue="1", configuration=None)


def rows_of(name: str) -> pa.Table:
    """The right rows of a key."""
    first = random.Random(name).randrange(2**40)
    # pa.array and pa.table would import pandas, more work in every life than all the rest of it
    values = pa.py_buffer(np.arange(first, first + ROWS, dtype=np.int64))
    numbers = pa.Array.from_buffers(pa.int64(), ROWS, [None, values])
    return pa.Table.from_arrays([numbers, pc.sqrt(numbers), numbers.cast(pa.string())], ["number", "root", "text"])


def keys_of(names: Sequence[str]) -> dict[str, str]:
    return {name: content_hash(rows_of(name)) for name in names}


def live(task: Task) -> None:
    """One life, from its start to its end or to a kill."""
    record = os.open(task.record, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def say(line: str) -> None:
        os.write(record, f"{line}\n".encode())

    dice = random.Random(task.seed)
    structlog.configure(processors=[_saying_damage(say)])
    cache = Cache(task.folder)
    while not task.go.exists():  # an event of multiprocessing could be broken by a kill
        time.sleep(0.002)
    with watching(say, dice) if task.watched else _nothing():
        for _ in range(task.operations):
            time.sleep(dice.uniform(*RESTING_S))
            name = dice.choice(list(task.keys))
            try:
                answer = cache.get_or_compute(cache_key(name), partial(_computed, name, say, dice))
            except Exception as error:  # whatever a reader meets is counted
                say(f"failed {name}: {type(error).__name__} {error}".replace("\n", " "))
                continue
            say(f"{'right' if content_hash(answer) == task.keys[name] else 'wrong'} {name}")


def ask_once_each(folder: Path, record: Path, keys: Mapping[str, str]) -> None:
    """Ask for every key; none may have to be computed. Says in the end how many milliseconds the longest took."""
    stream = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    longest = 0.0
    for name, value in keys.items():
        start = time.monotonic()
        answer = Cache(folder).get_or_compute(cache_key(name), _never)
        longest = max(longest, time.monotonic() - start)
        os.write(stream, f"{'right' if content_hash(answer) == value else 'wrong'} {name}\n".encode())
    os.write(stream, f"longest {longest * 1e3}\n".encode())


def _never() -> pa.Table:
    raise RuntimeError("there is no entry")


def _computed(name: str, say: Say, dice: random.Random) -> pa.Table:
    say(f"begun {name}")
    time.sleep(dice.uniform(*COMPUTING_S))
    return rows_of(name)


@contextmanager
def watching(say: Say, dice: random.Random) -> Iterator[None]:
    """Look at the entry before and after each read, and after each write: as long as it is in use it stays as it is."""
    load, store = Entry.load, Entry.store

    def watched_load(self: Entry) -> pa.Table | None:
        before = self.state()
        rows = load(self)
        time.sleep(dice.uniform(0, SLOW_READ_S))
        if before is not None and self.state() != before:
            say("removed")
        return rows

    def watched_store(self: Entry, rows: pa.Table, key: CacheKey, at: datetime) -> None:
        store(self, rows, key, at)
        before = self.state()
        time.sleep(dice.uniform(0, SLOW_READ_S))
        if before is None or self.state() != before:
            say("removed")

    Entry.load, Entry.store = watched_load, watched_store  # type: ignore[method-assign]
    try:
        yield
    finally:
        Entry.load, Entry.store = load, store  # type: ignore[method-assign]


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _saying_damage(say: Say) -> Any:
    def processor(_logger: object, _level: str, line: Mapping[str, Any]) -> str:
        if line["event"] in ("cache_entry_is_damaged", "cache_entry_is_not_kept", "cache_cannot_be_used"):
            say(f"damaged {line}")
        raise structlog.DropEvent

    return processor


def lines_of(record: Path) -> list[tuple[str, str]]:
    """What a life said, as (what, of which key); a life that said nothing has no record."""
    if not record.exists():
        return []
    return [(what, rest) for what, _, rest in (line.partition(" ") for line in record.read_text().splitlines())]


def ended(lives: Sequence[BaseProcess], within_s: float) -> bool:
    """Whether all processes end in time; those that do not are killed."""
    limit = time.monotonic() + within_s
    for process in lives:
        process.join(max(0.0, limit - time.monotonic()))
    late = [process for process in lives if process.is_alive()]
    for process in late:
        process.kill()
        process.join()
    return not late
