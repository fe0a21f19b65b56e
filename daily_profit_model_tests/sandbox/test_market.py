"""The simulated market has the features that matter to forecasts: regimes, fat tails, a shared factor."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from daily_profit_model.sandbox import exits, market, symbols
from daily_profit_model.sandbox.state import Positions

DAYS = 900


@pytest.fixture(scope="module")
def moves() -> pd.DataFrame:
    """Daily moves in units of the usual volatility, with the regime of the day."""
    rng = np.random.default_rng(1)
    state = market.start(rng)
    rows = []
    for _ in range(DAYS):
        state, _ = market.draw_day(state, weekend=False, rng=rng)
        rows.append([int(state.regime[0]), *state.last_move[0]])
    return pd.DataFrame(rows, columns=["regime", *symbols.NAMES])


def test_tails_are_fatter_than_the_normal_curve(moves: pd.DataFrame) -> None:
    assert (moves[list(symbols.NAMES)].kurt() > 0.5).all()


def test_volatility_persists(moves: pd.DataFrame) -> None:
    size = moves["SPX500"].abs()
    assert size.autocorr(1) > 0.05
    by_regime = size.groupby(moves["regime"]).mean()
    assert by_regime[2] > 1.8 * by_regime[0]


def test_indices_share_a_factor_and_gold_does_not_follow_it(moves: pd.DataFrame) -> None:
    together = moves[list(symbols.NAMES)].corr()["SPX500"]
    assert together["NDX100"] > 0.6
    assert together["BTCUSD"] > 0.3
    assert together["XAUUSD"] < 0.0


def test_only_crypto_moves_at_a_weekend() -> None:
    rng = np.random.default_rng(2)
    _, path = market.draw_day(market.start(rng), weekend=True, rng=rng)
    moved = np.ptp(path.price[0], axis=1) > 0
    assert (moved == symbols.CRYPTO).all()


def test_a_stop_closes_at_its_price_at_the_first_touch() -> None:
    rng = np.random.default_rng(3)
    _, path = market.draw_day(market.start(rng), weekend=False, rng=rng)
    count = 400
    opened = rng.uniform(0.0, 20.0, count)
    symbol = rng.integers(0, symbols.COUNT, count)
    entry = market.price_at(path, symbol, opened)
    width = entry * symbols.DAILY_VOL[symbol] * rng.uniform(0.1, 0.6, count)
    lower, upper = entry - width, np.where(rng.random(count) < 0.5, np.inf, entry + width)
    positions = Positions(
        account=np.arange(count),
        number=np.arange(count),
        symbol=symbol,
        side=np.ones(count),
        lots=np.ones(count),
        entry=entry,
        lower=lower,
        upper=upper,
        opened=opened,
        closes=np.minimum(opened + rng.uniform(0.05, 12.0, count), 23.9),
    )
    found = exits.undisturbed(path, symbol, positions)
    for row in range(count):
        hours = np.linspace(opened[row], positions.closes[row], 4000)
        prices = market.price_at(path, np.full(4000, symbol[row]), hours)
        outside = np.flatnonzero((prices <= lower[row]) | (prices >= upper[row]))
        expected = hours[outside[0]] if len(outside) else positions.closes[row]
        assert found.hour[row] == pytest.approx(expected, abs=0.02)
    hit = found.hour < positions.closes - 0.02
    assert 50 < hit.sum() < 350
