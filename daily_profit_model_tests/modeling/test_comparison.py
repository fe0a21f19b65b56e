"""Versions are compared on the same unseen days, each as it would have served them, and by whole days."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from daily_profit_model.modeling.boosting import BoosterSettings
from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.comparison import Comparison, compare_on, matrix_of, paired_difference
from daily_profit_model.modeling.design import ENCODED, Design, design_of, design_table
from daily_profit_model.modeling.intervals import IntervalSettings
from daily_profit_model.modeling.matrix import ModelMismatchError, to_matrix
from daily_profit_model.modeling.training import TrainedModel, TrainSettings, train, train_on
from daily_profit_model_tests.modeling.panel import Panel, simulate_panel

SMALL = TrainSettings(booster=BoosterSettings(rounds=12))
INTERVALS = IntervalSettings()
VERSIONS = {"training/account_daily": "abc"}
WEEK = timedelta(weeks=1)


@pytest.fixture(scope="module")
def small_panel() -> Panel:
    return simulate_panel(accounts=40, days=77, seed=5, noise_features=1)


@pytest.fixture(scope="module")
def last(small_panel: Panel) -> date:
    day: date = pc.max(small_panel.frame["target_date"]).as_py()
    return day


@pytest.fixture(scope="module")
def design(small_panel: Panel, last: date) -> Design:
    return design_up_to(small_panel, last)


@pytest.fixture(scope="module")
def later(design: Design) -> TrainedModel:
    return train_on(design, settings=SMALL, data_versions=VERSIONS, code_version="1")


@pytest.fixture(scope="module")
def earlier(small_panel: Panel, last: date) -> Model:
    """Trained a week before, on other settings."""
    settings = replace(SMALL, booster=BoosterSettings(rounds=3))
    return trained_up_to(small_panel, last - WEEK, settings)


def known_by(panel: Panel, day: date) -> pa.Table:
    return panel.frame.filter(pc.less_equal(panel.frame["target_date"], pa.scalar(day, pa.date32())))


def trained_up_to(panel: Panel, day: date, settings: TrainSettings = SMALL) -> Model:
    frame = known_by(panel, day)
    given: dict[str, Any] = {"settings": settings, "data_versions": VERSIONS, "code_version": "1"}
    return train(frame, panel.features, cutoff=day, **given).model


def design_up_to(panel: Panel, day: date, columns: tuple[str, ...] = SMALL.columns) -> Design:
    frame = known_by(panel, day)
    return design_of(design_table(frame, panel.features, cutoff=day, split=SMALL.split, columns=columns))


@pytest.fixture(scope="module")
def compared(design: Design, later: TrainedModel, earlier: Model) -> Comparison:
    return compare_on(design, [earlier, later.model], INTERVALS)


def test_a_version_on_its_own_design_loses_what_its_manifest_says(compared: Comparison, later: TrainedModel) -> None:
    losses = compared.losses[later.model.version]
    assert losses.shape == (len(compared.days), 3)
    assert losses.mean(axis=0).tolist() == list(later.evaluation.pinball.values())
    assert compared.rows == later.evaluation.rows


def test_the_days_are_the_test_days_of_the_design(compared: Comparison, design: Design) -> None:
    assert compared.days == design.split.test


def test_a_version_scores_through_another_design_as_on_the_rows_themselves(
    small_panel: Panel, earlier: Model, design: Design
) -> None:
    frame = known_by(small_panel, design.cutoff).sort_by([("target_date", "ascending"), ("account_id", "ascending")])
    assert np.array_equal(matrix_of(earlier, design, design.rows), to_matrix(frame, earlier.encoding), equal_nan=True)


def test_the_difference_is_that_of_the_losses_and_changes_its_sign_with_the_order(
    compared: Comparison, later: TrainedModel, earlier: Model
) -> None:
    there = compared.difference(earlier.version, later.model.version)
    back = compared.difference(later.model.version, earlier.version)
    means = {name: losses.mean() for name, losses in compared.losses.items()}
    assert there.value == pytest.approx(means[earlier.version] - means[later.model.version])
    assert there.relative == pytest.approx(there.value / means[later.model.version])
    assert (back.value, back.lower, back.upper) == pytest.approx((-there.value, -there.upper, -there.lower), rel=0.05)
    assert there.lower < there.value < there.upper


def test_a_version_does_not_differ_from_itself(compared: Comparison, earlier: Model) -> None:
    same = compared.difference(earlier.version, earlier.version)
    assert (same.value, same.lower, same.upper) == (0.0, 0.0, 0.0)


def test_a_difference_that_every_day_shows_excludes_zero_and_noise_does_not() -> None:
    rng = np.random.default_rng(1)
    market = np.exp(rng.normal(3, 1, 28))  # shared by both, far larger than what they differ in
    found = paired_difference(market + 0.5 + rng.normal(0, 0.2, 28), market)
    assert found.lower > 0
    assert found.value == pytest.approx(0.5, abs=0.1)
    noise = paired_difference(market + rng.normal(0, 0.2, 28), market)
    assert noise.lower < 0 < noise.upper


def test_a_version_that_has_learnt_from_the_test_days_is_refused(
    small_panel: Panel, later: TrainedModel, last: date
) -> None:
    past = design_up_to(small_panel, last - 3 * WEEK)
    with pytest.raises(ValueError, match=rf"{later.model.version} has learnt from days up to .* cannot be judged on"):
        compare_on(past, [later.model], INTERVALS)


OLD = "!"
"""Sorts before every other value of day_of_week, so that all their codes move."""


def with_days(panel: Panel, values: pa.Array | pa.ChunkedArray) -> Panel:
    """The panel with another column day_of_week."""
    place = panel.frame.column_names.index("day_of_week")
    return replace(panel, frame=panel.frame.set_column(place, "day_of_week", values))


@pytest.fixture(scope="module")
def model_of_old(small_panel: Panel, last: date) -> Model:
    """A version that has learnt a value which days after its first two weeks do not have any more."""
    first = pc.min(small_panel.frame["target_date"]).as_py()
    early = pc.less(small_panel.frame["target_date"], pa.scalar(first + 2 * WEEK, pa.date32()))
    older = with_days(small_panel, pc.if_else(early, pa.scalar(OLD), small_panel.frame["day_of_week"]))
    return trained_up_to(older, last - WEEK, replace(SMALL, booster=BoosterSettings(rounds=1)))


def day_of_week(model: Model, matrix: Any) -> Any:
    return matrix[:, [feature.name for feature in model.encoding].index("day_of_week")]


def test_categories_are_translated_into_those_that_each_version_has_learnt(
    small_panel: Panel, model_of_old: Model, design: Design
) -> None:
    frame = known_by(small_panel, design.cutoff).sort_by([("target_date", "ascending"), ("account_id", "ascending")])
    through = matrix_of(model_of_old, design, design.rows)
    assert np.array_equal(through, to_matrix(frame, model_of_old.encoding), equal_nan=True)
    codes = design.rows[ENCODED + "day_of_week"].to_numpy()
    assert np.array_equal(day_of_week(model_of_old, through), codes + 1)


@pytest.mark.parametrize(("columns", "is_missing"), [((), True), (("day_of_week",), False)])
def test_a_category_too_rare_for_the_design_is_missing_unless_the_rows_hold_the_column(
    small_panel: Panel, model_of_old: Model, last: date, columns: tuple[str, ...], is_missing: bool
) -> None:
    values = pa.array([*small_panel.frame["day_of_week"].to_pylist()[:-1], OLD])
    design = design_up_to(with_days(small_panel, values), last, (*SMALL.columns, *columns))
    (code,) = day_of_week(model_of_old, matrix_of(model_of_old, design, design.rows))[-1:]
    assert np.isnan(code) == is_missing
    assert is_missing or code == 0.0


def test_a_feature_that_the_rows_lack_or_know_otherwise_is_named(
    small_panel: Panel, earlier: Model, design: Design
) -> None:
    fewer = replace(design, encoding=design.encoding[1:])
    with pytest.raises(
        ModelMismatchError, match=f"{earlier.version} needs the feature {design.encoding[0].name}, which"
    ):
        matrix_of(earlier, fewer, design.rows)
    other = replace(design, encoding=(replace(design.encoding[0], kind="flag"), *design.encoding[1:]))
    with pytest.raises(
        ModelMismatchError, match=f"reads {design.encoding[0].name} as numeric, in the rows it is a flag"
    ):
        matrix_of(earlier, other, design.rows)


def test_what_open_positions_will_realise_cannot_be_left_out(earlier: Model, design: Design) -> None:
    carrying = Model({**earlier.manifest, "carry": {"weekday": 0.5, "weekend": 0.0}}, earlier.files)
    with pytest.raises(ModelMismatchError, match=f"{earlier.version} needs open_pnl, which the rows do not have"):
        matrix_of(carrying, design, design.rows)
