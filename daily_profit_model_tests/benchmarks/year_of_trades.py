"""A year of closed trades from the sandbox as one backfill through Dagster: time, memory, disk, and what is missing.

Run: python -m daily_profit_model_tests.benchmarks.year_of_trades [--accounts 3000] [--days 365] [--json]

About 30,000 trades close a day at 3,000 accounts. The sandbox runs in a process of its own without a rate limit; its
world is generated before and not timed. `dpm ingest trades closed` fills the days; its peak memory is VmHWM. A
partition is incomplete when it is missing, or when its rows with the quarantined ones and those of test accounts are
not as many as the world holds. Exit code 1 when there is one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import requests
from upath import UPath

from daily_profit_model.lake import Lake
from daily_profit_model.tables.raw import RAW_TRADES_CLOSED
from daily_profit_model_tests.benchmarks import processes

WATCH_EVERY_S = 0.2


def measure(accounts: int, days: int, place: Path) -> dict[str, Any]:
    """Generate the world in `place`, ingest it, and look at what is there."""
    end = datetime.now(UTC).date() - timedelta(days=1)
    start = end - timedelta(days=days - 1)
    began = time.monotonic()
    with processes.sandbox(place / "world", accounts, days, end=end) as served:
        # `dpm` begins with a question about all-time metrics, which for a year take the sandbox minutes the first time
        answer = requests.get(
            f"{served.base_url}v2/metrics/alltime", {"limit": 1}, headers={"apiKey": processes.KEY}, timeout=3600
        )
        answer.raise_for_status()
        prepared = time.monotonic() - began
        variables = processes.environment(served, place / "data", start.isoformat())
        seconds, client_mib = watched(variables, "ingest", "trades", "closed", "--json")
        asked = sum("/trades/closed" in target for _, target, _ in served.told("requests"))
        server_mib = processes.peak_memory(served.process.pid)
    lake = Lake(UPath(place / "data" / "lake"))
    truth = trades_by_day(place / "world")
    kept = {day: rows_kept(lake, day) for day in (start + timedelta(days=number) for number in range(days))}
    rows = sum(count or 0 for count in kept.values())
    return {
        "days": days,
        "rows": rows,
        "requests": asked,
        "seconds": round(seconds),
        "rows/s": round(rows / seconds),
        "peak MiB": round(client_mib),
        "lake MiB": size_of(place / "data" / "lake"),
        "data folder MiB": size_of(place / "data"),
        "incomplete partitions": sum(count != truth.get(day, 0) for day, count in kept.items()),
        "server MiB": round(server_mib),
        "world (s)": round(prepared),
    }


def watched(variables: Mapping[str, str], *words: str) -> tuple[float, float]:
    """Seconds and peak memory (MiB) of `dpm`. Raises RuntimeError when it fails."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            processes.dpm_command(*words), env=dict(variables), stdout=subprocess.DEVNULL, stderr=said
        )
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, processes.peak_memory(process.pid))
            time.sleep(WATCH_EVERY_S)
        said.seek(0)
        if process.returncode:
            raise RuntimeError(f"dpm ended with {process.returncode}: {processes.last_line(said.read())}")
    return time.monotonic() - began, peak


def trades_by_day(world: Path) -> dict[date, int]:
    """Closed trades of each day of a world."""
    days = pq.read_table(world / "trades.parquet", columns=["day"])["day"]
    counts = pc.value_counts(days.combine_chunks()).to_pylist()
    return {date(1970, 1, 1) + timedelta(days=each["values"]): each["counts"] for each in counts}


def rows_kept(lake: Lake, day: date) -> int | None:
    """Rows stored, quarantined and of test accounts, as the partition's footer has them; None: no partition."""
    file = lake.describe(RAW_TRADES_CLOSED.name, day.isoformat(), "newest")
    if file is None:
        return None
    others = ("quarantined", "test_accounts")
    return file.rows + sum(int(str(file.facts.get(name, 0))) for name in others)


def size_of(folder: Path) -> int:
    """MiB of all files below."""
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20)


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--accounts", type=int, default=3000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        found = measure(asked.accounts, asked.days, Path(place))
    if asked.json:
        print(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            print(f"{name:<24} {value:,}")
    sys.exit(found["incomplete partitions"] > 0)


if __name__ == "__main__":
    main()
