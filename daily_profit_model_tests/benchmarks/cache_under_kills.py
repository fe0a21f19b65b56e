"""Does the cache stay right, and free, when processes that use it are killed at any moment?

Run: python -m daily_profit_model_tests.benchmarks.cache_under_kills [--processes 20] [--operations 10]
     [--rounds 50] [--keys 6] [--kills 12] [--seed 1] [--json]

In each round that many processes ask for a few keys that are new, all at once; kill -9 ends one of them at
moments that the seed draws, and another takes over what it had left to do. Each answer is compared with the right
rows. A key must be computed once a round, besides the computations whose process was killed before it had its
answer. Afterwards, with every process gone, no lock may be held, a fresh process must get every key at once from
an entry, and a collection must leave no temporary file. Exit code 1 when any of that does not hold.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeAlias

import filelock

from daily_profit_model.cache import collect, statistics
from daily_profit_model.cache.entry import ENTRIES, LOCKS
from daily_profit_model.cache.lock import exclusive
from daily_profit_model_tests.benchmarks import processes
from daily_profit_model_tests.benchmarks.cache_processes import (
    Task,
    ask_once_each,
    ended,
    forking,
    keys_of,
    lines_of,
    live,
)

LONGEST_ROUND_S = 60.0
"""A round that takes longer hangs: something waits for a lock in vain."""
KILL_AFTER_S = 0.3
"""Mean of the moments of kills (exponential): most come while the round's keys are computed and written."""


Said: TypeAlias = Sequence[tuple[bool, list[tuple[str, str]]]]
"""Per life whether it was killed, and its record."""


@dataclass
class Life:
    """One life of a process, and whether it was killed."""

    task: Task
    process: BaseProcess
    killed: bool = False


@dataclass
class Round:
    """The lives of one round; slots are filled again after a kill."""

    lives: list[Life] = field(default_factory=list)
    is_stuck: bool = False

    @property
    def said(self) -> Said:
        return [(life.killed, lines_of(life.task.record)) for life in self.lives]


def measure(count: int, operations: int, rounds: int, keys: int, kills: int, seed: int) -> dict[str, Any]:
    """All rounds, then what is left of them."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "cache"
        known: dict[str, str] = {}
        total: Counter[str] = Counter()
        started = time.monotonic()
        for number in range(rounds):
            own = keys_of([f"{seed}-{number}-{each}" for each in range(keys)])
            task = Task(
                folder, Path(place) / str(number), own, operations, f"{seed}-{number}", Path(place) / f"go-{number}"
            )
            done = one_round(task, count, kills, random.Random(f"{seed}-{number}"))
            said = done.said
            total.update(judged(said))
            known |= {name: own[name] for name in asked_keys(said)}
            total["stuck rounds"] += done.is_stuck
        total["operations wanted"] = count * operations * rounds
        seconds = time.monotonic() - started
        counts = statistics.total(folder)
        left = what_is_left(Path(place), folder, known)
    found = {
        "processes": count,
        "rounds": rounds,
        "operations": total["operations"],
        "keys": total["keys"],
        "kills": total["kills"],
        "computations": total["computations"],
        "killed while computing": total["killed while computing"],
        "computed twice": total["computed twice"],
        "wrong values": total["wrong values"],
        "torn reads": total["torn reads"],
        "waits": counts.waits,
        "stuck rounds": total["stuck rounds"],
        **left,
        "seconds": round(seconds, 1),
    }
    wrong = (
        "computed twice",
        "wrong values",
        "torn reads",
        "stuck rounds",
        "locks held",
        "not got at once",
        "temporary left",
    )
    found["holds"] = not any(found[name] for name in wrong) and total["operations"] == total["operations wanted"]
    return found


def one_round(task: Task, count: int, kills: int, dice: random.Random) -> Round:
    """Start all processes, kill some of them, and wait for the rest."""
    context, found = forking(), Round()

    def start(slot: int, life: int, operations: int) -> None:
        name = f"{slot}-{life}"
        own = replace(
            task,
            record=task.record.with_name(f"{task.record.name}-{name}"),
            operations=operations,
            seed=f"{task.seed}-{name}",
        )
        process = context.Process(target=live, args=(own,))
        process.start()
        found.lives.append(Life(own, process))

    for slot in range(count):
        start(slot, 0, task.operations)
    task.go.touch()
    began = time.monotonic()
    for moment in sorted(began + dice.expovariate(1 / KILL_AFTER_S) for _ in range(kills)):
        time.sleep(max(0.0, moment - time.monotonic()))
        alive = [life for life in found.lives if life.process.is_alive()]
        if not alive:
            break
        victim = dice.choice(alive)
        victim.process.kill()
        victim.process.join()
        victim.killed = victim.process.exitcode != 0  # it may just have come to its end
        left = victim.task.operations - _answers(lines_of(victim.task.record))
        if victim.killed and left:
            start(len(found.lives), 1, left)
    found.is_stuck = not ended([life.process for life in found.lives], LONGEST_ROUND_S)
    return found


def judged(said: Said) -> Counter[str]:
    """The counts of one round from what its lives said, each with whether it was killed."""
    found: Counter[str] = Counter()
    finished: Counter[str] = Counter()
    for killed, lines in said:
        found["kills"] += killed
        found["operations"] += _answers(lines)
        found["wrong values"] += sum(what == "wrong" for what, _ in lines)
        found["torn reads"] += sum(what in ("damaged", "failed") for what, _ in lines)
        begun = [at for at, (what, _) in enumerate(lines) if what == "begun"]
        for at in begun:
            cut_off = killed and at == len(lines) - 1
            found["killed while computing"] += cut_off
            finished[lines[at][1]] += not cut_off
        found["computations"] += len(begun)
    found["keys"] = len(asked_keys(said))
    found["computed twice"] = sum(count - 1 for count in finished.values() if count > 1)
    return found


def asked_keys(said: Said) -> set[str]:
    """The keys that somebody got in this round."""
    return {name for _, lines in said for what, name in lines if what in ("right", "wrong")}


def _answers(lines: Sequence[tuple[str, str]]) -> int:
    return sum(what in ("right", "wrong", "failed") for what, _ in lines)


def what_is_left(place: Path, folder: Path, known: dict[str, str]) -> dict[str, Any]:
    """Locks that are held, keys that a fresh process does not get from an entry, files of dead writers."""
    held = 0
    for path in sorted((folder / LOCKS).glob("*.lock")):
        try:
            with exclusive(path, wait=False):
                pass
        except filelock.Timeout:
            held += 1
    record = place / "fresh"
    fresh = forking().Process(target=ask_once_each, args=(folder, record, known))
    fresh.start()
    ended([fresh], LONGEST_ROUND_S)
    said = lines_of(record)
    temporary = len(list((folder / ENTRIES).glob(".*.tmp")))
    later = datetime.now(UTC) + timedelta(hours=2)  # beyond the grace period of files in flight
    collect(folder, now=later, retention=timedelta(days=1), max_bytes=2**62)
    return {
        "locks held": held,
        "not got at once": len(known) - sum(what == "right" for what, _ in said),
        "longest of them ms": float(said[-1][1]) if said and said[-1][0] == "longest" else None,
        "temporary before gc": temporary,
        "temporary left": len(list((folder / ENTRIES).glob(".*.tmp"))),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--processes", type=int, default=20)
    parser.add_argument("--operations", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--keys", type=int, default=6)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(asked.processes, asked.operations, asked.rounds, asked.keys, asked.kills, asked.seed)
    if asked.json:
        print(json.dumps(found, indent=2))
    else:
        processes.print_table([{"what": name, "found": value} for name, value in found.items()])
    sys.exit(not found["holds"])


if __name__ == "__main__":
    main()
