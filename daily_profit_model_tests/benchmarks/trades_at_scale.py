"""81 million closed trades over two years: staging, per-day aggregates, and the features of the last 30 days.

Run: python -m daily_profit_model_tests.benchmarks.trades_at_scale [--trades 81000000] [--days 730]
     [--accounts 100000] [--feature-days 30] [--lake FOLDER] [--json]

A synthetic firm's raw partitions are written first and not timed. Then staging/trades and features/trade_daily are
made for every day in a process of their own, lake to lake, with the seconds of each quarter of the days: seconds a
million trades must not grow with what has been done before. features/account_daily of the last days is made in
another process. Memory is each process's peak.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter, process_time

from upath import UPath

from daily_profit_model.engine import Query, run_days
from daily_profit_model.features import FEATURES_ACCOUNT_DAILY, account_daily_query
from daily_profit_model.features.trade_daily import FEATURES_TRADE_DAILY, trade_daily_query
from daily_profit_model.lake import Lake, write
from daily_profit_model.staging.trades import trades_query
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import RAW_TRADES_CLOSED
from daily_profit_model.tables.staging import STAGING_TRADES
from daily_profit_model_tests.benchmarks.large_firm import LargeFirm
from daily_profit_model_tests.benchmarks.processes import peak_memory, print_table

QUARTERS = 4
Row = dict[str, object]


def prepare(lake: Lake, firm: LargeFirm) -> None:
    """The raw trades of the whole history, and the accounts of each of its days."""
    days = firm.days(firm.history_days)
    firm.write_accounts(lake, days)
    firm.write_trades(lake, days)


def make_trades(lake: Lake, days: Sequence[str]) -> list[Row]:
    """staging/trades and features/trade_daily of all days, a quarter of the days after the other."""
    share = -(-len(days) // QUARTERS)
    rows: list[Row] = []
    done = 0
    for first in range(0, len(days), share):
        quarter = days[first : first + share]
        used = process_time()
        staged, staging_seconds = _made(lake, trades_query(lake), STAGING_TRADES, quarter)
        aggregated, aggregate_seconds = _made(lake, trade_daily_query(), FEATURES_TRADE_DAILY, quarter)
        done += staged
        rows.append(
            {
                "step": f"trades of days {first + 1} to {first + len(quarter)}",
                "rows": staged,
                "millions so far": done / 1e6,
                "staging s": staging_seconds,
                "trade_daily s": aggregate_seconds,
                "s a million": (staging_seconds + aggregate_seconds) / staged * 1e6,
                "CPU s a million": (process_time() - used) / staged * 1e6,
                "account-days": aggregated,
                "peak MiB": peak_memory(),
            }
        )
    return rows


def make_features(lake: Lake, days: Sequence[str]) -> list[Row]:
    """The whole catalogue for some days."""
    made, seconds = _made(lake, account_daily_query(), FEATURES_ACCOUNT_DAILY, days)
    row = {"step": f"features of {len(days)} days", "rows": made, "seconds": seconds, "rows a second": made / seconds}
    return [{**row, "peak MiB": peak_memory()}]


def _made(lake: Lake, query: Query, table: Table, days: Sequence[str]) -> tuple[int, float]:
    """Rows and seconds, from the lake to the lake."""
    started = perf_counter()
    rows = sum(write(lake, table, day, made, code_version="-").rows for day, made in run_days(query, lake, table, days))
    return rows, perf_counter() - started


def _in_a_process(step: str, asked: argparse.Namespace, lake: Path) -> list[Row]:
    command = [sys.executable, "-m", __spec__.name if __spec__ else "", "--step", step, "--lake", str(lake)]
    for name in ("trades", "days", "accounts", "feature_days"):
        command += [f"--{name.replace('_', '-')}", str(getattr(asked, name))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{step} failed: {done.stderr.strip()[-600:]}")
    rows: list[Row] = json.loads(done.stdout.splitlines()[-1])
    return rows


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--trades", type=int, default=81_000_000)
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--feature-days", type=int, default=30)
    parser.add_argument("--lake", type=Path, help="kept when given; filled when it is empty (about 10 GB)")
    parser.add_argument("--step", choices=("trades", "features"), help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    firm = LargeFirm(asked.accounts, -(-asked.trades // asked.days), asked.days)
    if asked.step:
        lake = Lake(UPath(str(asked.lake)))
        if asked.step == "trades":
            print(json.dumps(make_trades(lake, firm.days(asked.days))))
        else:
            print(json.dumps(make_features(lake, firm.days(asked.feature_days))))
        return
    with ExitStack() as stack:
        folder = asked.lake or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dpm-trades-")))
        lake = Lake(UPath(str(folder)))
        if not lake.partitions(RAW_TRADES_CLOSED.name):
            prepare(lake, firm)
        found = {step: _in_a_process(step, asked, folder) for step in ("trades", "features")}
        found["size"] = [{"MiB of lake": sum(path.stat().st_size for path in folder.rglob("*.parquet")) / 2**20}]
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    for rows in found.values():
        print_table(rows)
        print()


if __name__ == "__main__":
    main()
