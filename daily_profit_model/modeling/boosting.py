"""The boosters of one model version: one binning, six objectives, the same bytes whatever the threads.

Here: LightGBM settings and calls. Which rows teach and which stop is decided in `training`; what the
outputs mean together in `scoring`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt

from daily_profit_model.modeling.matrix import Floats

OUTPUTS = ("median", "mean", "q05", "q95", "probability_trade", "probability_profit")
PROFITS = ("median", "mean", "q05", "q95")
"""The outputs in money; the others are probabilities."""

_OBJECTIVES: Mapping[str, Mapping[str, Any]] = {
    "median": {"objective": "regression_l1", "metric": "l1"},
    "mean": {"objective": "regression", "metric": "l2"},
    "q05": {"objective": "quantile", "alpha": 0.05, "metric": "quantile"},
    "q95": {"objective": "quantile", "alpha": 0.95, "metric": "quantile"},
    "probability_trade": {"objective": "binary", "metric": "binary_logloss"},
    "probability_profit": {"objective": "binary", "metric": "binary_logloss"},
}


@dataclass(frozen=True)
class BoosterSettings:
    """Small, regularised trees: the signal of a next day is low, and large trees learn its noise."""

    rounds: int = 500
    early_stopping_rounds: int = 30
    learning_rate: float = 0.04
    leaves: int = 7
    leaf_row_share: float = 0.01
    """Least share of the training rows in a leaf, so that larger histories do not mean finer noise."""
    smallest_leaf_rows: int = 50
    feature_fraction: float = 1.0
    l2: float = 10.0
    bins: int = 63
    seed: int = 20240501
    threads: int = 1
    """0: as many as there are cores; the bytes do not depend on it. LightGBM's threads wait busily: where
    cores are shared, 30,000 rows took 2 to 11 s with two threads and 4 s with one."""
    workers: int = 2
    """Boosters grown at the same time, each by its own thread; the bytes do not depend on it."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further LightGBM parameters, by LightGBM's own names."""


@dataclass(frozen=True)
class Part:
    """Rows for fitting or for stopping: matrix (rows x features), targets by output, weights by output."""

    matrix: npt.NDArray[np.float32]
    targets: Mapping[str, Floats]
    weights: Mapping[str, Floats]


def fit_boosters(
    train: Part, validation: Part, names: Sequence[str], categories: Sequence[int], settings: BoosterSettings
) -> dict[str, str]:
    """A booster per output of OUTPUTS, as LightGBM text, stopped early on `validation`.

    The matrix is binned once; the objectives only change labels and weights of the same data set.
    Growing each booster again on both parts together was measured: no gain beyond noise.
    """
    import lightgbm

    binning = _binning(settings)
    form: dict[str, Any] = {
        "feature_name": list(names),
        "categorical_feature": list(categories),
        "params": binning,
    }
    data = lightgbm.Dataset(train.matrix, **form).construct()
    watched = lightgbm.Dataset(validation.matrix, reference=data, **form).construct()
    # labels are set on the data set, so each worker has one of its own, binned like the first
    pairs: SimpleQueue[tuple[Any, Any]] = SimpleQueue()
    pairs.put((data, watched))
    for _ in range(1, settings.workers):
        again = lightgbm.Dataset(train.matrix, reference=data, **form).construct()
        pairs.put((again, lightgbm.Dataset(validation.matrix, reference=data, **form).construct()))
    growing = {**binning, **_growing(len(train.matrix), settings)}

    def fit(output: str) -> str:
        pair = pairs.get()
        for dataset, part in zip(pair, (train, validation), strict=True):
            dataset.params = dict(binning)  # a data set keeps the last objective's (alpha), and the text would tell it
            dataset.set_field("label", part.targets[output])
            # not set_weight, which passes over weights of one and would leave those of the output before
            dataset.set_field("weight", part.weights[output])
        booster = lightgbm.train(
            {**growing, **_OBJECTIVES[output]},
            pair[0],
            num_boost_round=settings.rounds,
            valid_sets=[pair[1]],
            callbacks=[lightgbm.early_stopping(settings.early_stopping_rounds, verbose=False)],
        )
        pairs.put(pair)
        return _without_threads(booster.model_to_string(num_iteration=booster.best_iteration))

    with ThreadPoolExecutor(settings.workers) as pool:
        return dict(zip(OUTPUTS, pool.map(fit, OUTPUTS), strict=True))


def _binning(settings: BoosterSettings) -> dict[str, Any]:
    return {
        "max_bin": settings.bins,
        "feature_pre_filter": False,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": settings.threads,
        "seed": settings.seed,
        "verbosity": -1,
    }


def _growing(rows: int, settings: BoosterSettings) -> dict[str, Any]:
    return {
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": max(settings.smallest_leaf_rows, round(rows * settings.leaf_row_share)),
        "feature_fraction": settings.feature_fraction,
        "lambda_l2": settings.l2,
        **settings.extra,
    }


def _without_threads(text: str) -> str:
    """The number of threads is the machine's, not the model's: it must not change the bundle's hash."""
    return re.sub(r"^\[num_threads: \d+\]$", "[num_threads: 0]", text, flags=re.MULTILINE)


def reported_parameters(text: str) -> dict[str, str]:
    """The parameters as the booster itself reports them in its text, by LightGBM's names."""
    block = text.split("\nparameters:\n", 1)[1].split("\nend of parameters", 1)[0]
    return dict(re.findall(r"^\[([a-z0-9_]+): (.*)\]$", block, flags=re.MULTILINE))


def trees_of(text: str) -> int:
    """How many trees a booster text holds."""
    return len(re.findall(r"^Tree=\d+$", text, flags=re.MULTILINE))
