"""How long a version takes to train, to score and to explain, against LightGBM's bare calls for the same trees.

Run: python -m daily_profit_model_tests.benchmarks.model_speed [--rows 300000] [--features 150] [--accounts 100000]
     [--objective l1] [--threads 1] [--json]

`training`: from the frame to the judged bundle, against binning once and growing the same boosters (equal parameters,
rows, targets and stopping) one after the other; in seconds of CPU, for ours grows two at a time. `scoring`: from a day's snapshot
to calibrated rows in a Parquet file, against the boosters' predictions on a matrix that is there; the day's calibration
is made before, as the graph does. `one account`: a row scored and calibrated, the model warm. `reasons`: TreeSHAP.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import TypeVar

import lightgbm
import numpy as np
import pyarrow as pa
from upath import UPath

from daily_profit_model.lake import Lake, write
from daily_profit_model.modeling.boosting import BoosterSettings
from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.conformity import history_for
from daily_profit_model.modeling.contracts import MODEL_SCORES, MONITORING_CONFORMITY
from daily_profit_model.modeling.design import design_of, design_table
from daily_profit_model.modeling.explanation import top_features
from daily_profit_model.modeling.forecasters import forecaster
from daily_profit_model.modeling.intervals import apply_levels, fold_levels
from daily_profit_model.modeling.matrix import category_places, to_matrix
from daily_profit_model.modeling.scoring import score
from daily_profit_model.modeling.training import TrainSettings, part_of, train
from daily_profit_model.tables import Column, Table
from daily_profit_model.tables.contract import FLOAT
from daily_profit_model_tests.benchmarks.processes import print_table
from daily_profit_model_tests.modeling.panel import Panel, simulate_panel

DAYS = 120
EXPLAINED = 20_000
ROUNDS = 3
SERVED = Table(
    "predictions/served", "For this benchmark.", MODEL_SCORES.key,
    (*MODEL_SCORES.columns, Column("lower_90", FLOAT, ""), Column("upper_90", FLOAT, "")),
    day_column="prediction_date",
)  # fmt: skip
Row = dict[str, object]


def measure_training(panel: Panel, settings: TrainSettings) -> tuple[Model, Row]:
    """Seconds of a whole training, and of the bare calls for the same trees."""
    cutoff = max(panel.frame["target_date"].to_pylist())
    used = process_time()
    model, ours = _timed(
        lambda: (
            train(
                panel.frame, panel.features, cutoff=cutoff, settings=settings, data_versions={}, code_version="-"
            ).model
        )
    )
    used = process_time() - used
    bare = _bare_training(panel, settings)
    return model, {
        "what": "training", "rows": panel.frame.num_rows, "s": ours, "CPU s": used, "bare CPU s": bare,
        "ratio": used / bare, "trees": sum(model.manifest["trees"].values()),
    }  # fmt: skip


def _bare_training(panel: Panel, settings: TrainSettings) -> float:
    cutoff = max(panel.frame["target_date"].to_pylist())
    table = design_table(panel.frame, panel.features, cutoff=cutoff, split=settings.split, columns=settings.columns)
    design = design_of(table)
    fit, stop = (part_of(design, days, settings) for days in (design.split.train, design.split.validation))
    booster = settings.booster
    growing = {
        "learning_rate": booster.learning_rate, "num_leaves": booster.leaves, "feature_fraction": booster.feature_fraction,
        "lambda_l2": booster.l2, "max_bin": booster.bins, "feature_pre_filter": False, "deterministic": True,
        "force_row_wise": True, "num_threads": 1, "seed": booster.seed, "verbosity": -1,
        "min_data_in_leaf": max(booster.smallest_leaf_rows, round(len(fit.matrix) * booster.leaf_row_share)),
    }  # fmt: skip
    categories = category_places(design.encoding)
    started = process_time()
    data = lightgbm.Dataset(fit.matrix, categorical_feature=categories, params=growing).construct()
    watched = lightgbm.Dataset(stop.matrix, categorical_feature=categories, params=growing, reference=data).construct()
    for learner in forecaster(settings.objective).learners.values():
        pair = []
        for dataset, part in ((data, fit), (watched, stop)):
            rows = np.flatnonzero(part.traded) if learner.only_traded else np.arange(len(part.matrix))
            taken = dataset.subset(rows).construct() if learner.only_traded else dataset
            taken.set_field("label", part.targets[learner.target][rows])
            taken.set_field("weight", part.weights[learner.weight][rows])
            pair.append(taken)
        lightgbm.train(
            {**growing, **learner.loss},
            pair[0],
            num_boost_round=booster.rounds,
            valid_sets=pair[1:],
            callbacks=[lightgbm.early_stopping(booster.early_stopping_rounds, verbose=False)],
        )
    return process_time() - started


def measure_scoring(model: Model, snapshot: pa.Table, threads: int, folder: Path) -> list[Row]:
    """Seconds of a day of accounts, of one account, and of reasons; the middle of some rounds each."""
    day = max(model.table("conformity")["prediction_date"].to_pylist())
    levels = fold_levels(
        history_for(model, MONITORING_CONFORMITY.schema().empty_table(), day), TrainSettings().intervals
    )
    lake = Lake(UPath(str(folder)))
    of = snapshot["prediction_date"][0].as_py().isoformat()
    matrix = to_matrix(snapshot, model.encoding)
    boosters = [model.booster(name) for name in forecaster(model.forecaster).learners]
    one = snapshot.slice(0, 1)

    def serve(rows: pa.Table) -> pa.Table:
        return apply_levels(score(model, rows, threads=threads), levels)

    def whole() -> None:
        write(lake, SERVED, of, serve(snapshot), code_version="-")

    def bare() -> None:
        for booster in boosters:
            booster.predict(matrix, num_threads=threads)

    ours, floor, alone = _middle(whole), _middle(bare), _middle(lambda: serve(one), 200)
    part = snapshot.slice(0, EXPLAINED)
    explained = _middle(lambda: top_features(model, part, threads=threads))
    count = snapshot.num_rows
    return [
        {"what": "scoring a day", "rows": count, "s": ours, "bare s": floor, "ratio": ours / floor, "rows/s": count / ours},
        {"what": "one account, warm", "rows": 1, "s": alone},
        {"what": "reasons", "rows": part.num_rows, "s": explained, "rows/s": part.num_rows / explained},
    ]  # fmt: skip


def _middle(call: Callable[[], object], rounds: int = ROUNDS) -> float:
    return statistics.median(_timed(call)[1] for _ in range(rounds))


Made = TypeVar("Made")


def _timed(call: Callable[[], Made]) -> tuple[Made, float]:
    started = perf_counter()
    made = call()
    return made, perf_counter() - started


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--features", type=int, default=150)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--objective", default="l1")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    panel = simulate_panel(accounts=asked.rows // DAYS, days=DAYS, seed=1, noise_features=asked.features - 11)
    settings = TrainSettings(objective=asked.objective, booster=BoosterSettings(threads=asked.threads))
    model, trained = measure_training(panel, settings)
    day = max(panel.frame["target_date"].to_pylist())
    rows = panel.frame.slice(0, asked.accounts)
    places = pa.array([f"account{place:07d}" for place in range(rows.num_rows)])
    snapshot = rows.drop_columns(["account_id", "target_date"])
    snapshot = snapshot.append_column("account_id", places)
    snapshot = snapshot.append_column("prediction_date", pa.repeat(pa.scalar(day, pa.date32()), rows.num_rows))
    with tempfile.TemporaryDirectory(prefix="dpm-speed-") as folder:
        found = [trained, *measure_scoring(model, snapshot, asked.threads, Path(folder))]
    found = [{"objective": asked.objective, **row} for row in found]
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    for row in found:  # each with figures of its own
        print_table([row])
        print()


if __name__ == "__main__":
    main()
