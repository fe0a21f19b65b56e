"""The boosters of one model version: one binning, an objective each, the same bytes whatever the threads.

Here: LightGBM settings and calls. What a booster learns is a forecaster's to say (`forecasters`), which rows teach
and which stop is decided in `training`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from daily_profit_model.modeling.matrix import Floats

Target = Literal["residual", "bounded", "traded", "profitable"]
"""In profit scales, without what open positions are expected to realise: all of it, or bounded; or 0 and 1."""

Weight = Literal["power", "scale", "one"]


@dataclass(frozen=True)
class Learner:
    """What one booster learns: a loss in LightGBM's words, of which target, from which rows and with what weights."""

    loss: Mapping[str, Any]
    target: Target = "residual"
    weight: Weight = "power"
    only_traded: bool = False


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
    """Rows for fitting or for stopping: matrix (rows x features), targets and weights by name, and who traded."""

    matrix: npt.NDArray[np.float32]
    targets: Mapping[Target, Floats]
    weights: Mapping[Weight, Floats]
    traded: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Binned:
    """The matrices of two parts in LightGBM's bins, once a worker, which boosters of any parameters can share.

    Not by two calls of `grow` at the same time: each sets labels on them.
    """

    names: tuple[str, ...]
    pairs: Mapping[bool, Sequence[tuple[Any, Any]]]
    """By whether only rows that traded are taken: training and validation data a worker."""


def fit_boosters(
    train: Part,
    validation: Part,
    names: Sequence[str],
    categories: Sequence[int],
    learners: Mapping[str, Learner],
    settings: BoosterSettings,
) -> dict[str, str]:
    """A booster per learner, as LightGBM text, stopped early on `validation`.

    The matrix is binned once; learners only change labels and weights, and which rows are taken. Growing each
    booster again on both parts together was measured: no gain beyond noise.
    """
    binned = bin_parts(train, validation, names, categories, learners, settings)
    return grow(binned, train, validation, learners, settings)


def bin_parts(
    train: Part,
    validation: Part,
    names: Sequence[str],
    categories: Sequence[int],
    learners: Mapping[str, Learner],
    settings: BoosterSettings,
) -> Binned:
    """The matrices of both parts in bins. Of the settings bins, seed, threads and workers count, and no other."""
    import lightgbm

    form: dict[str, Any] = {
        "feature_name": list(names),
        "categorical_feature": list(categories),
        "params": _binning(settings),
    }
    data = lightgbm.Dataset(train.matrix, **form).construct()
    watched = lightgbm.Dataset(validation.matrix, reference=data, **form).construct()
    # labels are set on the data set, so each worker has one of its own: a copy of the first's bins
    every = {
        only: [
            (_rows_of(data, train, only_traded=only), _rows_of(watched, validation, only_traded=only))
            for _ in range(settings.workers)
        ]
        for only in sorted({learner.only_traded for learner in learners.values()})
    }
    return Binned(tuple(names), every)


def grow(
    binned: Binned, train: Part, validation: Part, learners: Mapping[str, Learner], settings: BoosterSettings
) -> dict[str, str]:
    """What `fit_boosters` returns, on parts that are `binned` with the same bins, seed, threads and workers."""
    import lightgbm

    free: SimpleQueue[int] = SimpleQueue()
    for worker in range(settings.workers):
        free.put(worker)

    def fit(learner: Learner) -> str:
        worker = free.get()
        pair = binned.pairs[learner.only_traded][worker]
        for dataset, part in zip(pair, (train, validation), strict=True):
            chosen = part.traded if learner.only_traded else slice(None)
            dataset.set_field("label", part.targets[learner.target][chosen])
            # not set_weight, which passes over weights of one and would leave those of the output before
            dataset.set_field("weight", part.weights[learner.weight][chosen])
        booster = lightgbm.train(
            {**growing_parameters(pair[0].num_data(), settings), **learner.loss},
            pair[0],
            num_boost_round=settings.rounds,
            valid_sets=[pair[1]],
            callbacks=[lightgbm.early_stopping(settings.early_stopping_rounds, verbose=False)],
        )
        free.put(worker)
        return without_threads(booster.model_to_string(num_iteration=booster.best_iteration))

    with ThreadPoolExecutor(settings.workers) as pool:
        return dict(zip(learners, pool.map(fit, learners.values()), strict=True))


def growing_parameters(rows: int, settings: BoosterSettings) -> dict[str, Any]:
    """LightGBM's parameters of a booster grown on so many rows, without its loss."""
    return {**_binning(settings), **_growing(rows, settings)}


def _rows_of(dataset: Any, part: Part, *, only_traded: bool) -> Any:
    rows = np.flatnonzero(part.traded) if only_traded else np.arange(len(part.matrix))
    return dataset.subset(rows).construct()


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


def without_threads(text: str) -> str:
    """The number of threads is the machine's, not the model's: it must not change the bundle's hash."""
    return re.sub(r"^\[num_threads: \d+\]$", "[num_threads: 0]", text, flags=re.MULTILINE)


def reported_parameters(text: str) -> dict[str, str]:
    """The parameters as the booster itself reports them in its text, by LightGBM's names."""
    block = text.split("\nparameters:\n", 1)[1].split("\nend of parameters", 1)[0]
    return dict(re.findall(r"^\[([a-z0-9_]+): (.*)\]$", block, flags=re.MULTILINE))


def trees_of(text: str) -> int:
    """How many trees a booster text holds."""
    return len(re.findall(r"^Tree=\d+$", text, flags=re.MULTILINE))
