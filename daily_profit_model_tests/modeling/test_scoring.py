"""Scores are consistent with one another and come from matching rows alone."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daily_profit_model.modeling.contracts import MODEL_SCORES
from daily_profit_model.modeling.matrix import ModelMismatchError
from daily_profit_model.modeling.scoring import consistent, score
from daily_profit_model.modeling.training import TrainedModel
from daily_profit_model_tests.modeling.panel import Panel


@pytest.fixture(scope="module")
def rows(panel: Panel) -> pa.Table:
    return panel.frame.slice(panel.frame.num_rows - 150)


def test_scores_have_the_contracts_columns_in_the_rows_order(trained: TrainedModel, rows: pa.Table) -> None:
    scores = score(trained.model, rows)
    assert scores.schema.equals(MODEL_SCORES.schema())
    assert scores["account_id"].equals(rows["account_id"])
    assert scores["prediction_date"][0].as_py() == date(2024, 4, 20)
    assert scores["model_hash"].unique().to_pylist() == [trained.model.hash]


def test_an_account_scores_the_same_alone_and_among_others(trained: TrainedModel, rows: pa.Table) -> None:
    together = score(trained.model, rows)
    for place in (0, 77, 149):
        assert score(trained.model, rows.slice(place, 1)).equals(together.slice(place, 1))


def test_no_rows_give_no_scores(trained: TrainedModel, rows: pa.Table) -> None:
    assert score(trained.model, rows.slice(0, 0)).num_rows == 0


def test_rows_that_do_not_match_the_manifest_are_refused(trained: TrainedModel, rows: pa.Table) -> None:
    with pytest.raises(ModelMismatchError, match="lack the feature size"):
        score(trained.model, rows.drop_columns(["size"]))
    place = rows.column_names.index("size")
    with pytest.raises(ModelMismatchError, match="feature size is string in the rows"):
        score(trained.model, rows.set_column(place, "size", rows["size"].cast(pa.string())))
    place = rows.column_names.index("profit_scale")
    zeros = pa.array(np.zeros(rows.num_rows))
    with pytest.raises(ModelMismatchError, match="150 rows have no positive profit_scale"):
        score(trained.model, rows.set_column(place, "profit_scale", zeros))


numbers = st.floats(-1e3, 1e3)


@given(st.lists(st.tuples(numbers, numbers, numbers, numbers, numbers), min_size=1, max_size=20))
def test_quantiles_never_cross_and_probabilities_agree(raw: list[tuple[float, ...]]) -> None:
    columns = np.array(raw).T
    names = ("q05", "median", "q95", "probability_trade", "probability_profit")
    outputs = consistent({**dict(zip(names, columns, strict=True)), "mean": columns[0]}, np.full(len(raw), 7.0))
    assert np.all(outputs["q05"] <= outputs["median"])
    assert np.all(outputs["median"] <= outputs["q95"])
    assert np.all((outputs["probability_profit"] >= 0) & (outputs["probability_trade"] <= 1))
    assert np.all(outputs["probability_profit"] <= outputs["probability_trade"])


def test_the_median_is_zero_when_neither_profit_nor_loss_has_half_the_probability() -> None:
    raw = {
        "q05": np.array([-1.0, -1.0]),
        "median": np.array([0.2, 0.2]),
        "q95": np.array([1.0, 1.0]),
        "mean": np.zeros(2),
        "probability_trade": np.array([0.8, 0.8]),
        "probability_profit": np.array([0.4, 0.6]),
    }
    assert consistent(raw, np.array([10.0, 10.0]))["median"].tolist() == [0.0, 2.0]
