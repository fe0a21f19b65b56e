"""What the benchmark of the sensors plants is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from daily_profit_model.sandbox import firm, population
from daily_profit_model_tests.benchmarks.sensors_planted import LOWERED, plant_world

WEEKDAYS = 5


def test_planted_traders_trade_more_from_the_day_of_the_change_on_and_those_of_no_later_world_do(
    tmp_path: Path,
) -> None:
    real = (firm.days.simulate, population.draw_traits)
    sunday = date(2026, 6, 28)
    plant_world(tmp_path / "world", replace(LOWERED, accounts=20, days=14, change=7), sunday)
    rows = pq.read_table(tmp_path / "world" / "account_days.parquet")
    days, trades = rows["day"].to_numpy(), rows["trades"].to_numpy()
    monday = days.max() - 6
    before, after = (trades[(first <= days) & (days < first + WEEKDAYS)].mean() for first in (monday - 7, monday))
    assert after > 1.2 * before  # accounts that end sooner, and limits of a day, take the rest of the factor
    assert (firm.days.simulate, population.draw_traits) == real
