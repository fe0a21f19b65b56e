"""The market: one day's price paths, drawn from a persistent volatility state.

Knows nothing of accounts. A draw is one possible day; the world uses a single draw, the truth many.
Prices move on a ten-minute grid and linearly in between, so every price lies inside its hourly bar.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from daily_profit_model.sandbox import symbols

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEPS: Final = 144
POINTS: Final = STEPS + 1
STEPS_PER_HOUR: Final = 6

#: Calm, normal, stormy: the multiple of the usual volatility, and how one follows another by day.
REGIMES: Final = ("low", "normal", "high")
REGIME_MULTIPLE: Final = np.array([0.65, 1.0, 1.7])
REGIME_CHANGE: Final = np.array([[0.94, 0.06, 0.0], [0.04, 0.92, 0.04], [0.0, 0.12, 0.88]])

#: The crowd buys falls, forgets by a fifth a day, and in the long run leans to buying what is no currency.
CROWD_LONG: Final = np.where(np.isin(np.array(symbols.NAMES), ["EURUSD", "GBPUSD", "USDJPY"]), 0.0, 0.35)

#: Volatility by hour of the day (UTC): quiet Asia, London, then the overlap with New York.
_HOURLY: Final = np.array(
    [
        0.6,
        0.6,
        0.6,
        0.6,
        0.6,
        0.6,
        0.7,
        1.0,
        1.2,
        1.1,
        1.0,
        1.0,
        1.1,
        1.5,
        1.7,
        1.6,
        1.4,
        1.2,
        1.1,
        1.0,
        0.9,
        0.6,
        0.5,
        0.5,
    ]
)
_SEASON: Final = np.repeat(_HOURLY / np.sqrt((_HOURLY**2).mean()), STEPS_PER_HOUR)


@dataclass(frozen=True)
class Market:
    """The state between two days; `draws` rows each: regime, log volatility, price, last day's move."""

    regime: Ints
    log_vol: Floats
    price: Floats
    last_move: Floats  # in units of the usual daily volatility
    crowd: Floats  # what the crowd leans to in each symbol, -1.5 … 1.5; above 0: buying


@dataclass(frozen=True)
class Path:
    """One day's prices, shape (draws, symbols, 145), and the volatility that made them, as a multiple."""

    price: Floats
    flat: Floats
    vol_multiple: Floats
    opened: NDArray[np.bool_]  # by symbol: does it trade on this day


def start(rng: np.random.Generator) -> Market:
    """The market on the eve of the first day, one draw."""
    shape = (1, symbols.COUNT)
    return Market(
        regime=np.ones(1, dtype=np.int64),
        log_vol=rng.normal(0.0, 0.2, shape),
        price=symbols.FIRST_PRICE[None, :].copy(),
        last_move=rng.normal(0.0, 1.0, shape),
        crowd=rng.normal(0.0, 0.4, shape),
    )


def spread(market: Market, draws: int) -> Market:
    """The same state, `draws` times over."""
    return Market(
        regime=np.repeat(market.regime, draws),
        log_vol=np.repeat(market.log_vol, draws, axis=0),
        price=np.repeat(market.price, draws, axis=0),
        last_move=np.repeat(market.last_move, draws, axis=0),
        crowd=np.repeat(market.crowd, draws, axis=0),
    )


def draw_day(market: Market, *, weekend: bool, rng: np.random.Generator) -> tuple[Market, Path]:
    """Draw the coming day: the state after it, and its paths.

    Returns are a one-factor model with volatility that is persistent (Markov regime times a
    log-AR(1) per symbol), seasonal within the day, and mixed at random by step, which gives fat tails.
    """
    draws = len(market.regime)
    regime = _next_regime(market.regime, rng)
    surprise = 0.025 * (np.abs(market.last_move) - 0.8)
    log_vol = 0.88 * market.log_vol + surprise + rng.normal(0.0, 0.13, market.log_vol.shape)
    multiple = REGIME_MULTIPLE[regime][:, None] * np.exp(np.clip(log_vol, -0.9, 0.9))
    opened = symbols.CRYPTO | (not weekend)

    mixing = np.exp(0.45 * rng.standard_normal((draws, 1, STEPS)) - 0.2)
    factor = rng.standard_normal((draws, 1, STEPS))
    own = rng.standard_normal((draws, symbols.COUNT, STEPS))
    loading = symbols.LOADING[None, :, None]
    shock = (loading * factor + np.sqrt(1.0 - loading**2) * own) * mixing
    sigma = (symbols.DAILY_VOL * opened)[None, :, None] * multiple[:, :, None] * _SEASON / np.sqrt(STEPS)
    log_path = np.zeros((draws, symbols.COUNT, POINTS))
    np.cumsum(shock * sigma, axis=2, out=log_path[:, :, 1:])
    price = market.price[:, :, None] * np.exp(log_path)

    move = log_path[:, :, -1] / symbols.DAILY_VOL
    lean = CROWD_LONG + 0.8 * (market.crowd - CROWD_LONG) - 0.12 * move
    crowd = np.clip(lean + rng.normal(0.0, 0.25, move.shape), -1.5, 1.5)
    after = Market(
        regime=regime,
        log_vol=log_vol,
        price=np.ascontiguousarray(price[:, :, -1]),
        last_move=np.where(opened, move, market.last_move),
        crowd=crowd,
    )
    return after, Path(price=price, flat=price.ravel(), vol_multiple=multiple, opened=opened)


def _next_regime(regime: Ints, rng: np.random.Generator) -> Ints:
    edges = np.cumsum(REGIME_CHANGE, axis=1)[regime]
    after: Ints = (rng.random(len(regime))[:, None] > edges).sum(axis=1).astype(np.int64)
    return np.minimum(after, len(REGIMES) - 1)


def price_at(path: Path, row: Ints, hour: Floats) -> Floats:
    """Price of path row `draw * symbols + symbol` at `hour` (0 … 24) of the day, linear on the grid."""
    position = hour * STEPS_PER_HOUR
    left = np.minimum(position.astype(np.int64), STEPS - 1)
    share = position - left
    base = row * POINTS + left
    before = path.flat[base]
    return before + (path.flat[base + 1] - before) * share
