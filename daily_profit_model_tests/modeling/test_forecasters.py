"""What every candidate's outputs agree in, and the mixture of the two parts against draws from its own law."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daily_profit_model.modeling.forecasters import FORECASTERS, forecaster
from daily_profit_model.modeling.forecasters.two_part import SIZE_BOOSTERS, SIZE_LEVELS
from daily_profit_model.modeling.training import TrainedModel

numbers = st.floats(-1e3, 1e3)


@settings(deadline=None)
@given(st.sampled_from(sorted(FORECASTERS)), st.integers(1, 20), st.integers(0, 2**32 - 1), numbers)
def test_quantiles_never_cross_and_probabilities_agree_whatever_boosters_say(
    name: str, rows: int, seed: int, carry: float
) -> None:
    rng = np.random.default_rng(seed)
    candidate = forecaster(name)
    raw = {booster: rng.normal(0, 10.0 ** rng.integers(-3, 3), rows) for booster in candidate.learners}
    outputs = candidate.outputs(raw, np.full(rows, carry))
    assert all(np.isfinite(values).all() for values in outputs.values())
    assert np.all(outputs["q05"] <= outputs["median"])
    assert np.all(outputs["median"] <= outputs["q95"])
    if name != "two_part":  # whose mean is bounded by what its booster learns
        assert np.all((outputs["q05"] <= outputs["mean"]) & (outputs["mean"] <= outputs["q95"]))
    assert np.all((outputs["probability_profit"] >= 0) & (outputs["probability_trade"] <= 1))
    assert np.all(outputs["probability_profit"] <= outputs["probability_trade"])


def test_an_unknown_candidate_is_refused_with_the_names_of_the_known() -> None:
    with pytest.raises(ValueError, match="no forecaster 'l3': take one of l1, huber, fair, two_part"):
        forecaster("l3")


def test_the_median_is_zero_when_neither_profit_nor_loss_has_half_the_probability() -> None:
    raw = {
        "q05": np.array([-1.0, -1.0]),
        "median": np.array([0.2, 0.2]),
        "q95": np.array([1.0, 1.0]),
        "mean": np.zeros(2),
        "probability_trade": np.array([0.8, 0.8]),
        "probability_profit": np.array([0.4, 0.6]),
    }
    assert forecaster("l1").outputs(raw, np.zeros(2))["median"].tolist() == [0.0, 0.2]


def _raw(trade: float, sizes: npt.NDArray[np.float64], mean: float = 0.1) -> dict[str, npt.NDArray[np.float64]]:
    raw = {name: np.array([size]) for name, size in zip(SIZE_BOOSTERS, sizes, strict=True)}
    return {**raw, "size_mean": np.array([mean]), "probability_trade": np.array([trade])}


@pytest.mark.parametrize("trade", [0.0, 0.03, 0.3, 0.6, 0.9, 1.0])
def test_the_mixture_has_the_quantiles_and_the_chance_of_profit_of_draws_from_its_law(trade: float) -> None:
    sizes = np.array([-3.0, -1.1, -0.4, 0.15, 0.5, 1.2, 2.5])
    rng = np.random.default_rng(1)
    count = 400_000
    level = rng.random(count)
    size = np.interp(level, SIZE_LEVELS, sizes)  # flat outside, as the mixture never looks there
    drawn = np.where(rng.random(count) < trade, size, 0.0)
    outputs = forecaster("two_part").outputs(_raw(trade, sizes), np.zeros(1))
    for name, at in (("q05", 0.05), ("median", 0.5), ("q95", 0.95)):
        assert outputs[name][0] == pytest.approx(np.quantile(drawn, at), abs=0.02), name
    assert outputs["probability_profit"][0] == pytest.approx((drawn > 0).mean(), abs=0.005)
    assert outputs["mean"][0] == pytest.approx(trade * 0.1)


def test_an_account_that_hardly_trades_has_an_interval_of_no_width_before_calibration() -> None:
    outputs = forecaster("two_part").outputs(_raw(0.04, np.linspace(-3, 3, 7)), np.zeros(1))
    assert (outputs["q05"][0], outputs["median"][0], outputs["q95"][0]) == (0.0, 0.0, 0.0)


def test_the_size_of_a_trading_day_is_learnt_from_trading_days_alone(two_part: TrainedModel) -> None:
    texts = {name: two_part.model.files[f"booster_{name}.txt"].decode() for name in ("size_50", "probability_trade")}
    rows = {name: int(text.split("internal_count=")[1].split()[0]) for name, text in texts.items()}
    assert 0 < rows["size_50"] < rows["probability_trade"]


@given(st.floats(-4, 4), st.floats(-4, 4), st.lists(st.floats(-2, 2), min_size=3, max_size=3))
def test_contributions_of_a_product_add_up_to_it(base_odds: float, base_size: float, moves: list[float]) -> None:
    odds = np.array([[moves[0], moves[1], 0.0, base_odds]])
    size = np.array([[0.0, moves[1], moves[2], base_size]])
    carry = np.array([0.7])
    parts, base = forecaster("two_part").contributions({"probability_trade": odds, "size_mean": size}, carry, 2)
    trade = 1 / (1 + np.exp(-odds.sum()))
    assert parts.sum() + base[0] == pytest.approx(trade * (size.sum() + 0.7), abs=1e-9)
