"""Boosters from a Dask cluster: stopped as here, as good as here; wrong addresses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from daily_profit_model.modeling.boosting import (
    BoosterSettings,
    Learner,
    Part,
    fit_boosters,
    growing_parameters,
    trees_of,
)
from daily_profit_model.modeling.cluster import best_round, cluster, fit_boosters_on, loss_of
from daily_profit_model.modeling.forecasters import FORECASTERS, forecaster

if "CI" not in os.environ:  # there the extra is installed
    pytest.importorskip("distributed")

SETTINGS = BoosterSettings(rounds=60, early_stopping_rounds=5, learning_rate=0.2, smallest_leaf_rows=20)
NAMES = ["size", "noise", "kind"]
CATEGORIES = [2]


def rows(seed: int, count: int) -> Part:
    """Rows whose target follows the first feature, half of them traded."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(count, 3)).astype(np.float32)
    matrix[:, 2] = rng.integers(0, 4, count)
    traded = rng.random(count) < 0.5
    target = np.where(traded, matrix[:, 0] + matrix[:, 2] + rng.normal(size=count), 0.0)
    return Part(
        matrix,
        {
            "residual": target,
            "bounded": np.clip(target, -3, 3),
            "traded": traded * 1.0,
            "profitable": (target > 0) * 1.0,
        },
        {"power": rng.uniform(0.5, 1.5, count), "scale": rng.uniform(0.5, 1.5, count), "one": np.ones(count)},
        traded,
    )


TRAIN, VALIDATION = rows(1, 1500), rows(2, 600)
LOSSES = {
    str(sorted(learner.loss.items())): replace(learner, only_traded=False)
    for name in FORECASTERS
    for learner in forecaster(name).learners.values()
}
"""A learner of each loss, from all rows."""


@pytest.mark.parametrize("learner", LOSSES.values(), ids=LOSSES.keys())
def test_the_best_round_is_where_lightgbm_itself_stops(learner: Learner) -> None:
    import lightgbm

    stopped = fit_boosters(TRAIN, VALIDATION, NAMES, CATEGORIES, {"one": learner}, SETTINGS)["one"]
    data = lightgbm.Dataset(
        TRAIN.matrix,
        TRAIN.targets[learner.target],
        weight=TRAIN.weights[learner.weight],
        feature_name=NAMES,
        categorical_feature=CATEGORIES,
    )
    parameters = {**growing_parameters(len(TRAIN.matrix), SETTINGS), **learner.loss}
    whole = lightgbm.train(parameters, data, num_boost_round=SETTINGS.rounds)
    assert best_round(whole, VALIDATION, learner, SETTINGS) == trees_of(stopped)


@pytest.fixture(scope="module")
def client() -> Iterator[object]:
    with cluster("local:2") as found:
        yield found


def test_two_workers_grow_boosters_as_good_as_one_process(client: object) -> None:
    import lightgbm

    learners = {name: forecaster("two_part").learners[name] for name in ("probability_trade", "size_50")}
    here = fit_boosters(TRAIN, VALIDATION, NAMES, CATEGORIES, learners, SETTINGS)
    there = fit_boosters_on(client, TRAIN, VALIDATION, NAMES, CATEGORIES, learners, SETTINGS)
    assert list(there) == list(here)
    for name, learner in learners.items():
        chosen = VALIDATION.traded if learner.only_traded else np.ones(600, dtype=bool)
        losses = [
            loss_of(learner.loss)(
                VALIDATION.targets[learner.target][chosen],
                lightgbm.Booster(model_str=texts[name]).predict(VALIDATION.matrix[chosen], raw_score=True),
            ).mean()
            for texts in (here, there)
        ]
        assert losses[1] == pytest.approx(losses[0], rel=0.03)
        assert "[machines:" not in there[name]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nowhere", "is no Dask scheduler: tcp://host:port, or local:N"),
        ("local:0", "is no Dask scheduler"),
        ("tcp://127.0.0.1:9", "no Dask scheduler answers at tcp://127.0.0.1:9"),
    ],
)
def test_an_address_without_workers_is_one_line(address: str, said: str) -> None:
    with pytest.raises(ValueError, match=said), cluster(address, timeout_s=0.5):
        pass
