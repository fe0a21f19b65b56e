"""Sixty daily runs against one backfill of the same days, bit for bit, and what each costs.

Run after `dpm demo`: python -m daily_profit_model_tests.benchmarks.backfill_equals_daily [--data-dir data/local]
[--days 60] [--json]. The raw partitions of the demo are copied; staging and features are then made twice, through
Dagster, with checks. Wall seconds of one run each.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from upath import UPath

LAYERS = "staging,features"


def measure(data_dir: Path, days: int) -> dict[str, object]:
    """Make the first `days` days both ways from the raw partitions of `data_dir`."""
    os.environ["DPM_DATA_DIR"] = str(data_dir)
    from daily_profit_model.settings import load_settings

    start = load_settings().dpm_start_date
    last = start + timedelta(days=days - 1)
    hashes, seconds = {}, {}
    with tempfile.TemporaryDirectory() as place:
        for way, spans in (
            ("backfill", [(start, last)]),
            ("daily", [(start + timedelta(days=n),) * 2 for n in range(days)]),
        ):
            folder = Path(place) / way
            shutil.copytree(data_dir / "lake" / "raw", folder / "lake" / "raw", copy_function=os.link)
            shutil.copy(data_dir / "settings.env", folder / "settings.env")
            started = time.monotonic()
            fill(folder, spans)
            seconds[way] = round(time.monotonic() - started, 1)
            hashes[way] = content_hashes(folder)
    different = [name for name in hashes["backfill"] if hashes["daily"].get(name) != hashes["backfill"][name]]
    return {
        "days": days,
        "partitions compared": len(hashes["backfill"]),
        "partitions that differ": len(different),
        **{f"{way} (s)": value for way, value in seconds.items()},
    }


def fill(folder: Path, spans: list[tuple[date, date]]) -> None:
    """Staging and features of each span, a run a span and layer."""
    os.environ["DPM_DATA_DIR"] = str(folder)
    from daily_profit_model.defs.launch.plan import steps_of
    from daily_profit_model.defs.launch.runs import Launcher
    from daily_profit_model.settings import load_settings

    launcher = Launcher(load_settings())
    for first, last in spans:
        for step in steps_of(LAYERS.split(",")):
            launcher.run(launcher.work(step, first, last))


def content_hashes(folder: Path) -> dict[str, str]:
    """Content hash of every partition made, by table and partition."""
    from daily_profit_model.lake import Lake

    lake = Lake(UPath(folder / "lake"))
    found = {}
    for table in ("staging/accounts", "staging/trades", "features/account_daily"):
        for partition in lake.partitions(table):
            file = lake.describe(table, partition)
            found[f"{table}@{partition}"] = file.content_hash if file else ""
    return found


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data-dir", type=Path, default=Path("data/local"))
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = measure(arguments.data_dir.resolve(), arguments.days)
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            print(f"{name:<24} {value}")


if __name__ == "__main__":
    main()
