"""Which instants a live snapshot may stand for."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from daily_profit_model.defs.raw.assets import is_live

DAY = date(2026, 6, 1)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 6, 2, 0, 5, tzinfo=UTC), True),
        (datetime(2026, 6, 2, 6, 20, tzinfo=UTC), True),
        (datetime(2026, 6, 2, 7, 1, tzinfo=UTC), False),
        (datetime(2026, 6, 2, 18, 0, tzinfo=UTC), False),
        (datetime(2026, 6, 3, 6, 0, tzinfo=UTC), False),
    ],
)
def test_a_snapshot_taken_after_the_cut_off_is_no_state_of_the_day_L3(now: datetime, expected: bool) -> None:
    assert is_live(DAY, now) is expected
