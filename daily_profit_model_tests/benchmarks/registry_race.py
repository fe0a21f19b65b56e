"""Do many processes that promote different versions at the same moment leave one champion and a complete history?

Run: python -m daily_profit_model_tests.benchmarks.registry_race [--processes 50] [--rounds 10] [--kills 10]
     [--seed 1] [--json]

Each process promotes a version of its own as `dpm models promote` does: its bundle is loaded and checked, then the
act is written. In every round all of them are let go at once, in three ways:
  expecting   all expect the champion of before: exactly one may promote, the others must be told who was faster
  in a chain  nobody expects anything: all promote, each act knowing the one before it
  killed      as in a chain, while kill -9 ends some of them at moments that the seed draws; nothing of them may
              block the others, and an act is there whole or not at all
After each round the acts must be numbered without a gap, each must name the version before it, the champion must be
the last act's, and a fresh process must be able to act next. Exit code 1 when any of that does not hold.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from upath import UPath

from daily_profit_model.defs.launch import acts as launch_acts
from daily_profit_model.defs.models.deployments import with_bundle
from daily_profit_model.defs.models.registry import acts, champion_of, record
from daily_profit_model.lake import Lake
from daily_profit_model.modeling.acts import ActRefused, Wish
from daily_profit_model.modeling.bundle import save
from daily_profit_model_tests.benchmarks import processes
from daily_profit_model_tests.defs import small_versions
from daily_profit_model_tests.defs.small_versions import FIRST_CUTOFF, register, small_model

WAYS = ("expecting", "in a chain", "killed")
LONGEST_ROUND_S = 300.0
KILL_WITHIN_S = 1.0
"""Kills fall at moments up to then after the start, when most processes are still acting."""
DAY = FIRST_CUTOFF + timedelta(days=30)


@dataclass(frozen=True)
class Task:
    """What one process does as soon as `go` is there; its line in `record` is its answer."""

    root: Path
    models: Path
    version: str
    expected: str | None
    record: Path
    go: Path


@dataclass
class Round:
    """What the processes of a round said, and what is left in the lake."""

    way: str
    said: dict[str, str] = field(default_factory=dict)
    """Version → `act N`, or why it was refused; killed ones may have said nothing."""
    killed: set[str] = field(default_factory=set)
    stuck: int = 0
    seconds: float = 0.0
    made: Sequence[dict[str, Any]] = ()
    first_champion: str = ""
    champion: str = ""
    next_number: int = 0


def measure(count: int, rounds: int, kills: int, seed: int) -> list[dict[str, Any]]:
    """All rounds of all ways, each way in a lake of its own."""
    context = forking()
    found = []
    with tempfile.TemporaryDirectory() as place:
        models = Path(place) / "models"
        later = FIRST_CUTOFF + timedelta(weeks=1)
        versions = [save(small_model(number, later), models).name for number in range(1, count + 2)]
        for way in WAYS:
            dice = random.Random(f"{seed}-{way}")
            done = []
            for number in range(rounds):
                root = Path(place) / f"{way.replace(' ', '-')}-{number}"
                first = register(Lake(UPath(root / "lake")), models, small_model(0, FIRST_CUTOFF))
                killed = kills if way == "killed" else 0
                done.append(one_round(context, root, models, way, first, versions, killed, dice))
            found.append(figures(way, count, done))
    return found


def one_round(
    context: Any,
    root: Path,
    models: Path,
    way: str,
    first: str,
    versions: Sequence[str],
    kills: int,
    dice: random.Random,
) -> Round:
    """Let all go at once, kill some, wait for the rest, and look at the lake; the last version acts afterwards."""
    lake, go, done = Lake(UPath(root / "lake")), root / "go", Round(way, first_champion=first)
    *racing, last = versions
    running = {}
    for version in racing:
        task = Task(root, models, version, first if way == "expecting" else None, root / f"said-{version}", go)
        running[version] = context.Process(target=promote_one, args=(task,))
        running[version].start()
    while len(list(root.glob("said-*.ready"))) < len(racing) and all(map(BaseProcess.is_alive, running.values())):
        time.sleep(0.05)
    go.touch()
    began = time.monotonic()
    for moment in sorted(dice.uniform(0.0, KILL_WITHIN_S) for _ in range(kills)):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        alive = [version for version, process in running.items() if process.is_alive()]
        if alive:
            victim = dice.choice(alive)
            running[victim].kill()
            done.killed.add(victim)
    for process in running.values():
        process.join(max(0.0, began + LONGEST_ROUND_S - time.monotonic()))
        if process.is_alive():
            done.stuck += 1
            process.kill()
            process.join()
    done.seconds = time.monotonic() - began
    for version in racing:
        if (said := root / f"said-{version}").exists():
            done.said[version] = said.read_text(encoding="utf-8")
    done.made = acts(lake).to_pylist()
    done.champion = champion_of(lake, DAY).version
    done.next_number = act(root, models, last, None)["number"]
    return done


def promote_one(task: Task) -> None:
    """The life of one process."""
    task.record.with_name(f"{task.record.name}.ready").touch()
    while not task.go.exists():
        time.sleep(0.02)
    try:
        said = f"act {act(task.root, task.models, task.version, task.expected)['number']}"
    except ActRefused as refused:
        said = str(refused)
    except Exception as error:
        said = f"failed: {type(error).__name__} {error}"
    task.record.write_text(said, encoding="utf-8")


def act(root: Path, models: Path, version: str, expected: str | None) -> dict[str, Any]:
    """What `dpm models promote` does, but for telling the UI."""
    lake = Lake(UPath(root / "lake"))
    wish = Wish("champion", version, "race", f"author of {version}", in_force_from=DAY, expected=expected)
    return record(lake, with_bundle(lake, models, wish))


def figures(way: str, count: int, rounds: Sequence[Round]) -> dict[str, Any]:
    """The sums over all rounds of one way, and whether all of them hold."""
    total: Counter[str] = Counter()
    for done in rounds:
        total.update(judged(done))
    return {
        "way": way,
        "processes": count,
        "rounds": len(rounds),
        "acts": total["acts"],
        "refused": total["refused"],
        "killed": total["killed"],
        "killed after their act": total["killed after their act"],
        "failed": total["failed"],
        "gaps": total["gaps"],
        "broken chains": total["broken chains"],
        "wrong champions": total["wrong champions"],
        "acts lost": total["acts lost"],
        "stuck": total["stuck"],
        "longest s": max((done.seconds for done in rounds), default=0.0),
        "holds": not any(total[name] for name in WRONG) and all(_as_promised(done) for done in rounds),
    }


WRONG = ("failed", "gaps", "broken chains", "wrong champions", "acts lost", "stuck")


def judged(done: Round) -> Counter[str]:
    """The counts of one round."""
    made = done.made
    numbers = [row["number"] for row in made]
    before = [done.first_champion, *(row["version"] for row in made)]
    promoted = {version for version, said in done.said.items() if said.startswith("act ")}
    written = {row["version"] for row in made}
    return Counter(
        {
            "acts": len(made),
            "refused": sum("nothing was changed" in said for said in done.said.values()),
            "killed": len(done.killed),
            "killed after their act": len(done.killed & written),
            "failed": sum(said.startswith("failed") for said in done.said.values()),
            "gaps": int(numbers != list(range(1, len(numbers) + 1)) or done.next_number != len(numbers) + 1),
            "broken chains": sum(row["previous_version"] != name for row, name in zip(made, before)),
            "wrong champions": int(done.champion != before[-1]),
            "acts lost": len(promoted - written) + len(written - promoted - done.killed),
            "stuck": done.stuck,
        }
    )


def _as_promised(done: Round) -> bool:
    """One winner where all expected the same; everybody who was not killed where nobody did."""
    if done.way != "expecting":
        return len(done.made) >= len(done.said)
    if len(done.made) != 1:
        return False
    winner = done.made[0]
    by = f"but {winner['version']} is, by act {winner['number']} of {winner['author']}"
    others = [said for version, said in done.said.items() if version != winner["version"]]
    return all(by in said and said.endswith("nothing was changed") for said in others)


def forking() -> Any:
    """Where processes are started: forked from one that has imported everything and runs no thread."""
    context = multiprocessing.get_context("forkserver")
    # a child runs this text again: what that imports is there already, and so is what pyarrow imports when used
    context.set_forkserver_preload([launch_acts.__name__, small_versions.__name__, processes.__name__, "pandas"])
    return context


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--processes", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(asked.processes, asked.rounds, asked.kills, asked.seed)
    if asked.json:
        print(json.dumps(found, indent=2))
    else:
        processes.print_table(found)
    sys.exit(not all(way["holds"] for way in found))


if __name__ == "__main__":
    main()
