"""Faults of market bars, and of prices beside them: for every expectation one that only it can see. No tests here."""

from __future__ import annotations

from datetime import timedelta

from daily_profit_model_tests.quality.small_firm import Day, Spoil
from daily_profit_model_tests.quality.spoils import Fault, changed, counted, repeated

PRICES = ("open", "high", "low", "close")


def bars(first: int, last: int, **values: object) -> Spoil:
    """The bars `first` … `last` of a symbol say something else."""

    def spoil(day: Day) -> None:
        for hour in range(first, last + 1):
            day.rows["raw/market_bars"][hour] |= values

    return spoil


def start_moved(by: timedelta) -> Spoil:
    """A bar starts at another time."""

    def spoil(day: Day) -> None:
        moved = day.rows["raw/market_bars"][0]
        moved["bar_start"] += by

    return spoil


def without_an_hour(day: Day) -> None:
    del day.rows["raw/market_bars"][5]


BARS_FAULTS = (
    *(
        Fault("raw/market_bars", rule, says, spoil)
        for rule, says, spoil in (
            ("bars_valid", "one row for each date, symbol, bar_start", repeated("raw/market_bars")),
            ("bars_valid", "the interval is one hour", bars(0, 0, interval="1d")),
            ("bars_valid", "a bar starts on the hour", start_moved(timedelta(minutes=30))),
            ("bars_valid", "a bar starts within its day", start_moved(timedelta(days=1))),
            ("bars_valid", "high is not below open, close or low", bars(0, 0, high=1.1005)),
            ("bars_valid", "low is not above open, close or high", bars(0, 0, low=1.1005)),
            ("bars_valid", "prices are positive", bars(0, 0, **dict.fromkeys(PRICES, 0.0))),
            ("bars_valid", "volume is not negative", bars(0, 0, volume=-1.0)),
            (
                "symbols_answered",
                "the service has hourly bars of every symbol",
                counted("raw/market_bars", missing={"USOUSD": "Not Found"}),
            ),
            (
                "hours_complete",
                "no more hours are gone than have come that this weekday usually has",
                without_an_hour,
            ),
            (
                "hours_complete",
                "no more hours without values than the weekday usually has",
                bars(5, 7, **dict.fromkeys(PRICES)),
            ),
            (
                "prices_alive",
                "no longer without a move than the weekday usually is, or three hours",
                bars(5, 8, **dict.fromkeys(PRICES, 1.101)),
            ),
            (
                "moves_plausible",
                "no hour moves by ten times the range of a busy hour in the four weeks before",
                bars(5, 5, open=110.0, high=110.2, low=109.8, close=110.1),
            ),
        )
    ),
    Fault(
        "raw/market_regimes",
        "prices_near_bars",
        "the day's price is no further from the last bar than the day's range and 1 %",
        changed("raw/market_regimes", eurusd_last_price=1.117),
    ),
    Fault(
        "raw/trades_closed",
        "prices_within_bars",
        "nearly all trades close within the day's range of their symbol",
        changed("raw/trades_closed", close_price=1.104),
        ("money_equals_product",),
    ),
    Fault(
        "raw/trades_closed",
        "prices_within_bars",
        "nearly all trades of the day open within the day's range of their symbol",
        changed("raw/trades_closed", open_price=1.096),
        ("money_equals_product",),
    ),
    *(
        Fault(
            "raw/trades_closed",
            "prices_within_bars",
            "no trade opens or closes as far as five ranges from the day's own",
            changed("raw/trades_closed", **{name: 110.0}),
            ("money_equals_product",),
        )
        for name in ("open_price", "close_price")
    ),
)
