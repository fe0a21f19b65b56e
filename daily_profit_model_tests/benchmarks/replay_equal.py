"""Can every past prediction be made again, to the last bit, from lake and models alone?

Run after `dpm demo`: python -m daily_profit_model_tests.benchmarks.replay_equal [--data-dir data/local]
     [--predictions 10000] [--code .] [--json]

The newest served days that hold so many predictions are copied into an empty folder: of the lake their snapshots,
calibrations and predictions, and the models; no Dagster storage, no features, no scores. `dpm replay` then runs
there as a process of its own, with the code of `--code` (another checkout of this repository: a fresh clone, say).
Wall seconds of that process, its start and the reading of the bundles included. Exit code 1 when any cell of any
row differs or a day cannot be replayed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from upath import UPath

from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.lake import Lake
from daily_profit_model.modeling.contracts import MONITORING_INTERVAL_CALIBRATION
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model_tests.benchmarks.processes import dpm_command, last_line, print_table

NEEDED = (FEATURE_SNAPSHOTS, MONITORING_INTERVAL_CALIBRATION, PREDICTIONS_ACCOUNT_DAILY)
REPOSITORY = Path(__file__).parents[2]


def measure(data_dir: Path, predictions: int, code: Path) -> dict[str, Any]:
    """Replay at least so many predictions of `data_dir` (all, when there are fewer) in a copy of what they need."""
    lake = Lake(UPath(data_dir / "lake"))
    days = newest_days(lake, predictions)
    if not days:
        raise SystemExit(f"there are no predictions in {lake.root}: dpm demo")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "data"
        copy_needed(lake, data_dir / "models", days, folder)
        started = time.monotonic()
        done = replayed(folder, days, code)
        seconds = time.monotonic() - started
    told = json.loads(done.stdout) if done.stdout.strip() else {"ok": False, "days": [], "predictions": 0, "equal": 0}
    found = {
        "days": len(days),
        "predictions": told["predictions"],
        "equal": told["equal"],
        "cells that differ": sum(len(day["differences"]) for day in told["days"]),
        "days not replayed": sum(day["missing"] is not None for day in told["days"]),
        "models": len({row["model_version"] for row in models_of(lake, days)}),
        "served by other code": sum(day["served_by"] != [day["replayed_by"]] for day in told["days"]),
        "seconds": round(seconds, 1),
        "predictions a second": round(told["predictions"] / seconds),
        "holds": bool(told["ok"]) and done.returncode == 0,
    }
    if not found["holds"]:
        reasons = [day["missing"] for day in told["days"] if day["missing"]]
        found["said"] = reasons[0] if reasons else last_line(done.stderr)
    return found


def newest_days(lake: Lake, predictions: int) -> list[str]:
    """The newest served days that together hold at least so many predictions, ascending."""
    chosen: list[str] = []
    count = 0
    for day in reversed(lake.partitions(PREDICTIONS_ACCOUNT_DAILY.name)):
        if count >= predictions:
            break
        file = lake.describe(PREDICTIONS_ACCOUNT_DAILY.name, day)
        count += file.rows if file is not None else 0
        chosen.append(day)
    return chosen[::-1]


def models_of(lake: Lake, days: list[str]) -> list[dict[str, Any]]:
    from daily_profit_model.lake import read

    rows: list[dict[str, Any]] = read(lake, PREDICTIONS_ACCOUNT_DAILY, days, columns=["model_version"]).to_pylist()
    return rows


def copy_needed(lake: Lake, models: Path, days: list[str], folder: Path) -> None:
    """Copy what a replay of the days needs, and nothing else."""
    for table in NEEDED:
        for day in days:
            source = lake.partition_folder(table.name, day)
            shutil.copytree(Path(str(source)), folder / "lake" / table.name / source.name)
    shutil.copytree(models, folder / "models")


def replayed(folder: Path, days: list[str], code: Path) -> subprocess.CompletedProcess[str]:
    """`dpm replay --json` of the days in `folder`, with the code of another folder."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("DPM_", "RISK_API_", "DAGSTER_"))}
    asked = [word for day in days for word in ("--date", day)]
    return subprocess.run(
        dpm_command("replay", *asked, "--json"),
        env=own | {"DPM_DATA_DIR": str(folder), "PYTHONPATH": str(code)},
        cwd=code,
        capture_output=True,
        text=True,
        check=False,
    )


def main() -> None:
    """Print the figures, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data-dir", type=Path, default=Path("data/local"))
    parser.add_argument("--predictions", type=int, default=10_000)
    parser.add_argument("--code", type=Path, default=REPOSITORY)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(asked.data_dir.resolve(), asked.predictions, asked.code.resolve())
    if asked.json:
        print(json.dumps(found, indent=2))
    else:
        print_table([{"what": name, "found": value} for name, value in found.items()])
    sys.exit(not found["holds"])


if __name__ == "__main__":
    main()
