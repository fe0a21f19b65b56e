"""Expectations as data: a Great Expectations type by name, its arguments, and the statement in words.

Only expectations that judge row by row are made here, so that one validation of many days can be
told apart by day. Running them belongs to `validation`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Expectation:
    """One statement about rows."""

    kind: str
    """Name of the type in `great_expectations.expectations`."""
    arguments: Mapping[str, object]
    says: str
    """The statement in words."""
    mostly: float = 1.0
    """Share of a day's rows that must satisfy it."""
    columns: tuple[str, ...] = field(default=())
    """The columns it looks at, the measured one first."""


def between(
    column: str,
    low: float | None = None,
    high: float | None = None,
    *,
    says: str,
    mostly: float = 1.0,
    shows: Sequence[str] = (),
) -> Expectation:
    """The column lies within `low` … `high`, ends included; a null is not judged. `shows`: columns that explain it."""
    arguments = {"column": column, "min_value": low, "max_value": high}
    return Expectation("ExpectColumnValuesToBeBetween", arguments, says, mostly, (column, *shows))


def in_set(column: str, values: Sequence[object], *, says: str) -> Expectation:
    """The column holds one of `values`; a null is not judged."""
    arguments = {"column": column, "value_set": list(values)}
    return Expectation("ExpectColumnValuesToBeInSet", arguments, says, columns=(column,))


def not_null(column: str, *, says: str = "") -> Expectation:
    """The column has a value."""
    kind = "ExpectColumnValuesToNotBeNull"
    return Expectation(kind, {"column": column}, says or f"{column} is there", columns=(column,))


def unique(columns: Sequence[str]) -> Expectation:
    """No two rows have the same values in `columns`, a null counting as a value."""
    arguments = {"column_list": list(columns), "ignore_row_if": "never"}
    says = f"one row for each {', '.join(columns)}"
    return Expectation("ExpectCompoundColumnsToBeUnique", arguments, says, columns=tuple(columns))


def at_least(larger: str, smaller: str, *, says: str) -> Expectation:
    """The column `larger` is not below `smaller`; not judged where either is null."""
    arguments = {
        "column_A": larger,
        "column_B": smaller,
        "or_equal": True,
        "ignore_row_if": "either_value_is_missing",
    }
    return Expectation("ExpectColumnPairValuesAToBeGreaterThanB", arguments, says, columns=(larger, smaller))


def equal(column: str, other: str, *, says: str) -> Expectation:
    """Both columns hold the same value."""
    arguments = {"column_A": column, "column_B": other, "ignore_row_if": "both_values_are_missing"}
    return Expectation("ExpectColumnPairValuesToBeEqual", arguments, says, columns=(column, other))


def absent(column: str, *, says: str, mostly: float = 1.0) -> Expectation:
    """The column is null: where SQL names what is wrong with a row (see `conditions`), nothing is."""
    return Expectation("ExpectColumnValuesToBeNull", {"column": column}, says, mostly, (column,))


def not_in_set(column: str, values: Sequence[object], *, says: str, mostly: float = 1.0) -> Expectation:
    """The column holds none of `values`; a null is not judged."""
    arguments = {"column": column, "value_set": list(values)}
    return Expectation("ExpectColumnValuesToNotBeInSet", arguments, says, mostly, (column,))


def matches(column: str, pattern: str, *, says: str, mostly: float = 1.0) -> Expectation:
    """The regular expression is found in the column's text; a null is not judged."""
    arguments = {"column": column, "regex": pattern}
    return Expectation("ExpectColumnValuesToMatchRegex", arguments, says, mostly, (column,))


def matches_not(column: str, pattern: str, *, says: str) -> Expectation:
    """The regular expression is not found in the column's text; a null is not judged."""
    arguments = {"column": column, "regex": pattern}
    return Expectation("ExpectColumnValuesToNotMatchRegex", arguments, says, columns=(column,))


def length(column: str, characters: int, *, says: str) -> Expectation:
    """The column's text has so many characters; a null is not judged."""
    arguments = {"column": column, "value": characters}
    return Expectation("ExpectColumnValueLengthsToEqual", arguments, says, columns=(column,))


def length_between(column: str, low: int, high: int, *, says: str) -> Expectation:
    """The column's text has `low` to `high` characters; a null is not judged."""
    arguments = {"column": column, "min_value": low, "max_value": high}
    return Expectation("ExpectColumnValueLengthsToBeBetween", arguments, says, columns=(column,))


def is_json(column: str, *, says: str) -> Expectation:
    """The column's text is a JSON document; a null is not judged."""
    return Expectation("ExpectColumnValuesToBeJsonParseable", {"column": column}, says, columns=(column,))


def pair_in_set(column: str, other: str, pairs: Sequence[tuple[object, object]], *, says: str) -> Expectation:
    """Both columns together hold one of `pairs`; not judged where either is null."""
    arguments = {
        "column_A": column,
        "column_B": other,
        "value_pairs_set": list(pairs),
        "ignore_row_if": "either_value_is_missing",
    }
    return Expectation("ExpectColumnPairValuesToBeInSet", arguments, says, columns=(column, other))


def adds_up_to(columns: Sequence[str], total: float, *, says: str) -> Expectation:
    """The columns add up to `total`, exactly; not judged where any is null."""
    arguments = {"column_list": list(columns), "sum_total": total, "ignore_row_if": "any_value_is_missing"}
    return Expectation("ExpectMulticolumnSumToEqual", arguments, says, columns=tuple(columns))
