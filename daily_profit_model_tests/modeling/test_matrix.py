"""Encoding is learnt once, kept with the model, and refuses rows of another form."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from daily_profit_model.modeling.matrix import (
    EncodedFeature,
    ModelFeature,
    ModelMismatchError,
    check_features,
    learn_encoding,
    to_matrix,
)

FEATURES = [ModelFeature("x", "numeric"), ModelFeature("plan", "category"), ModelFeature("late", "flag")]
ROWS = pa.table({"x": [1.5, None, 3.0], "plan": ["b", "a", None], "late": pa.array([True, None, False], pa.bool_())})


def encoding() -> tuple[EncodedFeature, ...]:
    return learn_encoding(ROWS, FEATURES, rarest=1)


def test_missing_stays_missing_and_is_never_zero_L9() -> None:
    matrix = to_matrix(ROWS, encoding())
    np.testing.assert_array_equal(matrix, np.array([[1.5, 1, 1], [np.nan, 0, np.nan], [3, np.nan, 0]], "f4"))


def test_a_category_never_seen_in_training_is_missing() -> None:
    unseen = ROWS.set_column(1, "plan", pa.array(["b", "new", "a"]))
    np.testing.assert_array_equal(to_matrix(unseen, encoding())[:, 1], [1, np.nan, 0])


def test_a_category_too_rare_to_learn_from_is_missing() -> None:
    assert learn_encoding(ROWS, FEATURES, rarest=2)[1].categories == ()


def test_columns_are_found_by_name_so_their_order_in_the_rows_does_not_matter() -> None:
    np.testing.assert_array_equal(
        to_matrix(ROWS.select(["late", "x", "plan"]), encoding()), to_matrix(ROWS, encoding())
    )


def test_dictionary_encoded_text_is_the_same_feature_as_text() -> None:
    stored = ROWS.set_column(1, "plan", ROWS["plan"].dictionary_encode())
    np.testing.assert_array_equal(to_matrix(stored, encoding()), to_matrix(ROWS, encoding()))


def test_rows_without_a_feature_are_refused_by_its_name() -> None:
    with pytest.raises(ModelMismatchError, match="the rows lack the feature plan"):
        to_matrix(ROWS.drop_columns(["plan"]), encoding())


def test_rows_with_another_type_are_refused_with_both_types() -> None:
    retyped = ROWS.set_column(0, "x", pa.array(["1", "2", "3"]))
    with pytest.raises(ModelMismatchError, match="feature x is string in the rows.*trained on double"):
        to_matrix(retyped, encoding())


def test_a_kind_that_does_not_fit_its_column_is_refused() -> None:
    with pytest.raises(ModelMismatchError, match="plan is declared numeric but its column is string"):
        learn_encoding(ROWS, [ModelFeature("plan", "numeric")])


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ([*FEATURES, ModelFeature("y", "numeric")], "lacks the feature y"),
        (FEATURES[:2], "not expected: late"),
        ([FEATURES[1], FEATURES[0], FEATURES[2]], "reordered: place 0 holds x, expected plan"),
        ([FEATURES[0], FEATURES[1], ModelFeature("late", "numeric")], "reads late as flag, expected numeric"),
    ],
)
def test_a_model_with_other_features_is_refused(expected: list[ModelFeature], message: str) -> None:
    check_features(FEATURES, encoding())
    with pytest.raises(ModelMismatchError, match=message):
        check_features(expected, encoding())
