"""Which instants a live snapshot may stand for, and how far ahead questions are asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from daily_profit_model.defs.raw.assets import ahead, is_live
from daily_profit_model.risk_api.decode import Decoded
from daily_profit_model.risk_api.quarantine import none
from daily_profit_model.tables.raw import RAW_TRADES_CLOSED

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


def test_days_arrive_in_order_whatever_is_asked_ahead() -> None:
    asked: list[Sequence[date]] = []

    def reader(days: Sequence[date]) -> Iterator[tuple[date, Decoded]]:
        asked.append(days)
        return ((day, Decoded(RAW_TRADES_CLOSED.schema().empty_table(), none())) for day in days)

    days = [DAY + timedelta(days=n) for n in range(37)]
    assert [day for day, _ in ahead(reader, days)] == days
    assert sorted(day for question in asked for day in question) == days
