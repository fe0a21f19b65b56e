"""The sketch of a version's features: what it says of distributions and of whole days, and that the bundle holds it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from daily_profit_model.modeling.design import Design, design_of, design_table
from daily_profit_model.modeling.frames import of_days
from daily_profit_model.modeling.matrix import floats
from daily_profit_model.modeling.reference import LEVELS, SCHEMA, ranks, reference_of, share_distance
from daily_profit_model.modeling.training import TrainedModel, TrainSettings
from daily_profit_model_tests.modeling.panel import Panel

Sketch = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def design(panel: Panel, cutoff: date) -> Design:
    settings = TrainSettings()
    table = design_table(panel.frame, panel.features, cutoff=cutoff, split=settings.split, columns=settings.columns)
    return design_of(table)


@pytest.fixture(scope="module")
def sketch(design: Design) -> Sketch:
    return {row["feature"]: row for row in reference_of(design).to_pylist()}


def test_every_feature_has_a_sketch_of_the_learning_days_alone(design: Design, sketch: Sketch) -> None:
    learnt = design.split.train + design.split.validation
    assert list(sketch) == [feature.name for feature in design.encoding]
    for row in sketch.values():
        assert row["days"] == list(learnt)
        assert sum(row["day_rows"]) == row["rows"] == of_days(design.rows, learnt).num_rows


def test_quantiles_and_missing_shares_are_those_of_numpy(design: Design, sketch: Sketch) -> None:
    rows = of_days(design.rows, design.split.train + design.split.validation)
    for feature, (_, values) in zip(design.encoding, design.encoded(rows), strict=True):
        row = sketch[feature.name]
        assert row["missing_share"] == pytest.approx(float(np.isnan(values).mean()))
        if feature.kind != "category":
            assert row["quantiles"] == pytest.approx(np.nanquantile(values.astype(float), LEVELS))
            assert row["shares"] == []
        else:
            assert len(row["shares"]) == len(feature.categories)
            assert sum(row["shares"]) == pytest.approx(1.0)


def test_days_like_all_days_lie_near_zero_and_sum_up_to_it(sketch: Sketch) -> None:
    for row in sketch.values():
        distance = np.array(row["day_distance"])
        assert len(distance) == len(row["days"])
        if row["kind"] != "category" and np.ptp(row["quantiles"]) > 0:
            assert np.average(distance, weights=row["day_rows"]) == pytest.approx(0.0, abs=0.02)


def test_ranks_share_a_mass_at_zero_evenly_and_end_at_the_ends() -> None:
    values = np.concatenate([np.zeros(60), np.arange(1.0, 41.0)])
    quantiles = np.quantile(values, LEVELS)
    assert ranks(values, quantiles).mean() == pytest.approx(0.5, abs=0.01)
    assert ranks(np.zeros(1), quantiles) == pytest.approx(0.3, abs=0.01)
    assert ranks(np.array([-5.0, 20.5, 40.0, 99.0]), quantiles) == pytest.approx([0.0, 0.8, 1.0, 1.0], abs=0.01)


def test_a_shifted_day_stands_out(design: Design) -> None:
    place = next(n for n, feature in enumerate(design.encoding) if feature.kind == "numeric")
    name = f"encoded/{design.encoding[place].name}"
    rows, last = design.rows, design.split.validation[-1]
    is_last = np.array([day == last for day in rows["target_date"].to_pylist()])
    moved = np.where(is_last, floats(rows[name]) + 1e6, floats(rows[name])).astype(np.float32)
    shifted = replace(design, rows=rows.set_column(rows.column_names.index(name), name, pa.array(moved)))
    distance = reference_of(shifted).to_pylist()[place]["day_distance"]
    assert distance[-1] > 0.4
    assert np.abs(distance[:-1]).max() < 0.4


def test_distributions_over_categories_are_equal_or_apart() -> None:
    assert share_distance(np.array([0.5, 0.5]), np.array([0.5, 0.5])) == 0.0
    assert share_distance(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 1.0


def test_the_bundle_holds_the_sketch_and_a_baselines_is_empty(
    trained: TrainedModel, baseline: TrainedModel, design: Design
) -> None:
    stored = trained.model.table("reference")
    assert stored.schema.equals(SCHEMA)
    assert stored.equals(reference_of(design))
    assert baseline.model.table("reference").num_rows == 0
