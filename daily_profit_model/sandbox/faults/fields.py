"""Which fields of each endpoint's records play which part; RISK_API.md has them all."""

from __future__ import annotations

from typing import Final

CLOSED: Final = "v2/trades/closed"
OPEN: Final = "v2/trades/open"
DAILY: Final = "v2/metrics/daily"
HOURLY: Final = "v2/metrics/hourly"
ALL_TIME: Final = "v2/metrics/alltime"
TRADES: Final = frozenset({CLOSED, OPEN})

#: What tells the rows of a day apart.
KEY: Final = {
    CLOSED: ("platform", "broker", "login", "position", "ticket"),
    OPEN: ("platform", "broker", "login", "position", "ticket"),
    DAILY: ("mt_version", "broker", "login", "accountId"),
    HOURLY: ("mt_version", "broker", "login", "accountId", "hour"),
    ALL_TIME: ("mt_version", "broker", "login", "accountId"),
}
#: Where one of them is null, the row is a test account's.
IDENTITY: Final = {
    endpoint: ("login", "platform", "broker") if endpoint in TRADES else ("accountId", "login", "mt_version", "broker")
    for endpoint in KEY
}
#: Keys that make a row bad when they are null.
NULLED_KEYS: Final = {
    CLOSED: ("tradeDate", "position"),
    OPEN: ("tradeDate", "position"),
    DAILY: ("date",),
    HOURLY: ("date", "hour"),
    ALL_TIME: (),
}
#: Fields beside the key that a row must have.
REQUIRED: Final = {
    CLOSED: ("side", "lots", "openTime", "openPrice", "closeTime", "closePrice", "profit"),
    OPEN: ("side", "lots", "openTime", "openPrice", "profit"),
}
REQUIRED_DATES: Final = {
    CLOSED: ("tradeDate", "openTime", "closeTime"),
    OPEN: ("tradeDate", "openTime"),
    DAILY: ("date",),
    HOURLY: ("date",),
}
REQUIRED_NUMBERS: Final = {
    CLOSED: ("lots", "openPrice", "closePrice", "profit", "platform", "broker"),
    OPEN: ("lots", "openPrice", "profit", "platform", "broker"),
    DAILY: ("mt_version", "broker"),
    HOURLY: ("mt_version", "broker", "hour"),
    ALL_TIME: ("mt_version", "broker"),
}
IDS: Final = ("login", "accountId", "planId", "position", "ticket")
_OF_METRICS: Final = ("meanProfit", "profitFactor", "stdProfits", "netProfitPerUSDVolume", "meanTP", "meanDrawDown")
#: Numbers of any size as far as JSON is concerned: floats and, in metrics, a whole one.
NUMBERS: Final = {
    endpoint: ("lots", "openPrice", "profit", "commission", "swap", "volumeUSD", "stopLoss")
    if endpoint in TRADES
    else ("netProfit", "currentBalance", "numTrades", *_OF_METRICS)
    for endpoint in KEY
}
#: Optional fields on which nothing else in the firm depends.
DISPENSABLE: Final = {
    endpoint: ("comment", "contractSize", "qtyInBaseCrncy", "mngr", "client_margin", "firm_margin")
    if endpoint in TRADES
    else ("country", "price_stream", "meanFirmMargin", "meanAccountMargin", "cvDurations", "mostTradedSymbol")
    for endpoint in KEY
}
#: Those of them that are numbers.
DISPENSABLE_NUMBERS: Final = {
    endpoint: tuple(name for name in names if name not in ("comment", "country", "mostTradedSymbol"))
    for endpoint, names in DISPENSABLE.items()
}
#: Numbers that are seen far beyond what their names suggest.
EXTREMES: Final = {
    endpoint: ("firm_margin", "contractSize") if endpoint in TRADES else ("cvDurations", "maxValtoEqtyOpenPos", "cvTP")
    for endpoint in KEY
}
