"""Is what is stored what the service has, whatever goes wrong on the way? A firm with every fault, by seed.

Run: python -m daily_profit_model_tests.benchmarks.exact_under_faults [--seeds 20] [--first-seed 1]
     [--accounts 400] [--days 30] [--json]

For each seed a sandbox with `FaultPlan.random(seed)` in a process of its own, a fresh data folder, and
`dpm run --stages raw` with a time-out of 1 s. Then every row and column of the raw tables is compared with the
truth, and raw/quarantine with what was planted. Exit code 1 when anything differs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from upath import UPath

from daily_profit_model.lake import Lake, read
from daily_profit_model.sandbox.faults.plan import FaultPlan
from daily_profit_model.sandbox.faults.truth import Truth
from daily_profit_model.sandbox.world import load
from daily_profit_model.tables.contract import Table
from daily_profit_model.tables.raw import RAW_ACCOUNTS, RAW_QUARANTINE
from daily_profit_model_tests.benchmarks import processes
from daily_profit_model_tests.sandbox.expected import (
    ENDPOINTS,
    differing_rows,
    differing_values,
    expected_rejects,
    expected_rows,
    stored_rejects,
)

TIME_OUT_S = 1.0
#: A run that a fault ends is started again, as a person would; each start counts.
MOST_RUNS = 5


def measure(seed: int, accounts: int, days: int) -> dict[str, Any]:
    """One seed: ingest through the faults, then compare."""
    end = datetime.now(UTC).date() - timedelta(days=1)
    start = end - timedelta(days=days - 1)
    with tempfile.TemporaryDirectory() as place:
        world = Path(place) / "world"
        with processes.sandbox(world, accounts, days, seed=seed, end=end, faults=seed) as served:
            variables = processes.environment(
                served,
                Path(place) / "data",
                start.isoformat(),
                risk_api_timeout=TIME_OUT_S,
                dpm_plans_dir=world / "plans",
                regimes_source=f"{served.root}/regimes",
            )
            began = time.monotonic()
            is_done, said = ingest(variables, start, end)
            seconds = time.monotonic() - began
            faults, asked = served.told("faults"), served.told("requests")
        lake = Lake(UPath(place) / "data" / "lake")
        truth = Truth(load(world), FaultPlan.random(seed))
        found: Counter[str] = Counter()
        remarks: list[str] = []
        for number in range(days if is_done else 0):
            compare(lake, truth, start + timedelta(days=number), found, remarks)
    return {
        "seed": seed,
        "seconds": round(seconds, 1),
        "runs": len(said) + is_done,
        "requests": sum("/external/" in target for _, target, _ in asked),
        "faults": sum(faults.values()),
        "rows": found["rows"],
        "differing rows": found["differing"] if is_done else None,
        "planted": found["planted"],
        "quarantined": found["quarantined"],
        "of them planted": found["agreeing"],
        "test rows": found["tests"],
        "counted": found["tests counted"],
        "more than one revision": found["revisions"],
        "exact": is_done and not remarks,
        "by kind": dict(sorted(faults.items())),
        "remarks": [*(f"a run failed: {each}" for each in said), *remarks],
    }


def ingest(variables: dict[str, str], start: date, end: date) -> tuple[bool, list[str]]:
    """Whether `dpm run` came to its end, and what the runs said that did not."""
    words = ("run", "--stages", "raw", "--start-date", start.isoformat(), "--end-date", end.isoformat())
    said: list[str] = []
    while len(said) < MOST_RUNS:
        done = processes.dpm(variables, *words)
        if done.returncode == 0:
            return True, said
        said.append(processes.last_line(done.stderr))
    return False, said


def compare(lake: Lake, truth: Truth, day: date, found: Counter[str], remarks: list[str]) -> None:
    """All raw tables of one day against the truth; counts go to `found`, differences in words to `remarks`."""
    rejected = read(lake, RAW_QUARANTINE, [day.isoformat()])
    for table, endpoint in ENDPOINTS.items():
        of_day = truth.of_day(endpoint, day)
        file = lake.describe(table.name, day.isoformat(), "newest")
        if file is None:
            found["differing"] += len(of_day.stored)
            remarks.append(f"{table.name} {day}: no partition")
            continue
        stored = read(lake, table, [day.isoformat()], as_known="newest")
        expected = expected_rows(table, of_day, day, is_live=_says_live(table, stored))
        differing = differing_rows(stored, expected)
        kept, planted = stored_rejects(rejected, table), expected_rejects(of_day)
        tests = int(str(file.facts.get("test_accounts", 0)))
        found["rows"] += stored.num_rows
        found["differing"] += differing
        found["planted"] += planted.total()
        found["quarantined"] += kept.total()
        found["agreeing"] += (kept & planted).total()
        found["tests"] += of_day.tests
        found["tests counted"] += tests
        found["revisions"] += len(lake.files(table.name, day.isoformat())) > 1
        if differing or kept != planted or tests != of_day.tests:
            remarks.append(
                f"{table.name} {day}: {differing} rows differ {differing_values(stored, expected, table.key)}; "
                f"planted and not kept {_reasons(planted - kept)}, kept and not planted {_reasons(kept - planted)}; "
                f"{tests} rows of test accounts counted of {of_day.tests}"
            )


def _says_live(table: Table, stored: pa.Table) -> bool:
    """Whether raw/accounts was filled while the day was the newest one, which depends on when the benchmark runs."""
    return table is RAW_ACCOUNTS and bool(stored.num_rows) and all(stored["is_live"].to_pylist())


def _reasons(rejects: Counter[tuple[str, str]]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for (reason, _), count in rejects.items():
        counts[reason] += count
    return dict(counts)


def main() -> None:
    """Print a line a seed, or JSON of all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--accounts", type=int, default=400)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = []
    for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
        found.append(measure(seed, asked.accounts, asked.days))
        if not asked.json:
            shown = {name: value for name, value in found[-1].items() if name not in ("by kind", "remarks")}
            processes.print_table([shown])
            print(f"      {found[-1]['by kind']}")
            for remark in found[-1]["remarks"]:
                print(f"      {remark}")
            sys.stdout.flush()
    exact = sum(each["exact"] for each in found)
    print(json.dumps(found, indent=2) if asked.json else f"{exact} of {len(found)} seeds exact")
    sys.exit(exact < len(found))


if __name__ == "__main__":
    main()
