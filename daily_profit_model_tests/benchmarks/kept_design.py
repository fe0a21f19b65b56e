"""What the cache spares a training: the design matrix computed, computed and kept, and read again.

Run: python -m daily_profit_model_tests.benchmarks.kept_design [--rows 300000] [--json]

A partition of training/account_daily with every feature of the catalogue is written to a lake: numbers drawn at
random, a tenth missing, which compress badly. Then the design is made without a cache, into an empty one, and from
it, as a training does with other parameters; from the partition in the lake to the rows in memory, each three
times. The hash of each design's rows must be the same. Exit code 1 when it is not, or when a hit was a miss.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import pyarrow as pa
from upath import UPath

from daily_profit_model.cache import Cache, CacheKey, statistics
from daily_profit_model.cache.entry import entries
from daily_profit_model.defs.models.assets import MODEL_FEATURES
from daily_profit_model.defs.models.designs import design_key, kept_design
from daily_profit_model.features.training_set import TRAINING_ACCOUNT_DAILY
from daily_profit_model.lake import Lake, content_hash, write
from daily_profit_model.modeling.boosting import BoosterSettings
from daily_profit_model.modeling.design import Design
from daily_profit_model.modeling.training import TrainSettings

DAYS, TIMES = 120, 3
CUTOFF = date(2026, 6, 1)


class NoCache(Cache):
    """Computes every time."""

    def get_or_compute(self, key: CacheKey, compute: Callable[[], pa.Table]) -> pa.Table:
        return compute()


def measure(rows: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as place:
        lake, folder = Lake(UPath(place) / "lake"), Path(place) / "cache"
        file = write(lake, TRAINING_ACCOUNT_DAILY, CUTOFF.isoformat(), training_rows(rows), code_version="-")
        seconds: dict[str, list[float]] = {"without": [], "miss": [], "hit": []}
        hashes = set()
        for _ in range(TIMES):
            shutil.rmtree(folder, ignore_errors=True)
            for name, cache in (("without", NoCache(folder)), ("miss", Cache(folder)), ("hit", Cache(folder))):
                start = perf_counter()
                design = design_of_another_training(lake, cache, is_other=name == "hit")
                design.matrix(design.rows)
                seconds[name].append(perf_counter() - start)
                hashes.add(content_hash(design.rows))
        counts = statistics.total(folder)
        start = perf_counter()
        design_key(lake, CUTOFF.isoformat(), MODEL_FEATURES, TrainSettings())
        of_key = perf_counter() - start
        return {
            "rows": rows,
            "features": len(MODEL_FEATURES),
            "partition MB": file.bytes / 1e6,
            "entry MB": sum(entry.bytes() for entry in entries(folder)) / 1e6,
            "key ms": of_key * 1e3,
            **{f"{name} s": median(taken) for name, taken in seconds.items()},
            "miss/hit": median(seconds["miss"]) / median(seconds["hit"]),
            "holds": len(hashes) == 1 and (counts.hits, counts.misses) == (1, 1),
        }


def design_of_another_training(lake: Lake, cache: Cache, *, is_other: bool) -> Design:
    """A training with other parameters of the boosters asks for the same design."""
    settings = TrainSettings()
    if is_other:
        settings = replace(settings, booster=BoosterSettings(rounds=100, leaves=31, seed=1), weight_power=0.5)
    return kept_design(lake, cache, CUTOFF.isoformat(), MODEL_FEATURES, settings)


def training_rows(rows: int) -> pa.Table:
    """Rows of the contract: DAYS days of accounts."""
    rng = np.random.default_rng(1)
    accounts = rows // DAYS
    days = [CUTOFF - timedelta(days=DAYS - number) for number in range(DAYS)]
    known = {
        "cutoff": pa.array([CUTOFF] * rows, pa.date32()),
        "feature_date": pa.array(np.repeat(np.array(days, dtype="datetime64[D]"), accounts)),
        "target_date": pa.array(np.repeat(np.array(days, dtype="datetime64[D]") + 1, accounts)),
        "account_id": pa.array(np.tile([f"a{number:07d}" for number in range(accounts)], DAYS)),
        "profit_scale": pa.array(np.exp(rng.normal(4, 1, rows))),
        "target_net_profit": pa.array(np.round(rng.standard_t(4, rows) * 100, 2)),
        "target_status": pa.array(rng.choice(["traded", "idle"], rows)),
    }
    columns = {}
    for column in TRAINING_ACCOUNT_DAILY.columns:
        missing = None if column.required else rng.random(rows) < 0.1
        kind = column.type
        if column.name in known:
            columns[column.name] = known[column.name]
        elif pa.types.is_floating(kind):
            columns[column.name] = pa.array(rng.standard_t(4, rows), kind, mask=missing)
        elif pa.types.is_boolean(kind):
            columns[column.name] = pa.array(rng.random(rows) < 0.5, mask=missing)
        elif pa.types.is_integer(kind):
            columns[column.name] = pa.array(rng.poisson(3, rows), mask=missing).cast(kind)
        else:
            columns[column.name] = pa.array(rng.choice(["a", "b", "c", "d"], rows), mask=missing)
    return pa.table(columns)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(asked.rows // DAYS * DAYS)
    if asked.json:
        print(json.dumps(found, indent=2))
    else:
        for name, figure in found.items():
            print(f"{name:<16}{figure:>14,.2f}" if isinstance(figure, float) else f"{name:<16}{figure!s:>14}")
    sys.exit(not found["holds"])


if __name__ == "__main__":
    main()
