"""Judged days as plain pandas, for statements that are made once more without a frame's SQL. No tests here."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from daily_profit_model_tests.quality.judged import Judged
from daily_profit_model_tests.quality.small_firm import TABLES, day_before, good_day


class Days:
    """The rows of a day and of the one before it, as a fault left them."""

    def __init__(self, judged: Judged, day: str) -> None:
        self._made = good_day(day)
        judged.spoiled[day](self._made)
        self._before = good_day(day_before(day))

    def rows(self, table: str) -> pd.DataFrame:
        return pd.DataFrame(self._made.rows[table])

    def complete(self, table: str) -> pd.DataFrame:
        """The rows with every column of the contract: what a record does not name is missing."""
        return self.rows(table).reindex(columns=list(TABLES[table].column_names))

    def before(self, table: str) -> pd.DataFrame:
        return pd.DataFrame(self._before.rows[table])


Count = Callable[[Days], int]
"""How many rows of a day violate a statement."""

Which = tuple[str, str, int]
"""A statement: the table, the rule, and its place among the rule's expectations."""


def agree(judged: dict[str, Judged], which: Which, count: Count) -> None:
    """On every judged day the rules' engine counts what `count` counts, and on one at least that is something."""
    table, rule_id, place = which
    of_table = judged[table]
    counted = {
        outcome.partition: (outcome.parts[place].unexpected_count, count(Days(of_table, outcome.partition)))
        for outcome in of_table.outcomes
        if outcome.rule.id == rule_id
    }
    assert all(found == expected for found, expected in counted.values()), counted
    assert any(expected for _, expected in counted.values()), "no spoiled day was seen"


def named(which: Which) -> str:
    """As it is called among the tests."""
    return f"{which[0]} {which[1]} {which[2]}"
