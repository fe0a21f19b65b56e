"""How fast a day of closed trades goes from loopback HTTP into its Parquet partition, and with how much memory.

Run: python -m daily_profit_model_tests.benchmarks.ingestion_speed [--rows 500000] [--repeats 3]
     [--only ours] [--json]          (uv run --group benchmark, for dlt)

Pages of 1,000 rows with all documented fields, 567 bytes a row, from a server in a process of its own. Each way
runs in a process of its own, in turn with the others; medians. Imports are not timed.
server: pages read and thrown away (what the server can give). floor: requests and JSON decoding alone, on as many
connections as ours. ours: the complete fetch into a partition of a lake, spooling, validation and quarantine
included. dlt: the same pages by its resources and Parquet files, as they are by default.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Any

from daily_profit_model_tests.benchmarks import processes
from daily_profit_model_tests.benchmarks.trade_pages import BLOCK_ROWS

DAY = date(2026, 6, 1)
CONNECTIONS = 4
#: Beyond that the server makes pages when they are asked for, so as not to need the memory.
MOST_RENDERED = 1_000_000


def pages(base_url: str, rows: int, read: Callable[[bytes], Any]) -> Iterator[Any]:
    """`read` of each page's body, on as many connections as the client has."""
    import requests

    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=CONNECTIONS))
    url = f"{base_url}v2/trades/closed?trade-date={DAY:%Y%m%d}&limit={BLOCK_ROWS}&include-total=1"

    def page(skip: int) -> Any:
        with session.get(f"{url}&skip={skip}", stream=True, timeout=60) as answer:
            return read(answer.raw.read())

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        yield from pool.map(page, range(0, rows, BLOCK_ROWS))


def read_and_throw_away(base_url: str, rows: int, folder: Path) -> int:
    return sum(pages(base_url, rows, lambda body: body.count(b'"tradeDate"')))


def floor(base_url: str, rows: int, folder: Path) -> int:
    import orjson

    return sum(pages(base_url, rows, lambda body: len(orjson.loads(body)["Data"]["data"])))


def ours(base_url: str, rows: int, folder: Path) -> int:
    from upath import UPath

    from daily_profit_model.lake import Lake, write_revision
    from daily_profit_model.risk_api import RiskApi, Spools, fetch_days
    from daily_profit_model.settings import configure_logs
    from daily_profit_model.tables.raw import RAW_TRADES_CLOSED, rejects_of

    configure_logs("console")
    lake, stored = Lake(UPath(folder / "lake")), 0
    limit = processes.NO_LIMIT
    with RiskApi(base_url, processes.KEY, rate=limit, burst=limit, connections=CONNECTIONS) as api:
        for day, decoded in fetch_days(api, RAW_TRADES_CLOSED.name, [DAY], Spools(folder / "spool")):
            assert decoded is not None
            parts = ((rejects_of(RAW_TRADES_CLOSED), decoded.quarantined), (RAW_TRADES_CLOSED, decoded.rows))
            for table, part in parts:
                file, _ = write_revision(
                    lake, table, day.isoformat(), part, ingested_at=datetime.now(UTC), code_version="1"
                )
            stored += file.rows
    return stored


def by_dlt(base_url: str, rows: int, folder: Path) -> int:
    import dlt
    import orjson
    import pyarrow.parquet as pq

    def trades() -> Iterator[Any]:
        yield from pages(base_url, rows, lambda body: orjson.loads(body)["Data"]["data"])

    pipeline = dlt.pipeline(
        "trades",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.filesystem(str(folder / "files")),
        dataset_name="raw",
    )
    resource = dlt.resource(trades, name="trades_closed")
    pipeline.run(resource, loader_file_format="parquet")
    return sum(
        pq.read_metadata(path).num_rows for path in (folder / "files" / "raw" / "trades_closed").glob("*.parquet")
    )


WAYS: dict[str, Callable[[str, int, Path], int]] = {
    "server": read_and_throw_away,
    "floor": floor,
    "ours": ours,
    "dlt": by_dlt,
}
IMPORTS = {
    "ours": ("daily_profit_model.risk_api", "daily_profit_model.lake", "daily_profit_model.settings"),
    "dlt": ("dlt", "dlt.destinations", "orjson", "pyarrow.parquet"),
}


def run_here(way: str, base_url: str, rows: int) -> dict[str, float]:
    """One way in this process."""
    for name in ("requests", *IMPORTS.get(way, ())):
        __import__(name)
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        stored = WAYS[way](base_url, rows, Path(folder))
        seconds = time.monotonic() - began
    assert stored == rows, f"{way}: {stored:,} of {rows:,} rows"
    return {"seconds": seconds, "peak_mib": processes.peak_memory()}


def run_apart(way: str, base_url: str, rows: int) -> dict[str, float]:
    """One way in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", __spec__.name, "--way", way, base_url, "--rows", str(rows)]
    # dlt would tell its makers of each run
    done = subprocess.run(
        command,
        env={**os.environ, "RUNTIME__DLTHUB_TELEMETRY": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{way}: {processes.last_line(done.stderr)}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(rows: int, repeats: int, ways: list[str]) -> list[dict[str, Any]]:
    """The ways in turn, `repeats` times; a line each."""
    module = "daily_profit_model_tests.benchmarks.trade_server"
    rendered = ["--rendered"] if rows <= MOST_RENDERED else []
    with processes.serving(module, "--first", DAY, "--rows-a-day", rows, *rendered) as served:
        runs = [(way, run_apart(way, served.base_url, rows)) for _ in range(repeats) for way in ways]
    rate = {way: rows / median(run["seconds"] for name, run in runs if name == way) for way in ways}
    return [
        {
            "way": way,
            "rows": rows,
            "rows/s": round(rate[way]),
            "of floor": round(rate[way] / rate["floor"], 3) if "floor" in rate else "",
            "of dlt": round(rate[way] / rate["dlt"], 1) if "dlt" in rate else "",
            "peak MiB": round(max(run["peak_mib"] for name, run in runs if name == way)),
        }
        for way in ways
    ]


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=WAYS, action="append", help="One way; may be given several times.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--way", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.way:
        print(json.dumps(run_here(*asked.way, asked.rows)))
        return
    found = measure(asked.rows, asked.repeats, asked.only or list(WAYS))
    print(json.dumps(found, indent=2)) if asked.json else processes.print_table(found)


if __name__ == "__main__":
    main()
