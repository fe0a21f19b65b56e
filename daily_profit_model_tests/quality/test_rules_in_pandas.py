"""Every kind of statement once more, in plain pandas over the rows of its frame: it counts what `evaluate` counts.

The frames' own SQL is told once more in `test_tables_in_pandas` and `test_served_in_pandas`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import pytest

from daily_profit_model.quality.expectation import Expectation
from daily_profit_model_tests.quality.judged import Judged
from daily_profit_model_tests.quality.small_firm import RULES

Mask = Callable[[Mapping[str, Any], pd.DataFrame], pd.Series]
OF_SQL = [rule for rule in RULES if rule.frame.query is not None]


def of_column(test: Callable[[Any, Mapping[str, Any]], bool]) -> Mask:
    """Values of one column that are there and fail the test."""

    def wrong(arguments: Mapping[str, Any], rows: pd.DataFrame) -> pd.Series:
        values = rows[arguments["column"]]
        return values.notna() & ~values.map(lambda value: pd.notna(value) and test(value, arguments)).astype(bool)

    return wrong


def inside(value: Any, arguments: Mapping[str, Any]) -> bool:
    low, high = arguments["min_value"], arguments["max_value"]
    return (low is None or value >= low) and (high is None or value <= high)


def parses(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def of_pair(test: Callable[[Any, Any, Mapping[str, Any]], bool]) -> Mask:
    """Pairs that are there and fail the test."""

    def wrong(arguments: Mapping[str, Any], rows: pd.DataFrame) -> pd.Series:
        pairs = zip(rows[arguments["column_A"]], rows[arguments["column_B"]], strict=True)
        return pd.Series(
            [pd.notna(one) and pd.notna(other) and not test(one, other, arguments) for one, other in pairs],
            index=rows.index,
        )

    return wrong


def unequal(arguments: Mapping[str, Any], rows: pd.DataFrame) -> pd.Series:
    one, other = rows[arguments["column_A"]], rows[arguments["column_B"]]
    return (one != other) & (one.notna() | other.notna())


def sum_off(arguments: Mapping[str, Any], rows: pd.DataFrame) -> pd.Series:
    parts = rows[list(arguments["column_list"])].astype(float)
    return parts.notna().all(axis=1) & (parts.sum(axis=1) != arguments["sum_total"])


IN_PANDAS: dict[str, Mask] = {
    "ExpectColumnValuesToBeBetween": of_column(inside),
    "ExpectColumnValuesToBeInSet": of_column(lambda value, said: value in said["value_set"]),
    "ExpectColumnValuesToNotBeInSet": of_column(lambda value, said: value not in said["value_set"]),
    "ExpectColumnValuesToBeNull": lambda said, rows: rows[said["column"]].notna(),
    "ExpectColumnValuesToNotBeNull": lambda said, rows: rows[said["column"]].isna(),
    "ExpectColumnValuesToMatchRegex": of_column(lambda value, said: re.search(said["regex"], value) is not None),
    "ExpectColumnValuesToNotMatchRegex": of_column(lambda value, said: re.search(said["regex"], value) is None),
    "ExpectColumnValueLengthsToEqual": of_column(lambda value, said: len(value) == said["value"]),
    "ExpectColumnValueLengthsToBeBetween": of_column(lambda value, said: inside(len(value), said)),
    "ExpectColumnValuesToBeJsonParseable": of_column(lambda value, _: parses(value)),
    "ExpectCompoundColumnsToBeUnique": lambda said, rows: rows.duplicated(list(said["column_list"]), keep=False),
    "ExpectColumnPairValuesAToBeGreaterThanB": of_pair(lambda larger, smaller, _: larger >= smaller),
    "ExpectColumnPairValuesToBeEqual": unequal,
    "ExpectColumnPairValuesToBeInSet": of_pair(lambda one, other, said: (one, other) in said["value_pairs_set"]),
    "ExpectMulticolumnSumToEqual": sum_off,
}


def test_every_kind_of_statement_is_restated() -> None:
    assert {part.kind for rule in RULES for part in rule.expectations} <= set(IN_PANDAS)


@pytest.mark.parametrize("table", dict.fromkeys(rule.table for rule in OF_SQL))
def test_every_rule_counts_what_pandas_counts(judged: dict[str, Judged], table: str) -> None:
    of_table = judged[table]
    frames: dict[str, pd.DataFrame] = {}
    seen = 0
    for outcome in of_table.outcomes:
        rule = outcome.rule
        if rule.frame.query is None:
            continue
        if rule.frame.name not in frames:
            frames[rule.frame.name] = of_table.in_memory(rule.frame, of_table.days).to_pandas(date_as_object=False)
        rows = frames[rule.frame.name]
        own = rows[pd.DatetimeIndex(rows[rule.frame.day]) == pd.Timestamp(outcome.partition)].reset_index(drop=True)
        counts = [violations(part, own) for part in rule.expectations]
        assert [part.unexpected_count for part in outcome.parts] == counts, (outcome.partition, rule.id)
        limits = [part.mostly for part in rule.expectations]
        holds = all(count <= round((1 - most) * len(own), 9) for count, most in zip(counts, limits, strict=True))
        assert outcome.passed == holds
        seen += not holds
    assert seen, "no spoiled day was seen"


def violations(expectation: Expectation, rows: pd.DataFrame) -> int:
    return int(IN_PANDAS[expectation.kind](expectation.arguments, rows).sum()) if len(rows) else 0
