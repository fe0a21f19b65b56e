"""Does a collection that runs all the time ever remove an entry that somebody reads or writes?

Run: python -m daily_profit_model_tests.benchmarks.cache_in_use [--processes 6] [--operations 150] [--collectors 2]
     [--keys 5] [--seed 1] [--json]

Processes read and compute a few keys, slowly, while others collect without a pause and with no mercy: every entry
counts as unused for long, every file as dead, and nothing may be kept. Each user looks at its entry before and after
it reads it, and after it wrote it, as long as it holds it: an entry that is gone or another one then was in use when
it was removed. Exit code 1 when that happened, when an answer was wrong or failed, or when the collectors removed
nothing and found nothing in use, so that nothing was tried.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from daily_profit_model.cache import collect, statistics
from daily_profit_model_tests.benchmarks import processes
from daily_profit_model_tests.benchmarks.cache_processes import Task, ended, forking, keys_of, lines_of, live

LIMIT_S = 240.0
PAUSE_S = 0.002
"""Between two collections, so that two cores are left to the others as well."""


def measure(count: int, operations: int, collectors: int, keys: int, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "cache"
        context, known = forking(), keys_of([f"{seed}-{each}" for each in range(keys)])
        collecting = [
            context.Process(target=collect_always, args=(folder, Path(place) / f"collector-{number}"))
            for number in range(collectors)
        ]
        users = [
            context.Process(
                target=live,
                args=(
                    Task(
                        folder, Path(place) / f"user-{number}", known, operations, f"{seed}-{number}", Path(place), True
                    ),
                ),
            )
            for number in range(count)
        ]
        for process in [*collecting, *users]:
            process.start()
        in_time = ended(users, LIMIT_S)
        for process in collecting:
            process.kill()
            process.join()
        said = Counter(what for number in range(count) for what, _ in lines_of(Path(place) / f"user-{number}"))
        collected: Counter[str] = Counter()
        for number in range(collectors):
            for what, counts in lines_of(Path(place) / f"collector-{number}"):
                collected.update({"collections": 1, what: 1, **json.loads(counts)})
        counts_of_calls = statistics.total(folder)
    found = {
        "processes": count,
        "operations": said["right"] + said["wrong"] + said["failed"],
        "computations": said["begun"],
        "hits": counts_of_calls.hits,
        "collections": collected["collections"],
        "entries removed": collected["expired"],
        "found in use": collected["in_use"],
        "removed in use": said["removed"],
        "wrong values": said["wrong"],
        "torn reads": said["damaged"] + said["failed"],
        "collections failed": collected["failed"],
        "stuck": not in_time,
    }
    tried = found["entries removed"] and found["found in use"] and found["hits"]
    wrong = ("removed in use", "wrong values", "torn reads", "collections failed", "stuck")
    found["holds"] = bool(tried) and not any(found[name] for name in wrong) and said["right"] == count * operations
    return found


def collect_always(folder: Path, record: Path) -> None:
    """Collect again and again until killed, and write down what went."""
    later = datetime.now(UTC) + timedelta(days=365)
    with record.open("a", buffering=1, encoding="utf-8") as stream:
        while True:
            try:
                done = collect(folder, now=later, retention=timedelta(0), max_bytes=0)
            except Exception as error:  # counted, whatever it is
                stream.write(f"failed {json.dumps({})}\n")
                print(f"a collection failed: {type(error).__name__}: {error}", file=sys.stderr)
            else:
                counts = {name: value for name, value in asdict(done).items() if name in ("expired", "in_use")}
                stream.write(f"done {json.dumps(counts)}\n")
            time.sleep(PAUSE_S)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--processes", type=int, default=6)
    parser.add_argument("--operations", type=int, default=150)
    parser.add_argument("--collectors", type=int, default=2)
    parser.add_argument("--keys", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(asked.processes, asked.operations, asked.collectors, asked.keys, asked.seed)
    if asked.json:
        print(json.dumps(found, indent=2))
    else:
        processes.print_table([{"what": name, "found": value} for name, value in found.items()])
    sys.exit(not found["holds"])


if __name__ == "__main__":
    main()
