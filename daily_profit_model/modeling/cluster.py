"""The boosters of one model version grown on a Dask cluster: the same training set, learners and stopping rule.

For training sets that no single machine holds well. Rows are dealt to the workers, whose histograms LightGBM adds up
(data-parallel trees), so that bins and sums differ a little from `boosting`'s: another version, equal in score within
noise. LightGBM does not stop early on Dask (lightgbm.readthedocs.io, Distributed Learning Guide): all rounds are grown,
and the trees after the best round of the rule that `boosting` has are cut off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from daily_profit_model.modeling.boosting import BoosterSettings, Learner, Part, growing_parameters, without_threads
from daily_profit_model.modeling.matrix import Floats

Loss = Callable[[Floats, Floats], Floats]
"""Of outcomes and raw scores, row by row."""

_OF_THE_CLUSTER = ("machines", "num_machines", "local_listen_port", "time_out")
"""Parameters that tell of the machines and not of the model: they must not change the bundle's hash."""


@contextmanager
def cluster(address: str, *, timeout_s: float = 10.0) -> Iterator[Any]:
    """A client of the scheduler at `address` (`tcp://host:port`), or of `local:N` workers that end with the context.

    Raises ValueError in one line for an address that is neither, or when nobody answers there within `timeout_s` or has
    workers.
    """
    try:
        distributed: Any = import_module("distributed")  # untyped
    except ImportError:
        raise ValueError("training on Dask needs the extra `dask`: uv sync --extra dask") from None
    local = re.fullmatch(r"local:([1-9]\d*)", address)
    if local is None and "://" not in address:
        raise ValueError(f"{address!r} is no Dask scheduler: tcp://host:port, or local:N for N workers here")
    if local is not None:
        workers = distributed.LocalCluster(
            n_workers=int(local[1]), threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
        )
        with workers, distributed.Client(workers) as client:
            yield client
        return
    try:
        client = distributed.Client(address, timeout=timeout_s)
    except (OSError, TimeoutError) as error:
        raise ValueError(f"no Dask scheduler answers at {address}: {type(error).__name__}") from None
    with client:
        if not client.scheduler_info()["workers"]:
            raise ValueError(f"the Dask scheduler at {address} has no workers")
        yield client


def fit_boosters_on(
    client: Any,
    train: Part,
    validation: Part,
    names: Sequence[str],
    categories: Sequence[int],
    learners: Mapping[str, Learner],
    settings: BoosterSettings,
) -> dict[str, str]:
    """A booster per learner, as LightGBM text: what `boosting.fit_boosters` returns, grown by the client's workers."""
    return {
        name: _fit(client, train, validation, names, categories, learner, settings)
        for name, learner in learners.items()
    }


def _fit(
    client: Any,
    train: Part,
    validation: Part,
    names: Sequence[str],
    categories: Sequence[int],
    learner: Learner,
    settings: BoosterSettings,
) -> str:
    import lightgbm

    array: Any = import_module("dask.array")  # untyped
    rows = np.flatnonzero(train.traded) if learner.only_traded else np.arange(len(train.matrix))
    workers = len(client.scheduler_info()["workers"])
    size = -(-len(rows) // workers)
    matrix = array.from_array(train.matrix[rows], chunks=(size, train.matrix.shape[1]))
    target = array.from_array(train.targets[learner.target][rows], chunks=size)
    weight = array.from_array(train.weights[learner.weight][rows], chunks=size)
    model = lightgbm.DaskLGBMRegressor(
        client=client,
        n_estimators=settings.rounds,
        tree_learner="data",
        **{**growing_parameters(len(rows), settings), **learner.loss},
    )
    model.fit(matrix, target, sample_weight=weight, feature_name=list(names), categorical_feature=list(categories))
    text = model.booster_.model_to_string(num_iteration=best_round(model.booster_, validation, learner, settings))
    return _without_machines(without_threads(text))


def best_round(booster: Any, validation: Part, learner: Learner, settings: BoosterSettings) -> int:
    """The round at which early stopping would have stopped: the least loss before so many rounds without a better one."""
    rows = np.flatnonzero(validation.traded) if learner.only_traded else np.arange(len(validation.matrix))
    matrix, outcome = validation.matrix[rows], validation.targets[learner.target][rows]
    weight = validation.weights[learner.weight][rows]
    loss = loss_of(learner.loss)
    raw = np.zeros(len(rows))
    best, least = 1, np.inf
    for number in range(booster.num_trees()):
        raw += booster.predict(matrix, raw_score=True, start_iteration=number, num_iteration=1)
        value = float(np.average(loss(outcome, raw), weights=weight))
        if value < least:
            best, least = number + 1, value
        elif number + 1 - best >= settings.early_stopping_rounds:
            break
    return best


def loss_of(parameters: Mapping[str, Any]) -> Loss:
    """The loss by which a learner is stopped, as its `metric` names it (LightGBM, Parameters: metric)."""
    metric = str(parameters["metric"])
    alpha = float(parameters.get("alpha", 0.9))
    fair = float(parameters.get("fair_c", 1.0))
    losses: dict[str, Loss] = {
        "quantile": lambda y, raw: np.maximum(alpha * (y - raw), (alpha - 1.0) * (y - raw)),
        "l1": lambda y, raw: np.abs(y - raw),
        "l2": lambda y, raw: (y - raw) ** 2,
        "huber": lambda y, raw: np.where(
            np.abs(y - raw) <= alpha, (y - raw) ** 2 / 2, alpha * (np.abs(y - raw) - alpha / 2)
        ),
        "fair": lambda y, raw: fair * np.abs(y - raw) - fair**2 * np.log1p(np.abs(y - raw) / fair),
        "binary_logloss": lambda y, raw: np.logaddexp(0.0, np.where(y > 0, -raw, raw)),
    }
    return losses[metric]


def _without_machines(text: str) -> str:
    """The addresses of the workers are the cluster's, not the model's."""
    names = "|".join(_OF_THE_CLUSTER)
    return re.sub(rf"^\[({names}): .*\]\n", "", text, flags=re.MULTILINE)
