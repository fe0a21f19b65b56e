"""What the simulations of shadows and drift judge by: their laws are as stated, and each measure says no where it should."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from daily_profit_model_tests.benchmarks import shadow_simulation
from daily_profit_model_tests.benchmarks.drift_simulation import World, summary
from daily_profit_model_tests.benchmarks.shadow_simulation import Days, Simulation, is_promoted, upper_bound


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            shadow_simulation, "STOCK", 200
        )  # a tenth of the means is enough, and made in a tenth of the time
        yield Simulation(1)


@pytest.mark.parametrize("law", [Days(0.0), Days(0.5), Days(0.3, "t3"), Days(0.0, "skewed")])
def test_day_differences_have_mean_zero_variance_one_and_the_stated_correlation(
    simulation: Simulation, law: Days
) -> None:
    days = simulation.standard_days(law, 400, 250)
    assert days.mean() == pytest.approx(0.0, abs=0.02)
    assert days.std() == pytest.approx(1.0, abs=0.1)
    assert np.mean(days[:, 1:] * days[:, :-1]) == pytest.approx(law.correlation, abs=0.05)


def test_the_bound_is_clopper_and_pearsons() -> None:
    assert upper_bound(0, 100) == pytest.approx(1 - 0.01 ** (1 / 100))
    assert upper_bound(925, 20_000) < 0.05 < upper_bound(935, 20_000)
    assert upper_bound(5, 5) == 1.0


def test_only_a_promotion_counts_as_one() -> None:
    assert is_promoted(np.array([0, 1, 2, 3, 4])).tolist() == [False, True, False, False, False]


def test_a_summary_says_no_to_alarms_delays_and_wrong_blame() -> None:
    def judged(alarms: int, two: int, three: int, first: bool) -> list[object]:
        years = [
            {"alarm": place < alarms, "delays": {2.0: [two], 3.0: [three]}, "first": [first]} for place in range(10)
        ]
        return [row["holds"] for row in summary(years, 0.0) if row["promised"] != "-"]

    assert judged(1, 10, 5, True) == [True] * 4
    assert judged(2, 11, 6, False) == [False] * 4


def test_a_shift_is_as_large_as_stated() -> None:
    world = World(3, rows=500)
    values = world._values(7, np.repeat(world._factors(600)[:, 7], 500)).reshape(600, 500)
    means = values.sum(axis=1) / (values != 0).sum(axis=1)
    assert means.std() == pytest.approx(world.day_spread(7), rel=0.15)


def test_drawn_counts_vary_as_counted_rows_do() -> None:
    world = World(4, rows=2_000)
    values, known = world.days(60)
    assert values.shape == known.shape == (60, 51 * 6)
    location, zero_share = values[:, 0::6], values[:, 5::6]
    assert np.abs(location.mean(axis=0)).max() < 0.1
    assert zero_share.mean() == pytest.approx(0.4, abs=0.01)
    calm = np.argmin(world.shared)
    assert location[:, calm].std() < location[:, np.argmax(world.shared)].std()
