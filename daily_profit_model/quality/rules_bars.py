"""Rules of the market's bars, and of the prices of trades and regimes that lie beside them.

The rows that they judge are made in `frames_bars`. Where there are no bars, trades and regimes are not judged.
"""

from __future__ import annotations

from daily_profit_model.quality.expectation import at_least, between, in_set, unique
from daily_profit_model.quality.frame import footer_counts, rows_of
from daily_profit_model.quality.frames_bars import FAR, MOVES, REGIMES, SESSIONS, TRADES
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables.raw import RAW_MARKET_BARS, RAW_MARKET_REGIMES, RAW_TRADES_CLOSED
from daily_profit_model.tables.raw_bars import HOURLY

LARGEST_MOVE = 10.0
"""Times the range that one hour in twenty exceeds. That one is 2.5 standard deviations of a random walk's hour (Feller
1951), so this is 25 of them: beyond news, and far below a price in another unit or of another symbol."""

OUTSIDE_SHARE = 0.005
"""Share of the day's trades. Single prices are corrected by hand, or filled on a thin book; prices of another day or
symbol come in numbers."""

_ROWS = rows_of(
    RAW_MARKET_BARS,
    ("interval", "high", "low", "volume"),
    highest_other="greatest(open, close, low)",
    lowest_other="least(open, close, high)",
    not_positive="(least(open, high, low, close) <= 0)::int",
    seconds_off="epoch(bar_start)::bigint % 3600",
    days_off="floor(epoch(bar_start) / 86400) - (date - date '1970-01-01')",
)

BARS_RULES = (
    Rule(
        id="bars_valid",
        table=RAW_MARKET_BARS.name,
        dimension="validity",
        severity="error",
        frame=_ROWS,
        expectations=(
            unique(RAW_MARKET_BARS.key),
            in_set("interval", (HOURLY,), says="the interval is one hour"),
            between("seconds_off", 0, 0, says="a bar starts on the hour"),
            between("days_off", 0, 0, says="a bar starts within its day"),
            at_least("high", "highest_other", says="high is not below open, close or low"),
            at_least("lowest_other", "low", says="low is not above open, close or high"),
            between("not_positive", high=0, says="prices are positive"),
            between("volume", low=0, says="volume is not negative"),
        ),
        reason="Ranges are made of these bars; a bar that cannot be makes a range that never was.",
        advice="Ask the service for the hour again (dpm ingest bars --force); if it stays, tell its vendor.",
    ),
    Rule(
        id="symbols_answered",
        table=RAW_MARKET_BARS.name,
        dimension="completeness",
        severity="warn",
        frame=footer_counts(RAW_MARKET_BARS),
        expectations=(between("missing", high=0, says="the service has hourly bars of every symbol"),),
        reason="Prices of a symbol without bars are not checked.",
        advice="Which, and what the service said: missing in the partition's metadata. Ask it for the symbol.",
    ),
    Rule(
        id="hours_complete",
        table=RAW_MARKET_BARS.name,
        dimension="completeness",
        severity="warn",
        frame=SESSIONS,
        expectations=(
            between(
                "missing_hours", high=0, says="no more hours are gone than have come that this weekday usually has"
            ),
            between("empty_hours", high=0, says="no more hours without values than the weekday usually has"),
        ),
        reason="Hours that three of the four same weekdays before had; a session that moved loses as many as it gains.",
        advice="A holiday, or clocks that changed at the week's end, show here once; else read the day again.",
    ),
    Rule(
        id="prices_alive",
        table=RAW_MARKET_BARS.name,
        dimension="timeliness",
        severity="warn",
        frame=SESSIONS,
        expectations=(
            between("stale_hours", high=0, says="no longer without a move than the weekday usually is, or three hours"),
        ),
        reason="A feed that has stopped repeats its last price; three hours without any move are more than quiet.",
        advice="A holiday shows here; else the vendor's feed stood still: read the day again later.",
    ),
    Rule(
        id="moves_plausible",
        table=RAW_MARKET_BARS.name,
        dimension="distribution",
        severity="warn",
        frame=MOVES,
        expectations=(
            between(
                "move",
                high=LARGEST_MOVE,
                says="no hour moves by ten times the range of a busy hour in the four weeks before",
            ),
        ),
        reason="A price in another unit, of another symbol, or a bad tick jumps as no market does.",
        advice="Compare the hour with another source; a market that really crashed shows here, and in its news.",
    ),
    Rule(
        id="prices_near_bars",
        table=RAW_MARKET_REGIMES.name,
        dimension="consistency",
        severity="warn",
        frame=REGIMES,
        expectations=(
            between("gap", high=1, says="the day's price is no further from the last bar than the day's range and 1 %"),
        ),
        reason="The document is written up to six hours after the day's last bar; in them a price moves less than a day.",
        advice="A gap on all symbols: a document of another day. On one: a wrong symbol or unit in one of the two.",
    ),
    Rule(
        id="prices_within_bars",
        table=RAW_TRADES_CLOSED.name,
        dimension="consistency",
        severity="warn",
        frame=TRADES,
        expectations=(
            between(
                "close_outside",
                high=0,
                mostly=1 - OUTSIDE_SHARE,
                says="nearly all trades close within the day's range of their symbol",
            ),
            between(
                "open_outside",
                high=0,
                mostly=1 - OUTSIDE_SHARE,
                says="nearly all trades of the day open within the day's range of their symbol",
            ),
            between("furthest", high=FAR, says="no trade opens or closes as far as five ranges from the day's own"),
        ),
        reason="A price that the market never had makes a profit that nobody made; the range is widened by an hour's "
        "share of it, and by a twentieth for spread and slippage.",
        advice="Look at the samples in the trading platform; all of one symbol: another symbol's or unit's bars.",
    ),
)
