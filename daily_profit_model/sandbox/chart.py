"""Hourly bars in the form of the Yahoo chart endpoint, nulls inside the arrays included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import orjson
import pyarrow as pa

from daily_profit_model.sandbox import symbols
from daily_profit_model.sandbox.clock import Clock

#: One bar in so many has no values, as happens on the real endpoint.
NULL_EVERY: Final = 97
HOUR: Final = 3600


def answer(bars: pa.Table, symbol: str, parameters: Mapping[str, str], clock: Clock) -> tuple[int, bytes]:
    """HTTP status and JSON of a chart request; bars that are complete at the clock only."""
    if symbol not in symbols.NAMES:
        return 404, _error("Not Found", f"No data found for symbol {symbol}")
    if parameters.get("interval", "1h") not in ("1h", "60m"):
        return 422, _error("Unprocessable Entity", "only interval=1h is served")
    now = int(clock.now.timestamp())
    try:
        begin, end = int(parameters.get("period1", 0)), int(parameters.get("period2", now))
    except ValueError:
        return 400, _error("Bad Request", "period1 and period2 must be epoch seconds")
    time = bars["time"].to_numpy()
    chosen = np.flatnonzero(
        (bars["symbol"].to_numpy() == symbols.NAMES.index(symbol))
        & (time >= begin)
        & (time < end)
        & (time + HOUR <= now)
    )
    times = time[chosen]
    missing = (times // HOUR) % NULL_EVERY == 0
    quote = {
        name: np.where(missing, np.nan, bars[name].to_numpy()[chosen].astype(np.float64))
        for name in ("open", "high", "low", "close", "volume")
    }
    meta = {"symbol": symbol, "currency": "USD", "dataGranularity": "1h", "timezone": "UTC", "gmtoffset": 0}
    result = {"meta": meta, "timestamp": times, "indicators": {"quote": [quote]}}
    body = {"chart": {"result": [result], "error": None}}
    return 200, orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)


def _error(code: str, description: str) -> bytes:
    return orjson.dumps({"chart": {"result": None, "error": {"code": code, "description": description}}})
