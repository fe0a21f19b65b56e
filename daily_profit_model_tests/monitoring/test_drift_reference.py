"""Which charts of a version are taken for alike."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from daily_profit_model.monitoring.drift import day_statistics, profile_of_numbers
from daily_profit_model.monitoring.drift_reference import alike


def test_charts_of_a_column_with_one_value_a_day_are_alike_and_those_of_others_stand_alone() -> None:
    rng = np.random.default_rng(1)
    own, market = rng.normal(size=(30, 50)), np.repeat(rng.normal(size=(30, 1)), 50, axis=1)
    profiles = [
        profile_of_numbers(name, values.ravel().astype(np.float32))
        for name, values in (("own", own), ("market", market))
    ]
    days = [
        day_statistics(pa.table({"own": mine, "market": all_alike}), profiles)
        for mine, all_alike in zip(own, market, strict=True)
    ]
    numbers = alike(days, profiles)
    each = len(profiles[0].statistics)
    assert len(set(numbers[:each])) == each
    assert len(set(numbers[each:])) == 1
    assert len(numbers) == 2 * each
    assert set(numbers) == set(range(each + 1))
