"""The ten instruments: what a contract is, how it moves, what it costs.

Static facts only, as arrays over symbols in one fixed order. How prices move lives in market.py.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

# name, first price, volatility a year, loading on the shared risk factor, contract size, digits,
# commission (share of the volume, both ways), popularity
_ROWS: Final = (
    ("SPX500", 5900.0, 0.16, 0.90, 10.0, 2, 0.2e-4, 0.09),
    ("NDX100", 21000.0, 0.22, 0.88, 10.0, 2, 0.2e-4, 0.17),
    ("US30", 43000.0, 0.16, 0.86, 5.0, 2, 0.2e-4, 0.13),
    ("EURUSD", 1.09, 0.08, 0.40, 100_000.0, 5, 0.5e-4, 0.14),
    ("GBPUSD", 1.27, 0.09, 0.45, 100_000.0, 5, 0.5e-4, 0.10),
    ("USDJPY", 150.0, 0.10, 0.30, 100_000.0, 3, 0.5e-4, 0.07),
    ("BTCUSD", 95000.0, 0.55, 0.55, 1.0, 2, 2.0e-4, 0.08),
    ("ETHUSD", 3300.0, 0.70, 0.52, 10.0, 2, 2.0e-4, 0.04),
    ("XAUUSD", 2900.0, 0.17, -0.20, 100.0, 2, 0.3e-4, 0.15),
    ("USOUSD", 72.0, 0.35, 0.35, 1000.0, 3, 0.5e-4, 0.03),
)


def _column(position: int) -> NDArray[np.float64]:
    return np.array([row[position] for row in _ROWS], dtype=np.float64)


NAMES: Final[tuple[str, ...]] = tuple(row[0] for row in _ROWS)
COUNT: Final = len(NAMES)
FIRST_PRICE: Final = _column(1)
ANNUAL_VOL: Final = _column(2)
LOADING: Final = _column(3)
CONTRACT_SIZE: Final = _column(4)
DIGITS: Final = _column(5).astype(np.int64)
COMMISSION_SHARE: Final = _column(6)
POPULARITY: Final = _column(7) / _column(7).sum()

CRYPTO: Final = np.isin(np.array(NAMES), ["BTCUSD", "ETHUSD"])
CRYPTO_INDEX: Final = np.flatnonzero(CRYPTO)
QUOTED_IN_JPY: Final = np.isin(np.array(NAMES), ["USDJPY"])
#: USD is the base currency, so a quantity is already an amount of USD.
USD_BASE: Final = np.isin(np.array(NAMES), ["USDJPY"])

#: Crypto trades on 365 days a year, the rest on about 252.
DAILY_VOL: Final = ANNUAL_VOL / np.sqrt(np.where(CRYPTO, 365.0, 252.0))

#: Financing of an open position, a share of its volume a night (about 5 % a year).
SWAP_SHARE: Final = 1.4e-4


def usd_per_quote(symbol: NDArray[np.int64], price: NDArray[np.float64]) -> NDArray[np.float64]:
    """USD for one unit of the symbol's quote currency, at `price` of the symbol itself."""
    return np.where(QUOTED_IN_JPY[symbol], 1.0 / price, 1.0)


def volume_usd(symbol: NDArray[np.int64], lots: NDArray[np.float64], price: NDArray[np.float64]) -> NDArray[np.float64]:
    """USD value of `lots` at `price`: quantity times price, converted from the quote currency."""
    return lots * CONTRACT_SIZE[symbol] * np.where(USD_BASE[symbol], 1.0, price)


def round_price(symbol: NDArray[np.int64], price: NDArray[np.float64]) -> NDArray[np.float64]:
    """Prices as quoted: rounded to the symbol's digits."""
    scale: NDArray[np.float64] = _SCALE[symbol]
    return np.rint(price * scale) / scale


_SCALE: Final[NDArray[np.float64]] = np.power(10.0, DIGITS).astype(np.float64)
