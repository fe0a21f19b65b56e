"""How long a model version takes to train, to score and to explain, on a simulated panel.

Run: python -m daily_profit_model_tests.benchmarks.training_time [--rows 30000] [--features 150]
     [--threads 1] [--json]
"""

from __future__ import annotations

import argparse
import json
from time import perf_counter

from daily_profit_model.modeling.boosting import BoosterSettings
from daily_profit_model.modeling.explanation import top_features
from daily_profit_model.modeling.scoring import score
from daily_profit_model.modeling.training import TrainSettings, train
from daily_profit_model_tests.modeling.panel import simulate_panel

DAYS = 120


def measure(rows: int, features: int, threads: int) -> dict[str, float]:
    panel = simulate_panel(accounts=rows // DAYS, days=DAYS, seed=1, noise_features=features - 11)
    settings = TrainSettings(booster=BoosterSettings(threads=threads))
    cutoff = max(panel.frame["target_date"].to_pylist())
    start = perf_counter()
    model = train(
        panel.frame, panel.features, cutoff=cutoff, settings=settings, data_versions={}, code_version="-"
    ).model
    trained = perf_counter()
    score(model, panel.frame, threads=threads)
    scored = perf_counter()
    explained_rows = min(3000, rows)
    top_features(model, panel.frame.slice(0, explained_rows), threads=threads)
    explained = perf_counter()
    return {
        "rows": rows,
        "features": len(panel.features),
        "threads": threads,
        "training_seconds": trained - start,
        "scored_rows_per_second": panel.frame.num_rows / (scored - trained),
        "explained_rows_per_second": explained_rows / (explained - scored),
        "trees": sum(model.manifest["trees"].values()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=30_000)
    parser.add_argument("--features", type=int, default=150)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    figures = measure(asked.rows, asked.features, asked.threads)
    if asked.json:
        print(json.dumps(figures, indent=2))
        return
    for name, figure in figures.items():
        print(f"{name:<28}{figure:>14,.1f}")


if __name__ == "__main__":
    main()
