"""Feature rows as the matrix that the boosters see, and the record of how each column was encoded.

Here: declared features, learnt category vocabularies, Arrow to numpy. What a feature means is the
catalogue's business, not this module's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

FeatureKind = Literal["numeric", "category", "flag"]
Floats = npt.NDArray[np.float64]

RAREST_CATEGORY_ROWS = 20
"""A category seen in fewer training rows is read as missing: too few rows to learn a split from."""


class ModelMismatchError(ValueError):
    """What was handed to a model is not what the model was trained on; the message says which part."""


@dataclass(frozen=True)
class ModelFeature:
    """A feature as the caller declares it: its column name and how a booster must read it."""

    name: str
    kind: FeatureKind


@dataclass(frozen=True)
class EncodedFeature:
    """A feature as a model knows it: Arrow type in training, and its categories in code order."""

    name: str
    kind: FeatureKind
    type: str
    categories: tuple[str, ...] = ()


def learn_encoding(
    rows: pa.Table, features: Sequence[ModelFeature], rarest: int = RAREST_CATEGORY_ROWS
) -> tuple[EncodedFeature, ...]:
    """How each feature is encoded, learnt from training rows alone (validation never adds a category)."""
    names = [feature.name for feature in features]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"features declared twice: {', '.join(twice)}")
    if missing := [name for name in names if name not in rows.column_names]:
        raise ModelMismatchError(f"the frame lacks feature columns: {', '.join(missing)}")
    return tuple(_learn_one(rows, feature, rarest) for feature in features)


def _learn_one(rows: pa.Table, feature: ModelFeature, rarest: int) -> EncodedFeature:
    column = rows.column(feature.name)
    _check_kind(feature.name, feature.kind, column.type)
    categories: tuple[str, ...] = ()
    if feature.kind == "category":
        counts = pc.value_counts(_as_text(column).drop_null()).to_pylist()
        categories = tuple(sorted(c["values"] for c in counts if c["counts"] >= rarest))
    return EncodedFeature(feature.name, feature.kind, type_name(column.type), categories)


def _check_kind(name: str, kind: FeatureKind, kind_type: pa.DataType) -> None:
    number = pa.types.is_integer(kind_type) or pa.types.is_floating(kind_type)
    number = number or pa.types.is_decimal(kind_type)
    flag = pa.types.is_boolean(kind_type)
    fits = {
        "numeric": number,
        "flag": flag or number,
        "category": not pa.types.is_nested(kind_type),
    }[kind]
    if not fits:
        raise ModelMismatchError(f"feature {name} is declared {kind} but its column is {kind_type}")


def type_name(arrow_type: pa.DataType) -> str:
    """The type as the manifest holds it; large and dictionary-encoded text read as plain text."""
    if pa.types.is_dictionary(arrow_type):
        return type_name(arrow_type.value_type)
    return "string" if pa.types.is_large_string(arrow_type) else str(arrow_type)


def check_rows(rows: pa.Table, encoding: Sequence[EncodedFeature]) -> None:
    """Refuses rows that lack a feature or hold it in another type; columns are found by name."""
    types = {field.name: field.type for field in rows.schema}  # once: a schema is made anew whenever it is asked for
    for feature in encoding:
        if feature.name not in types:
            raise ModelMismatchError(f"the rows lack the feature {feature.name}")
        found = type_name(types[feature.name])
        if found != feature.type:
            raise ModelMismatchError(
                f"the feature {feature.name} is {found} in the rows, the model was trained on {feature.type}"
            )


def check_features(expected: Sequence[ModelFeature], encoding: Sequence[EncodedFeature]) -> None:
    """Refuses a model whose features are not the expected ones: missing, unknown, reordered or retyped."""
    ours = [feature.name for feature in encoding]
    theirs = [feature.name for feature in expected]
    if missing := [name for name in theirs if name not in ours]:
        raise ModelMismatchError(f"the model lacks the feature {missing[0]}")
    if unknown := [name for name in ours if name not in theirs]:
        raise ModelMismatchError(f"the model has a feature that is not expected: {unknown[0]}")
    for place, (mine, yours) in enumerate(zip(encoding, expected, strict=True)):
        if mine.name != yours.name:
            raise ModelMismatchError(
                f"the model's columns are reordered: place {place} holds {mine.name}, expected {yours.name}"
            )
        if mine.kind != yours.kind:
            raise ModelMismatchError(f"the model reads {mine.name} as {mine.kind}, expected {yours.kind}")


def to_matrix(rows: pa.Table, encoding: Sequence[EncodedFeature]) -> npt.NDArray[np.float32]:
    """Rows x features, float32; missing and never seen categories are NaN (LightGBM reads NaN as missing)."""
    check_rows(rows, encoding)
    matrix = np.empty((rows.num_rows, len(encoding)), dtype=np.float32, order="C")
    for place, feature in enumerate(encoding):
        matrix[:, place] = encoded_column(rows, feature)
    return matrix


def encoded_column(rows: pa.Table, feature: EncodedFeature) -> npt.NDArray[np.float32]:
    """One column of the matrix."""
    column = rows.column(feature.name)
    if feature.kind == "category":
        column = pc.index_in(_as_text(column), value_set=pa.array(feature.categories, pa.string()))
    return floats(column).astype(np.float32)


def floats(column: pa.ChunkedArray | pa.Array) -> Floats:
    """A column as float64 with NaN for null."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    whole = pa.chunked_array([column]) if isinstance(column, pa.Array) else column
    return np.asarray(whole.cast(pa.float64()).to_numpy(), dtype=np.float64)


def category_places(encoding: Sequence[EncodedFeature]) -> list[int]:
    """The column numbers that LightGBM must treat as categories."""
    return [place for place, feature in enumerate(encoding) if feature.kind == "category"]


def _as_text(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    return column.cast(pa.string())
