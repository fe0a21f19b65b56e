"""What happens by the clock, and what follows from new data."""

from __future__ import annotations

from datetime import UTC, date, datetime

import dagster as dg
import pytest

from daily_profit_model.defs.automation.schedules import every_monday, every_morning
from daily_profit_model.defs.automation.sensors import newest_day


def test_the_morning_asks_for_the_data_of_yesterday() -> None:
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 6, 2, 6, tzinfo=UTC))
    request = every_morning(context)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2026-06-01"
    assert every_morning.cron_schedule == "0 6 * * *"


def test_monday_asks_for_the_cut_off_of_sunday() -> None:
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 6, 8, 7, tzinfo=UTC))
    request = every_monday(context)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2026-06-07"
    assert date.fromisoformat("2026-06-07").isoweekday() == 7


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"dagster/partition": "2026-06-01"}, date(2026, 6, 1)),
        ({"dagster/asset_partition_range_start": "2026-05-01", "dagster/asset_partition_range_end": "2026-06-01"},
         date(2026, 6, 1)),
        ({"dagster/partition": "2026-05-31"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_only_yesterday_asks_for_outcomes_and_predictions(tags: dict[str, str], expected: date | None) -> None:
    assert newest_day(tags, today=date(2026, 6, 2)) == expected
