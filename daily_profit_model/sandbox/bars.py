"""Hourly bars of the simulated prices. The chart's JSON form is in chart.py."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from daily_profit_model.sandbox import symbols
from daily_profit_model.sandbox.firm import FirmDay
from daily_profit_model.sandbox.market import STEPS_PER_HOUR
from daily_profit_model.sandbox.records import day_number

HOURS = 24


def hourly(item: FirmDay, seed: int) -> pa.Table:
    """The day's bars of the symbols that trade: symbol, epoch seconds, open, high, low, close, volume.

    High and low are rounded outwards to the symbol's digits, so that every trade price lies within.
    """
    path, number = item.day.path, day_number(item.date)
    traded = np.flatnonzero(path.opened)
    grid = path.price[0][traded]
    edges = np.arange(HOURS) * STEPS_PER_HOUR
    windows = np.stack([grid[:, edges + step] for step in range(STEPS_PER_HOUR + 1)], axis=2)
    scale = 10.0 ** symbols.DIGITS[traded][:, None]
    rng = np.random.default_rng([seed, 4, number])
    activity = path.vol_multiple[0][traded][:, None] * rng.gamma(4.0, 250.0, (len(traded), HOURS))
    return pa.table(
        {
            "symbol": np.repeat(traded.astype(np.int8), HOURS),
            "time": np.tile(number * 86_400 + np.arange(HOURS) * 3_600, len(traded)),
            "open": (np.rint(windows[:, :, 0] * scale) / scale).ravel(),
            "high": (np.ceil(windows.max(axis=2) * scale - 1e-6) / scale).ravel(),
            "low": (np.floor(windows.min(axis=2) * scale + 1e-6) / scale).ravel(),
            "close": (np.rint(windows[:, :, -1] * scale) / scale).ravel(),
            "volume": np.rint(activity).astype(np.int64).ravel(),
        }
    )
