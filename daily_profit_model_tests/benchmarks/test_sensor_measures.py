"""What the benchmark of the sensors plants is there."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from daily_profit_model.sandbox.market import REGIME_MULTIPLE
from daily_profit_model_tests.benchmarks import sensors_end_to_end
from daily_profit_model_tests.benchmarks.sensors_end_to_end import CHANGE_FACTOR, plant_world

SECONDS_A_DAY = 86_400


def test_the_planted_market_moves_more_from_the_day_of_the_change_on_and_no_later_world_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensors_end_to_end, "CHANGE", 8)
    end = date(2026, 6, 30)
    usual = REGIME_MULTIPLE.copy()
    plant_world(tmp_path / "world", accounts=10, days=18, end=end)
    bars = pq.read_table(tmp_path / "world" / "bars.parquet")
    change = end - timedelta(days=9)
    days = bars["time"].to_numpy() // SECONDS_A_DAY - (change - date(1970, 1, 1)).days
    moves = pc.divide(pc.subtract(bars["high"], bars["low"]), bars["open"]).to_numpy()
    before, after = (moves[(first <= days) & (days < first + 8)].mean() for first in (-8, 0))
    assert after / before > CHANGE_FACTOR / 2
    assert np.array_equal(REGIME_MULTIPLE, usual)
