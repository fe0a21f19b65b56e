"""Contributions add up to the prediction, in USD, and the largest come first."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from daily_profit_model.modeling import explanation as ex
from daily_profit_model.modeling.scoring import raw_outputs
from daily_profit_model.modeling.training import TrainedModel
from daily_profit_model_tests.modeling.panel import Panel


@pytest.fixture(scope="module")
def rows(panel: Panel) -> pa.Table:
    return panel.frame.slice(panel.frame.num_rows - 100)


@pytest.mark.parametrize("output", ex.EXPLAINED_OUTPUTS)
def test_contributions_and_base_add_up_to_the_prediction_in_usd(
    trained: TrainedModel, rows: pa.Table, output: str
) -> None:
    parts, base = ex.contributions(trained.model, rows, output=output)
    predicted = raw_outputs(trained.model, rows)[output] * rows["profit_scale"].to_numpy()
    np.testing.assert_allclose(parts.sum(axis=1) + base, predicted, rtol=1e-6, atol=1e-6)


def test_contributions_that_do_not_add_up_are_an_error(
    trained: TrainedModel, rows: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ex, "LARGEST_GAP", -1.0)
    with pytest.raises(ex.AdditivityError, match="contributions of median miss the prediction"):
        ex.contributions(trained.model, rows)


def test_a_probability_is_not_explained_in_usd(trained: TrainedModel, rows: pa.Table) -> None:
    with pytest.raises(ValueError, match="probability_trade is not in USD"):
        ex.contributions(trained.model, rows, output="probability_trade")


def test_top_features_are_the_largest_contributions_with_the_rows_own_values(
    trained: TrainedModel, rows: pa.Table
) -> None:
    top = ex.top_features(trained.model, rows, 4, output="q95")
    assert top.type == ex.TOP_FEATURES
    parts, _ = ex.contributions(trained.model, rows, output="q95")
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
    reasons = [r for row in ex.top_features(trained.model, gaps, output="q95").to_pylist() for r in row]
    kinds = {feature.name: feature.kind for feature in trained.model.encoding}
    blanks = [r for r in reasons if kinds[r["name"]] == "numeric" and r["name"] != "profit_scale"]
    assert blanks
    assert all(reason["value"] is None for reason in blanks)


def test_no_rows_have_no_reasons(trained: TrainedModel, rows: pa.Table) -> None:
    assert len(ex.top_features(trained.model, rows.slice(0, 0))) == 0


def test_importance_names_the_features_that_matter_and_sums_to_one(trained: TrainedModel) -> None:
    shares = ex.importance(trained.model, "q95")
    assert sum(share for _, share in shares) == pytest.approx(1.0)
    assert "planned_risk" in [name for name, _ in shares[:5]]


def test_a_prediction_is_told_in_words_with_signs_and_missing_values() -> None:
    lines = ex.describe(
        {
            "account_id": "a1",
            "prediction_date": date(2024, 5, 1),
            "predicted_net_profit": 0.0,
            "expected_net_profit": -12.5,
            "lower_90": -1234.5,
            "upper_90": 900.0,
            "probability_trade": 0.61,
            "probability_profit": 0.3,
            "top_features": [
                {"name": "phase", "value": "Funded", "contribution": -20.0},
                {"name": "sharpe_20d", "value": None, "contribution": 3.0},
            ],
        }
    )
    assert lines == [
        "a1 on 2024-05-01: net profit $0.00 (median), -$12.50 (mean).",
        "With 90 % confidence between -$1,234.50 and +$900.00.",
        "Probability of trading 61%, of profit 30%.",
        "What moved it most:",
        "  phase = Funded lowers it by $20.00",
        "  sharpe_20d = missing raises it by $3.00",
    ]
    assert "No feature moved" in ex.describe({**_bare(), "top_features": []})[-1]


def _bare() -> dict[str, object]:
    amounts = dict.fromkeys(("predicted_net_profit", "expected_net_profit", "lower_90", "upper_90"), 0.0)
    return {
        "account_id": "a",
        "prediction_date": date(2024, 5, 1),
        **amounts,
        "probability_trade": 0.5,
        "probability_profit": 0.5,
    }
