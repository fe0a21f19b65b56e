"""Contributions add up to the prediction, in USD, and the largest come first."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from daily_profit_model.modeling import explanation as ex
from daily_profit_model.modeling.matrix import to_matrix
from daily_profit_model.modeling.scoring import score
from daily_profit_model.modeling.training import TrainedModel
from daily_profit_model_tests.modeling.panel import Panel


@pytest.fixture(scope="module")
def rows(panel: Panel) -> pa.Table:
    return panel.frame.slice(panel.frame.num_rows - 100)


def test_contributions_and_base_add_up_to_the_median_of_its_booster_in_usd(
    trained: TrainedModel, rows: pa.Table
) -> None:
    parts, base = ex.contributions(trained.model, rows)
    predicted = trained.model.booster("median").predict(to_matrix(rows, trained.model.encoding))
    np.testing.assert_allclose(
        parts.sum(axis=1) + base, predicted * rows["profit_scale"].to_numpy(), rtol=1e-6, atol=1e-6
    )


def test_contributions_of_the_two_parts_add_up_to_the_mean_in_usd(two_part: TrainedModel, rows: pa.Table) -> None:
    parts, base = ex.contributions(two_part.model, rows)
    expected = score(two_part.model, rows)["mean"].to_numpy()
    np.testing.assert_allclose(parts.sum(axis=1) + base, expected, rtol=1e-6, atol=1e-6)


def test_contributions_that_do_not_add_up_are_an_error(
    trained: TrainedModel, rows: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ex, "LARGEST_GAP", -1.0)
    with pytest.raises(ex.AdditivityError, match="contributions of median miss the prediction"):
        ex.contributions(trained.model, rows)


def test_top_features_are_the_largest_contributions_with_the_rows_own_values(
    trained: TrainedModel, rows: pa.Table
) -> None:
    top = ex.top_features(trained.model, rows, 4)
    assert top.type == ex.TOP_FEATURES
    parts, _ = ex.contributions(trained.model, rows)
    names = [feature.name for feature in trained.model.encoding]
    for place, reasons in enumerate(top.to_pylist()):
        sizes = [abs(reason["contribution"]) for reason in reasons]
        assert sizes == sorted(sizes, reverse=True)
        assert sizes == sorted(np.abs(parts[place]), reverse=True)[: len(sizes)]
        for reason in reasons:
            assert reason["contribution"] == parts[place, names.index(reason["name"])]
            value = rows[reason["name"]][place].as_py()
            if isinstance(value, float):
                assert float(reason["value"]) == pytest.approx(value, abs=1e-6)
            else:
                assert reason["value"].lower() == str(value).lower()


def test_a_missing_value_is_null_and_not_a_number_in_text(trained: TrainedModel, rows: pa.Table) -> None:
    gaps = rows
    for name in trained.model.encoding:
        if name.kind == "numeric" and name.name != "profit_scale":
            place = gaps.column_names.index(name.name)
            gaps = gaps.set_column(place, name.name, pa.nulls(gaps.num_rows, gaps.schema.field(place).type))
    reasons = [r for row in ex.top_features(trained.model, gaps).to_pylist() for r in row]
    kinds = {feature.name: feature.kind for feature in trained.model.encoding}
    blanks = [r for r in reasons if kinds[r["name"]] == "numeric" and r["name"] != "profit_scale"]
    assert blanks
    assert all(reason["value"] is None for reason in blanks)


def test_no_rows_have_no_reasons(trained: TrainedModel, rows: pa.Table) -> None:
    assert len(ex.top_features(trained.model, rows.slice(0, 0))) == 0


def test_importance_names_the_features_that_matter_and_sums_to_one(two_part: TrainedModel) -> None:
    shares = ex.importance(two_part.model)
    assert sum(share for _, share in shares) == pytest.approx(1.0)
    assert "planned_risk" in [name for name, _ in shares[:5]]
