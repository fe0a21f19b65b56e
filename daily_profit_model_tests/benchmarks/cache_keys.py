"""Does the key of a cached table change with any cell of its inputs, and is it known in milliseconds?

Run: python -m daily_profit_model_tests.benchmarks.cache_keys [--megabytes 1100] [--partitions 16] [--changes 100]
     [--seed 1] [--json]

A table with columns of every kind is written to a lake, so many MB of Parquet files in all. Then single cells are
changed, of a random partition, column and row, every fifth in the last row that can be; the partition is written
anew through the lake, as an asset would (the others stay: an input of a day is a file of a day), and its key is
taken. Before the next change the file is put back, and the key must be the first one again. Exit code 1 when a key
did not change, two changes share a key, or of 50 keys of the unchanged input the median took 10 ms or more, or the
worst one kept a core for so long.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from upath import UPath

from daily_profit_model.cache import CacheKey, input_hashes
from daily_profit_model.lake import Lake, read, write
from daily_profit_model_tests.benchmarks import processes
from daily_profit_model_tests.benchmarks.cell_changes import CELLS, CHANGES, cell_rows, changed_cell

FIRST = date(2026, 3, 1)
KEY_LIMIT_S, KEY_TIMES = 0.01, 50
PROBE_ROWS = 20_000


def measure(megabytes: float, partitions: int, changes: int, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        lake = Lake(UPath(place) / "lake")
        days = [(FIRST + timedelta(days=number)).isoformat() for number in range(partitions)]
        rows = round(megabytes * 1e6 / partitions / bytes_a_row(Path(place)))
        sizes = [
            write(lake, CELLS, day, cell_rows(day, rows, seed + number), code_version="-").bytes
            for number, day in enumerate(days)
        ]
        times = [_timed_key(lake, days) for _ in range(KEY_TIMES)]
        found = keys_after_changes(lake, days, plan(days, changes, seed))
    return {
        "partitions": partitions,
        "rows": rows * partitions,
        "MB of files": sum(sizes) / 1e6,
        "key ms": median(taken for taken, _ in times) * 1e3,
        "worst of 50": max(taken for taken, _ in times) * 1e3,
        "worst of 50, of a core": max(busy for _, busy in times) * 1e3,
        **found,
        "holds": median(taken for taken, _ in times) < KEY_LIMIT_S
        and max(busy for _, busy in times) < KEY_LIMIT_S
        and sum(sizes) >= megabytes * 0.9e6
        and found["keys changed"] == found["distinct keys"] == found["changes"] == changes
        and not found["not the first again"],
    }


def plan(days: Sequence[str], changes: int, seed: int) -> dict[str, list[tuple[str, bool]]]:
    """By partition the changes to make in it, each with whether the last row is wanted; every kind as often."""
    dice = random.Random(seed)
    planned: dict[str, list[tuple[str, bool]]] = {}
    for number in range(changes):
        planned.setdefault(dice.choice(days), []).append((list(CHANGES)[number % len(CHANGES)], number % 5 == 0))
    return planned


def keys_after_changes(
    lake: Lake, days: Sequence[str], planned: Mapping[str, list[tuple[str, bool]]], seed: int = 1
) -> dict[str, Any]:
    """Make each change, take the key, and put the file back."""
    dice = random.Random(seed)
    first = key_of(lake, days)
    keys: list[str] = []
    kinds: Counter[str] = Counter()
    not_again = last_rows = 0
    for day, wanted in planned.items():
        path = Path(str(lake.file(CELLS.name, day)))
        aside = path.parent / "aside"
        shutil.copy2(path, aside)
        rows = read(lake, CELLS, [day])
        for kind, at_the_end in wanted:
            changed, row = changed_cell(rows, kind, dice, at_the_end=at_the_end)
            last_rows += row == rows.num_rows - 1
            write(lake, CELLS, day, changed, code_version="-")
            keys.append(key_of(lake, days))
            kinds[kind] += 1
            shutil.copy2(aside, path.parent / ".again")
            os.replace(path.parent / ".again", path)
            not_again += key_of(lake, days) != first
        aside.unlink()
    return {
        "changes": len(keys),
        "in a last row": last_rows,
        "keys changed": sum(key != first for key in keys),
        "distinct keys": len({*keys} - {first}),
        "not the first again": not_again,
        "by kind": dict(kinds),
    }


def key_of(lake: Lake, days: Sequence[str]) -> str:
    return CacheKey(input_hashes(lake, [(CELLS.name, day) for day in days]), "code", "catalogue", None).digest


def _timed_key(lake: Lake, days: Sequence[str]) -> tuple[float, float]:
    """Seconds by the clock, and of a core: where cores are shared, the clock's worst tells of the others."""
    start, busy = perf_counter(), process_time()
    key_of(lake, days)
    return perf_counter() - start, process_time() - busy


def bytes_a_row(place: Path) -> float:
    """Of a file of many rows."""
    file = write(
        Lake(UPath(place) / "probe"), CELLS, str(FIRST), cell_rows(str(FIRST), PROBE_ROWS, 0), code_version="-"
    )
    return file.bytes / PROBE_ROWS


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--megabytes", type=float, default=1100.0)
    parser.add_argument("--partitions", type=int, default=16)
    parser.add_argument("--changes", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(asked.megabytes, asked.partitions, asked.changes, asked.seed)
    if asked.json:
        print(json.dumps(found, indent=2))
    else:
        kinds = found.pop("by kind")
        processes.print_table([{"what": name, "found": value} for name, value in {**found, **kinds}.items()])
    sys.exit(not found["holds"])


if __name__ == "__main__":
    main()
