"""How well what a demo serves is calibrated, and how much of the achievable skill it reaches, seed by seed.

Run: python -m daily_profit_model_tests.benchmarks.sandbox_seeds --seeds 201,202,203,204,205 [--accounts 200]
     [--days 150] [--folder FOLDER] [--json]

Each seed is a firm of its own: `dpm demo` fills its history, trains a version a week and serves every day as it would
have been served. Judged are the served days: calibration by `real_tables.figures` (terciles of the trading days of the
last 20), skill by `oracle_skill` against the firm's own truth. Take seeds that nothing was built on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from upath import UPath

from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.features.training_set import TRAINING_ACCOUNT_DAILY
from daily_profit_model.lake import Lake, read
from daily_profit_model.modeling.baselines import BaselineSettings, learn_baseline
from daily_profit_model.modeling.contracts import MODEL_SCORES
from daily_profit_model.tables.monitoring import MONITORING_OUTCOMES
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model_tests.benchmarks import oracle_skill
from daily_profit_model_tests.benchmarks.processes import print_table
from daily_profit_model_tests.benchmarks.real_tables import figures

KEY = ["prediction_date", "account_id"]


def measure(data_dir: Path) -> dict[str, object]:
    """Figures of the demo in `data_dir`."""
    lake = Lake(UPath(data_dir / "lake"))
    skill: dict[str, Any] = oracle_skill.measure(data_dir)
    predictions = read(
        lake, PREDICTIONS_ACCOUNT_DAILY, lake.partitions(PREDICTIONS_ACCOUNT_DAILY.name), columns=["forecaster"]
    )
    forecasters = {row["values"]: row["counts"] for row in pc.value_counts(predictions["forecaster"]).to_pylist()}
    return {
        **figures(served(lake)),
        "share of the oracle": skill["three quantiles"]["share of the oracle's"][0],
        "of the median": skill["median"]["share of the oracle's"][0],
        "skill": skill["three quantiles"]["skill of the model"][0],
        "oracle's": skill["three quantiles"]["skill of the oracle"][0],
        "served by": ", ".join(f"{name} {count / predictions.num_rows:.0%}" for name, count in forecasters.items()),
    }


def served(lake: Lake) -> pa.Table:
    """The settled account-days with what `real_tables.figures` reads; the EWMA interval is learnt on the first training set."""
    days = lake.partitions(MONITORING_OUTCOMES.name)
    outcomes = read(lake, MONITORING_OUTCOMES, days).select([*KEY, "lower_90", "upper_90", "net_profit"])
    scores = read(lake, MODEL_SCORES, days).select([*KEY, "q05", "q95"])
    snapshots = read(lake, FEATURE_SNAPSHOTS, days).select([*KEY, "trading_days_20d", "profit_scale"])
    rows = outcomes.filter(pc.is_valid(outcomes["net_profit"]))
    for other in (scores, snapshots):
        rows = rows.join(other, KEY, join_type="inner")
    past = read(lake, TRAINING_ACCOUNT_DAILY, lake.partitions(TRAINING_ACCOUNT_DAILY.name)[:1])
    known = past.filter(pc.is_valid(past["target_net_profit"]))
    ewma = learn_baseline("zero", known, BaselineSettings()).forecast(rows)
    rows = rows.append_column("group", rows["trading_days_20d"].cast(pa.float64()))
    return rows.append_column("ewma_lower", pa.array(ewma[:, 0])).append_column("ewma_upper", pa.array(ewma[:, 2]))


def fill(folder: Path, seed: int, accounts: int, days: int) -> None:
    """A demo of its own; one that is there goes on where it was."""
    command = [sys.executable, "-m", "daily_profit_model.cli", "demo", "--accounts", str(accounts), "--days", str(days)]
    variables = {**os.environ, "DPM_DATA_DIR": str(folder)}
    done = subprocess.run([*command, "--seed", str(seed)], env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"seed {seed}: the demo failed: {done.stderr.strip()[-600:]}")


def main() -> None:
    """Print the figures, a row a seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", default="201,202,203,204,205")
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--days", type=int, default=150)
    parser.add_argument("--folder", type=Path, help="kept when given")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found: list[dict[str, object]] = []
    with ExitStack() as stack:
        folder = asked.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dpm-seeds-")))
        for seed in map(int, asked.seeds.split(",")):
            fill(folder / str(seed), seed, asked.accounts, asked.days)
            found.append({"seed": seed, **measure(folder / str(seed))})
            print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    for row in found:
        print_table([row])
        print()


if __name__ == "__main__":
    main()
