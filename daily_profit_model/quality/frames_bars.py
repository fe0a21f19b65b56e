"""The frames that look into raw/market_bars: sessions, moves, and prices of trades and regimes beside them.

What must hold of them, and what a threshold is for, stands in `rules_bars`. Each threshold that shapes a frame is
a constant here.
"""

from __future__ import annotations

from daily_profit_model.engine import Query, Source
from daily_profit_model.quality.frame import Frame, newest
from daily_profit_model.tables.raw import RAW_MARKET_BARS, RAW_MARKET_REGIMES, RAW_TRADES_CLOSED
from daily_profit_model.tables.raw_regimes import INSTRUMENTS

WEEKS = 4
"""Weeks before a day whose same weekdays say what is usual for a symbol: markets keep a weekly calendar."""

WEEKS_NEEDED = 3
"""Of WEEKS: what three same weekdays had is usual, so that one holiday or one gap makes nothing usual or unusual.
With fewer in the lake a day is not judged (cold start)."""

FLAT_BARS = 3
"""Hours in a row without any move that a quiet market may have, whatever its past says."""

EMPTY_BARS = 2
"""Hours a day without values that a service may have, whatever its past says: charts have single holes."""

BARS_NEEDED = 120
"""Bars before a day (five days of a market that never closes) from which a usual range is known (cold start)."""

BUSY_HOUR = 0.95
"""Quantile of a symbol's hourly ranges that moves are measured by: its busy hours, as volatility has a season in the
day; and a whole day of wrong bars is but 4 % of four weeks."""

SPREAD = 0.05
"""Share of the day's range that spread, slippage and another vendor's quotes may take a price beyond it: a spread is
1 to 2 % of the day's range of a major pair, and widens several times over at the turn of the day."""

FAR = 5.0
"""Ranges of the day: no fill on a thin book is so far from all that the day saw; a price in another unit, or of
another symbol, is."""

VENDORS_APART = 0.01
"""Share of the price by which two vendors may be apart: one quotes the cash index, the other a future up to a quarter
away, at some 4 % of interest a year less dividends."""

_DAYS_BACK = 7 * WEEKS
_PAST = Source(RAW_MARKET_BARS, first=-_DAYS_BACK, as_known="newest", optional=True)
_BESIDE = Source(RAW_MARKET_BARS, as_known="newest", optional=True)

_SESSIONS = f"""
with bars as (
    select
        date,
        symbol,
        bar_start,
        (epoch(bar_start)::bigint % 86400) // 3600 as hour,
        close is null as is_empty,
        coalesce(high = low and close = lag(close) over (partition by symbol order by bar_start), false) as is_flat
    from raw_market_bars
),
numbered as (
    select
        *,
        count(*) filter (not is_flat) over (partition by symbol, date order by bar_start) as run
    from bars
),
runs as (
    select date, symbol, run, count(*) filter (is_flat) as flat_bars, count(*) filter (is_empty) as empty_bars
    from numbered
    group by all
),
symbol_days as (
    select date, symbol, max(flat_bars) as flat_bars, sum(empty_bars) as empty_bars
    from runs
    group by all
),
hours as (
    select distinct date, symbol, hour
    from bars
),
weeks as (
    select wanted.date, count(distinct hours.date) as weeks
    from wanted_days as wanted
    left join hours
        on wanted.date - hours.date in (7, 14, 21, 28)
    group by all
),
usual_hours as (
    select wanted.date, hours.symbol, hours.hour, count(*) as weeks
    from wanted_days as wanted
    join hours
        on wanted.date - hours.date in (7, 14, 21, 28)
    group by all
),
now_hours as (
    select date, symbol, hour, true as is_there
    from hours
    semi join wanted_days
        using (date)
),
compared as (
    select
        date,
        symbol,
        count(*) filter (weeks >= {WEEKS_NEEDED} and is_there is null) as lost,
        count(*) filter (weeks is null) as gained
    from usual_hours
    full join now_hours
        using (date, symbol, hour)
    group by all
),
usual as (
    select
        wanted.date,
        past.symbol,
        count(*) as weeks,
        greatest({FLAT_BARS}, max(past.flat_bars)) as flat_bars,
        greatest({EMPTY_BARS}, max(past.empty_bars)) as empty_bars
    from wanted_days as wanted
    join symbol_days as past
        on wanted.date - past.date in (7, 14, 21, 28)
    group by all
)
select
    compared.date,
    compared.symbol,
    case when weeks.weeks >= {WEEKS_NEEDED} then greatest(lost - gained, 0) end as missing_hours,
    case when usual.weeks >= {WEEKS_NEEDED} then greatest(own.flat_bars - usual.flat_bars, 0) end as stale_hours,
    case when usual.weeks >= {WEEKS_NEEDED} then greatest(own.empty_bars - usual.empty_bars, 0) end as empty_hours
from compared
join weeks
    using (date)
left join symbol_days as own
    using (date, symbol)
left join usual
    using (date, symbol)
"""

_MOVES = f"""
with bars as (
    select
        *,
        epoch(bar_start) / 3600 as hours,
        lag(close) over past as close_before,
        lag(epoch(bar_start) / 3600) over past as hours_before
    from raw_market_bars
    where least(open, high, low, close) > 0
    window past as (partition by symbol order by bar_start)
),
usual as (
    select wanted.date, bars.symbol, quantile_cont(abs(ln(bars.high / bars.low)), {BUSY_HOUR}) as hourly_range
    from wanted_days as wanted
    join bars
        on bars.date between wanted.date - {_DAYS_BACK} and wanted.date - 1
    group by all
    having count(*) >= {BARS_NEEDED}
)
select
    bars.date,
    bars.symbol,
    bars.bar_start,
    greatest(
        abs(ln(bars.high / bars.low)),
        abs(ln(bars.open / bars.close_before)) / sqrt(nullif(bars.hours - bars.hours_before, 0))
    ) / nullif(usual.hourly_range, 0) as move
from bars
semi join wanted_days
    using (date)
left join usual
    using (date, symbol)
"""
"""A move over a time in which the market is closed grows with the square root of it, as that of a random walk."""

_REGIMES = f"""
with prices as (
    unpivot (
        select date, {", ".join(f'{symbol.lower()}_last_price as "{symbol}"' for symbol in INSTRUMENTS)}
        from raw_market_regimes
        where date between $first_day and $last_day
    )
    on columns(* exclude date)
    into name symbol value price
),
closes as (
    select
        date,
        symbol,
        max_by(close, bar_start) as close,
        max(high) - min(low) + {VENDORS_APART} * abs(max_by(close, bar_start)) as tolerance
    from raw_market_bars
    where close is not null
    group by all
)
select
    prices.date,
    prices.symbol,
    prices.price,
    closes.close,
    abs(prices.price - closes.close) / nullif(closes.tolerance, 0) as gap
from prices
left join closes
    using (date, symbol)
"""

_TRADES = f"""
with days as (
    select
        date,
        symbol as std_symbol,
        max(high) as high,
        min(low) as low,
        (max(high) - min(low)) * (1 / sqrt(count(*)) + {SPREAD}) as tolerance
    from raw_market_bars
    where close is not null
    group by all
    having max(high) > min(low)
),
placed as (
    select
        trades.*,
        days.high,
        days.low,
        days.tolerance,
        trades.date - date '1970-01-01' as day_number
    from raw_trades_closed as trades
    left join days
        using (date, std_symbol)
    where trades.date between $first_day and $last_day
),
judged as (
    select
        *,
        case
            when floor(epoch(close_time) / 86400) = day_number and high is not null
                then greatest(close_price - high - tolerance, low - tolerance - close_price, 0) / (high - low)
        end as close_beyond,
        case
            when floor(epoch(open_time) / 86400) = day_number and high is not null
                then greatest(open_price - high - tolerance, low - tolerance - open_price, 0) / (high - low)
        end as open_beyond
    from placed
)
select
    {", ".join(RAW_TRADES_CLOSED.key)},
    std_symbol,
    low,
    high,
    open_price,
    close_price,
    greatest(close_beyond, open_beyond) as furthest,
    case when close_beyond <= {FAR} then close_beyond end as close_outside,
    case when open_beyond <= {FAR} then open_beyond end as open_outside
from judged
"""
"""How many of the day's ranges a price lies beyond the range, which is widened by what an hour adds to it (a share of
the square root of the hours: one that is without values may hold the extreme) and by SPREAD."""

SESSIONS = Frame(
    "raw/market_bars sessions", RAW_MARKET_BARS, ("date", "symbol"), Query(_SESSIONS, (_PAST,)), measures=True
)
MOVES = Frame("raw/market_bars moves", RAW_MARKET_BARS, RAW_MARKET_BARS.key, Query(_MOVES, (_PAST,)), measures=True)
REGIMES = Frame(
    "raw/market_regimes against raw/market_bars",
    RAW_MARKET_REGIMES,
    ("date", "symbol", "price", "close"),
    Query(_REGIMES, (newest(RAW_MARKET_REGIMES), _BESIDE)),
    measures=True,
)
TRADES = Frame(
    "raw/trades_closed against raw/market_bars",
    RAW_TRADES_CLOSED,
    (*RAW_TRADES_CLOSED.key, "std_symbol", "open_price", "close_price", "low", "high"),
    Query(_TRADES, (newest(RAW_TRADES_CLOSED), _BESIDE)),
)
