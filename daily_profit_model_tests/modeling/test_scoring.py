"""Scores are consistent with one another and come from matching rows alone."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from daily_profit_model.modeling.contracts import MODEL_SCORES
from daily_profit_model.modeling.explanation import top_features
from daily_profit_model.modeling.matrix import ModelMismatchError
from daily_profit_model.modeling.scoring import score
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


def test_a_baseline_scores_explains_and_is_judged_like_a_model(baseline: TrainedModel, panel: Panel) -> None:
    rows = panel.frame.slice(panel.frame.num_rows - 7 * 150)
    scores = score(baseline.model, rows)
    assert scores.schema.equals(MODEL_SCORES.schema())
    assert set(scores["median"].to_pylist()) == set(scores["mean"].to_pylist()) == {0.0}
    assert np.mean(scores["q05"].to_numpy() < 0) > 0.7  # at weekends nearly nobody trades
    assert all(not reasons for reasons in top_features(baseline.model, rows).to_pylist())
    assert 0.85 < baseline.evaluation.coverage_90 < 0.95
    # it serves with intervals calibrated as a model's are, and is judged against itself without
    assert baseline.evaluation.median_skill.value <= 0.0
