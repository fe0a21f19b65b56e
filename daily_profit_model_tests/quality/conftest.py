"""What the tests of rules share: all rules judged once a process."""

from __future__ import annotations

import pytest

from daily_profit_model_tests.quality.judged import Judged, judge
from daily_profit_model_tests.quality.small_firm import RULES


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Judged]:
    """By table what became of its rules on good and spoiled days."""
    tables = dict.fromkeys(rule.table for rule in RULES)
    return {table: judge(table, tmp_path_factory.mktemp("lake")) for table in tables}
