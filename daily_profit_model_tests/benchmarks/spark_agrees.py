"""Whether Spark makes of a firm's days what DuckDB makes of them, column by column, and how long each takes.

python -m daily_profit_model_tests.benchmarks.spark_agrees [--accounts 5200] [--days 10] [--json]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

import pyarrow as pa
from upath import UPath

from daily_profit_model.engine import Query, run_days, runner_of
from daily_profit_model.features import FEATURES_ACCOUNT_DAILY
from daily_profit_model.features.compare import compare_days
from daily_profit_model.features.trade_daily import FEATURES_TRADE_DAILY, trade_daily_query
from daily_profit_model.lake import Lake, write
from daily_profit_model.staging.trades import trades_query
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import RAW_TRADES_CLOSED
from daily_profit_model.tables.staging import STAGING_TRADES
from daily_profit_model_tests.benchmarks.feature_speed import LOOK_BACK, TRADES_LOOK_BACK
from daily_profit_model_tests.benchmarks.large_firm import LargeFirm
from daily_profit_model_tests.benchmarks.processes import peak_memory

TABLES = (FEATURES_TRADE_DAILY, FEATURES_ACCOUNT_DAILY)


def prepare(lake: Lake, firm: LargeFirm, days: int) -> None:
    """Everything that both tables of the last `days` days are made from."""
    traded = firm.days(days + TRADES_LOOK_BACK - 1)
    firm.write_accounts(lake, firm.days(days + LOOK_BACK - 1))
    firm.write_trades(lake, traded)
    for query, table in ((trades_query(lake), STAGING_TRADES), (trade_daily_query(), FEATURES_TRADE_DAILY)):
        for day, rows in run_days(query, lake, table, traded):
            write(lake, table, day, rows, code_version="-")


def main() -> int:
    """Print what `dpm features compare` prints; 1 when the engines do not agree."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--accounts", type=int, default=5_200, help="one in fifty is not eligible")
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--lake", type=Path, help="kept when given; filled when it is empty")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    seconds: dict[str, float] = {}

    def timed(query: Query, lake: Lake, table: Table, days: Sequence[str]) -> Iterator[tuple[str, pa.Table]]:
        started = perf_counter()
        yield from spark(query, lake, table, days)
        seconds[table.name] = perf_counter() - started

    spark = runner_of("spark", asked.master)
    firm = LargeFirm(asked.accounts, asked.accounts * 111 // 100, 730)
    with ExitStack() as stack:
        folder = asked.lake or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dpm-spark-")))
        lake = Lake(UPath(str(folder)))
        if not lake.partitions(RAW_TRADES_CLOSED.name):
            prepare(lake, firm, asked.days)
        code = compare_days(lake, timed, firm.days(asked.days), engine="spark", as_json=asked.json)
    if not asked.json:
        for table in TABLES:
            print(f"{table.name}: {seconds[table.name]:.1f} s on Spark, its start included with the first")
        print(f"peak {peak_memory():,.0f} MiB of this process, without Spark's")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
