"""What the demo's summary makes of days on which several versions served: a day stays one observation."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from daily_profit_model.defs.launch.summary import by_day
from daily_profit_model.tables.monitoring import MODEL_PERFORMANCE

DAY, NEXT = date(2026, 6, 1), date(2026, 6, 2)


def test_a_day_that_several_versions_served_is_one_row_with_the_means_over_its_accounts() -> None:
    rows = [
        {"prediction_date": NEXT, "model_version": "b", "accounts": 4, "pinball": 5.0, "coverage_90": 0.5},
        {"prediction_date": DAY, "model_version": "a", "accounts": 4, "pinball": 1.0, "coverage_90": 1.0},
        {"prediction_date": NEXT, "model_version": "a", "accounts": 12, "pinball": 1.0, "coverage_90": 1.0},
    ]
    schema = pa.schema([MODEL_PERFORMANCE.schema().field(name) for name in rows[0]])
    made = by_day(pa.Table.from_pylist(rows, schema=schema))
    assert made["accounts"].to_pylist() == [4, 16]
    assert made["pinball"].to_pylist() == [1.0, pytest.approx(2.0)]
    assert made["coverage_90"].to_pylist() == [1.0, pytest.approx(0.875)]
