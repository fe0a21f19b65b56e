"""How fast features are made, lake to lake: ours, Polars, pandas and the floor of reading and writing alone.

Run: python -m daily_profit_model_tests.benchmarks.feature_speed [--accounts 100000] [--days 60] [--rounds 1]
     [--variants floor,ours,polars,pandas,catalogue,one_day,…] [--lake FOLDER] [--json]

`floor`, `ours`, `polars` and `pandas` make the same features of the performance and memory families: those that a
rolling function of the libraries gives. The floor reads what ours reads and writes as much as ours writes. pandas is
given a twentieth of the accounts, Polars a fifth at a time (all at once do not fit into memory). `catalogue` makes
all features, `one_day` those of the last day alone, `one_day_30` and `one_day_15` the same from a half and a quarter of
the look-back (for growth with accounts, run it with other --accounts). Every variant runs in a process of its own;
memory is its peak. Polars comes with `uv sync --group benchmark`.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import perf_counter

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from upath import UPath

from daily_profit_model.engine import run_days
from daily_profit_model.features import CATALOGUE, FEATURES_ACCOUNT_DAILY, account_daily_query
from daily_profit_model.features.catalogue import IDENTITY
from daily_profit_model.features.feature import Feature
from daily_profit_model.features.trade_daily import FEATURES_TRADE_DAILY, trade_daily_query
from daily_profit_model.lake import Lake, read, write
from daily_profit_model.staging.trades import trades_query
from daily_profit_model.tables import Table
from daily_profit_model.tables.staging import STAGING_ACCOUNTS, STAGING_TRADES
from daily_profit_model_tests.benchmarks.large_firm import LAST, LargeFirm
from daily_profit_model_tests.benchmarks.rolling_features import pandas_features, polars_features

LOOK_BACK = 60
TRADES_LOOK_BACK = 20
INPUTS = ["account_id", "date", "net_profit", "has_traded", "starting_balance", "is_eligible"]
_NOT_ROLLING = ("max_drawdown", "ewm_", "streak", "profit_scale")

Found = dict[str, float]


def compared() -> list[Feature]:
    """The features that every variant makes."""
    families = [feature for feature in CATALOGUE if feature.family in ("performance", "memory")]
    return [feature for feature in families if not any(part in feature.name for part in _NOT_ROLLING)]


def prepare(lake: Lake, accounts: int, days: int) -> None:
    """Everything that features are made from, unless it is there."""
    firm = LargeFirm(accounts, accounts * 111 // 100, 730)
    if _sample(lake).exists():
        return
    firm.write_accounts(lake, firm.days(days + LOOK_BACK - 1))
    traded = firm.days(days + TRADES_LOOK_BACK - 1)
    firm.write_trades(lake, traded)
    for query, table in ((trades_query(lake), STAGING_TRADES), (trade_daily_query(), FEATURES_TRADE_DAILY)):
        for day, rows in run_days(query, lake, table, traded):
            write(lake, table, day, rows, code_version="-")
    ((_, rows),) = run_days(account_daily_query(compared()), lake, _table(compared()), firm.days(1))
    pq.write_table(rows.sort_by("account_id"), _sample(lake))


def _made(lake: Lake, target: Lake, features: Sequence[Feature], days: Sequence[str]) -> int:
    table = _table(features)
    query = account_daily_query(features)
    made = 0
    for day, rows in run_days(query, lake, table, days):
        made += write(target, table, day, rows, code_version="-").rows
    return made


def _table(features: Sequence[Feature]) -> Table:
    columns = (*IDENTITY, *(feature.column() for feature in features))
    return Table(FEATURES_ACCOUNT_DAILY.name, "", ("date", "account_id"), columns)


def floor(lake: Lake, target: Lake, days: Sequence[str], inputs: Sequence[str]) -> int:
    """Reads every input once, and writes the rows of one day of ours as a file for every day."""
    for day in inputs:
        read(lake, STAGING_ACCOUNTS, [day], columns=[*INPUTS, "login", "plan_id", "first_seen_date"])
    made = pq.read_table(_sample(lake))
    for day in days:
        path = Path(str(target.root)) / f"{day}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(made, path, compression="zstd", use_dictionary=["account_id", "login", "plan_id"])
    return made.num_rows * len(days)


def _sample(lake: Lake) -> Path:
    return Path(str(lake.root)) / "one_day_of_the_compared_features.parquet"


def polars(lake: Lake, target: Lake, days: Sequence[str], inputs: Sequence[str]) -> int:
    import polars as pl

    files = [str(lake.file(STAGING_ACCOUNTS.name, day)) for day in inputs]
    names = pl.scan_parquet(files, hive_partitioning=True).select("account_id").unique().collect().to_series().sort()
    share = math.ceil(len(names) / 5)
    made = 0
    for nth in range(5):
        part = names[nth * share : (nth + 1) * share]
        rows = (
            pl.scan_parquet(files, hive_partitioning=True)
            .select([*INPUTS, "login", "plan_id"])
            .filter(pl.col("account_id").is_between(pl.lit(part[0]), pl.lit(part[-1])))
            .with_columns(pl.col("date").cast(pl.Date))
            .collect()
            .sort("account_id", "date")
        )
        rows = polars_features(pl, rows)
        for day in days:
            own = rows.filter(pl.col("date") == date.fromisoformat(day))
            path = Path(str(target.root)) / f"date={day}" / f"{nth}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            own.write_parquet(path, compression="zstd")
            made += own.height
    return made


def pandas(lake: Lake, target: Lake, days: Sequence[str], inputs: Sequence[str]) -> int:
    names = read(lake, STAGING_ACCOUNTS, days[-1:], columns=["account_id"])["account_id"].to_pylist()
    part = pa.array(names[: len(names) // 20])

    read_columns = [*INPUTS, "login", "plan_id"]
    tables = [read(lake, STAGING_ACCOUNTS, [day], columns=read_columns) for day in inputs]
    found = pa.concat_tables(table.filter(pc.is_in(table["account_id"], part)) for table in tables)
    frame = found.to_pandas(date_as_object=False).sort_values(["account_id", "date"], ignore_index=True)
    made = pandas_features(frame)
    rows = 0
    for day in days:
        own = made[(made["date"] == day) & made["is_eligible"]]
        path = Path(str(target.root)) / f"{day}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        own.to_parquet(path, compression="zstd")
        rows += len(own)
    return rows


@dataclass(frozen=True)
class _Young(Lake):
    """A lake whose history begins with the day `first`."""

    first: str

    def partitions(self, table: str) -> list[str]:
        return [one for one in super().partitions(table) if one >= self.first]

    def files(self, table: str, partition: str) -> list[UPath]:
        return super().files(table, partition) if partition >= self.first else []


def _one_day(look_back: int) -> Callable[[Lake, Lake, Sequence[str], Sequence[str]], int]:
    """All features of the last day, from so many days of history."""

    def make(lake: Lake, target: Lake, days: Sequence[str], inputs: Sequence[str]) -> int:
        return _made(_Young(lake.root, inputs[-look_back]), target, CATALOGUE, days[-1:])

    return make


VARIANTS: dict[str, Callable[[Lake, Lake, Sequence[str], Sequence[str]], int]] = {
    "floor": floor,
    "ours": lambda lake, target, days, _: _made(lake, target, compared(), days),
    "polars": polars,
    "pandas": pandas,
    "catalogue": lambda lake, target, days, _: _made(lake, target, CATALOGUE, days),
    "one_day": _one_day(LOOK_BACK),
    "one_day_30": _one_day(LOOK_BACK // 2),
    "one_day_15": _one_day(LOOK_BACK // 4),
}


def run_variant(variant: str, lake: Lake, days: int) -> Found:
    """One variant in this process: account-days made, seconds and peak memory in MiB."""
    firm = LargeFirm(0, 0, 730)
    with tempfile.TemporaryDirectory() as target:
        started = perf_counter()
        made = VARIANTS[variant](lake, Lake(UPath(target)), firm.days(days), firm.days(days + LOOK_BACK - 1))
        seconds = perf_counter() - started
        written = sum(path.stat().st_size for path in Path(target).rglob("*.parquet")) / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"account_days": made, "seconds": seconds, "rate": made / seconds, "peak_mib": peak, "written_mib": written}


def _in_a_process(variant: str, lake: Path, days: int) -> Found:
    command = [sys.executable, "-m", __spec__.name if __spec__ else "", "--run", variant]
    done = subprocess.run(
        [*command, "--lake", str(lake), "--days", str(days)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{variant} failed: {done.stderr.strip()[-600:]}")
    found: Found = json.loads(done.stdout.splitlines()[-1])
    return found


def _rounds(variants: Sequence[str], lake: Path, days: int, rounds: int) -> Iterator[tuple[str, Found]]:
    """The round with the median rate of each variant; variants in turn, so that slow minutes meet them all."""
    found: dict[str, list[Found]] = {variant: [] for variant in variants}
    for _ in range(rounds):
        for variant in variants:
            found[variant].append(_in_a_process(variant, lake, days))
    for variant, runs in found.items():
        middle = statistics.median_low([run["rate"] for run in runs])
        yield variant, next(run for run in runs if run["rate"] == middle)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--variants", default=",".join(VARIANTS))
    parser.add_argument("--lake", type=Path, default=None, help="kept when given; filled when it is empty")
    parser.add_argument("--run", choices=VARIANTS, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.run:
        print(json.dumps(run_variant(asked.run, Lake(UPath(str(asked.lake))), asked.days)))
        return
    folder = asked.lake or Path(tempfile.mkdtemp(prefix="dpm-feature-speed-"))
    try:
        prepare(Lake(UPath(str(folder))), asked.accounts, asked.days)
        figures = dict(_rounds(asked.variants.split(","), folder, asked.days, asked.rounds))
    finally:
        if asked.lake is None:
            shutil.rmtree(folder, ignore_errors=True)
    if asked.json:
        print(json.dumps({"last_day": LAST.isoformat(), "features": len(compared()), **figures}, indent=2))
        return
    print(f"{len(compared())} features compared, {len(CATALOGUE)} in the catalogue; {asked.accounts:,} accounts")
    print(
        f"{'variant':<12}{'account-days':>14}{'seconds':>10}{'a second':>12}{'of floor':>10}{'peak MiB':>10}{'MiB out':>9}"
    )
    base = figures.get("floor", {}).get("rate")
    for variant, run in figures.items():
        share = f"{run['rate'] / base:.2f}" if base else ""
        print(
            f"{variant:<12}{run['account_days']:>14,.0f}{run['seconds']:>10.1f}{run['rate']:>12,.0f}{share:>10}"
            f"{run['peak_mib']:>10,.0f}{run['written_mib']:>9,.0f}"
        )


if __name__ == "__main__":
    main()
