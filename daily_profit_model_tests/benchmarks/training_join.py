"""What joining a training set costs, against a mere scan of the columns that it reads.

Run: python -m daily_profit_model_tests.benchmarks.training_join [--accounts 5000] [--days 120] [--rounds 3] [--json]

A synthetic firm's features/account_daily (the whole catalogue) and raw/metrics_daily lie in a lake. The join is
`training_query` of one cut-off, to Arrow in memory; the scan reads the same columns of the same files to Arrow, with
DuckDB, and joins nothing. Each in a process of its own, in turn; the median of the rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import duckdb
from upath import UPath

from daily_profit_model.engine import run, run_days
from daily_profit_model.features import FEATURES_ACCOUNT_DAILY, account_daily_query, look_back_days
from daily_profit_model.features.trade_daily import FEATURES_TRADE_DAILY, trade_daily_query
from daily_profit_model.features.training_set import training_query
from daily_profit_model.lake import Lake, write
from daily_profit_model.staging.trades import trades_query
from daily_profit_model.tables.raw import RAW_METRICS_DAILY
from daily_profit_model.tables.staging import STAGING_TRADES
from daily_profit_model_tests.benchmarks.large_firm import LAST, LargeFirm
from daily_profit_model_tests.benchmarks.processes import peak_memory, print_table

METRICS = ("date", "account_id", "login", "platform", "broker", "status", "num_trades", "net_profit")


def prepare(lake: Lake, accounts: int, days: int) -> None:
    """The features of the days before the last, and the metrics that settle them."""
    firm = LargeFirm(accounts, accounts * 111 // 100, days + max(look_back_days().values()))
    every, wanted = firm.days(firm.history_days), firm.days(days + 1)
    firm.write_accounts(lake, every)
    firm.write_trades(lake, every)
    firm.write_metrics(lake, wanted)
    for query, table, made in (
        (trades_query(lake), STAGING_TRADES, every),
        (trade_daily_query(), FEATURES_TRADE_DAILY, every),
        (account_daily_query(), FEATURES_ACCOUNT_DAILY, wanted[:-1]),
    ):
        for day, rows in run_days(query, lake, table, made):
            write(lake, table, day, rows, code_version="-")


def join(lake: Lake, days: int) -> int:
    """The training set of the last day as cut-off; its rows."""
    known = lake.partitions(RAW_METRICS_DAILY.name)
    return run(training_query(days, known), lake, [LAST.isoformat()]).num_rows


def scan(lake: Lake, days: int) -> int:
    """Every column that the join reads, as Arrow; the rows of the features."""
    firm = LargeFirm(0, 0, 1)
    wanted = firm.days(days + 1)
    features = [str(lake.file(FEATURES_ACCOUNT_DAILY.name, day)) for day in wanted[:-1]]
    metrics = [str(lake.file(RAW_METRICS_DAILY.name, day)) for day in wanted[1:]]
    with duckdb.connect() as connection:
        rows = connection.sql(f"select * from read_parquet({features})").to_arrow_table().num_rows
        connection.sql(f"select {', '.join(METRICS)} from read_parquet({metrics})").to_arrow_table()
    return rows


WAYS: dict[str, Callable[[Lake, int], int]] = {"scan": scan, "join": join}


def measure(folder: Path, days: int, rounds: int) -> list[dict[str, object]]:
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, runs in found.items():
            runs.append(_in_a_process(way, folder, days))
    base = _middle(found["scan"])
    return [{"way": way, **_middle(runs), "of the scan": _middle(runs)["seconds"] / base["seconds"]}
            for way, runs in found.items()]  # fmt: skip


def _middle(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    seconds = statistics.median_low([run["seconds"] for run in runs])
    return next(run for run in runs if run["seconds"] == seconds)


def _in_a_process(way: str, folder: Path, days: int) -> dict[str, float]:
    command = [sys.executable, "-m", __spec__.name if __spec__ else "", "--run", way]
    done = subprocess.run(
        [*command, "--lake", str(folder), "--days", str(days)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{way} failed: {done.stderr.strip()[-600:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--accounts", type=int, default=5_000)
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--run", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--lake", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.run:
        lake = Lake(UPath(str(asked.lake)))
        started = perf_counter()
        rows = WAYS[asked.run](lake, asked.days)
        print(json.dumps({"rows": rows, "seconds": perf_counter() - started, "peak MiB": peak_memory()}))
        return
    with tempfile.TemporaryDirectory(prefix="dpm-training-join-") as folder:
        prepare(Lake(UPath(folder)), asked.accounts, asked.days)
        found = measure(Path(folder), asked.days, asked.rounds)
    if asked.json:
        print(json.dumps(found, indent=2))
    else:
        print_table(found)


if __name__ == "__main__":
    main()
