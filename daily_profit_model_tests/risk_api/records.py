"""Records as the service sends them, for the tests of reading: a good one, and ways to change it."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson

DAY = date(2026, 6, 1)
MIDNIGHT = "2026-06-01T00:00:00.000Z"

TRADE: dict[str, Any] = {
    "tradeDate": MIDNIGHT,
    "broker": 5,
    "mngr": 3,
    "platform": 8,
    "ticket": "901",
    "position": "801",
    "login": "70001",
    "trdSymbol": "XAUUSD.c",
    "stdSymbol": "XAUUSD",
    "side": "Buy",
    "lots": 0.5,
    "contractSize": 100.0,
    "qtyInBaseCrncy": 50.0,
    "volumeUSD": 115123.5,
    "stopLoss": None,
    "takeProfit": 0,
    "openTime": "2026-05-31T22:15:00.250Z",
    "openPrice": 2300.25,
    "closeTime": "2026-06-01T03:04:05.678Z",
    "closePrice": 2302.47,
    "duration": 4.818,
    "profit": 111.0,
    "commission": -3.5,
    "fee": 0,
    "swap": -1.25,
    "comment": None,
    "client_margin": 1151.2,
    "firm_margin": 46.1,
}

METRIC: dict[str, Any] = {
    "date": MIDNIGHT,
    "login": "70001",
    "accountId": "953785",
    "planId": 5036,
    "trader": "C521030",
    "status": 1,
    "type": 7,
    "phase": 4,
    "broker": 5,
    "mt_version": 8,
    "price_stream": 1,
    "country": "CA",
    "startingBalance": 200000,
    "currentBalance": 201786.32,
    "netProfit": 1933.82,
    "numTrades": 15,
    "firstTradeDate": "2026-02-13T00:00:00.000Z",
    "successRate": 1200.5,
    "maxValtoEqtyOpenPos": 87315.2,
    "meanTPvsSL": "194.443",
    "mostTradedSymbol": "GBPJPY",
}


def trade(nth: int = 0, **changes: Any) -> dict[str, Any]:
    """A good trade; another `nth` is another ticket. A change to `...` leaves the field out."""
    return _changed(TRADE | {"ticket": str(901 + nth)}, changes)


def metric(nth: int = 0, **changes: Any) -> dict[str, Any]:
    """A good metrics record; another `nth` is another account."""
    return _changed(METRIC | {"accountId": str(953785 + nth)}, changes)


def body(*rows: Any) -> bytes:
    return orjson.dumps(list(rows))


def _changed(record: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    changed = record | changes
    return {name: value for name, value in changed.items() if value is not ...}
