"""Windows over the symbols that an account traded: how many, how concentrated, and the volume in each instrument."""

from __future__ import annotations

from daily_profit_model.engine import Stage
from daily_profit_model.features.windows.lags import LIFE
from daily_profit_model.features.windows.trades import TRADE_WINDOWS
from daily_profit_model.tables.raw_regimes import INSTRUMENTS

LONGEST = max(TRADE_WINDOWS)

ALIASES = {
    "SPX500": ("US500", "SP500", "SPX"),
    "NDX100": ("US100", "NAS100", "USTEC", "NDX"),
    "US30": ("DJ30", "DJI", "WS30"),
    "XAUUSD": ("GOLD",),
    "USOUSD": ("USOIL", "WTI", "XTIUSD", "USOIL.CASH"),
}
"""Instrument of the regime documents → what brokers call it too."""


def _days() -> Stage:
    """One row for each day of a life and symbol traded on it."""
    sql = f"""select
    {", ".join(LIFE)},
    traded.symbol as symbol,
    traded.trades as symbol_trades,
    round(traded.volume_usd * 100) as symbol_cents
from (
    select account_id, date, unnest(symbols) as traded
    from features_trade_daily
    where date in (select date from wanted_days)
) as by_symbol
join (
    select {", ".join(LIFE)}
    from profit_days
    where date in (select date from wanted_days)
) as now
    using (account_id, date)"""
    return Stage("symbol_days", sql, {"profit_days": (0,), "features_trade_daily": (0,)})


def _in(symbol: str) -> str:
    names = ", ".join(f"'{name}'" for name in (symbol, *ALIASES.get(symbol, ())))
    return f"symbol in ({names})"


def _windows() -> Stage:
    """For each day of a life with a trade in the window: its symbols; a day without one has no row."""
    offsets = ", ".join(f"({ago})" for ago in range(LONGEST))
    counts = ",\n        ".join(
        f"sum(case when ago < {window} then symbol_trades else 0 end)::bigint as trades_{window}"
        for window in TRADE_WINDOWS
    )
    measures = ",\n    ".join(
        f"count(*) filter (where trades_{window} > 0) as symbols_{window},\n"
        f"    max(trades_{window}) as top_trades_{window},\n"
        # a sum of whole numbers, exact in any order
        f"    sum(trades_{window} * trades_{window})::double as squared_trades_{window},\n"
        f"    sum(trades_{window})::double as symbol_trades_{window}"
        for window in TRADE_WINDOWS
    )
    volumes = ",\n    ".join(
        f"coalesce(sum(cents) filter (where {_in(symbol)}), 0.0) as cents_{symbol.lower()}" for symbol in INSTRUMENTS
    )
    sql = f"""with looked_at as (
    select wanted_days.date as wanted, wanted_days.date - ago as date, ago
    from wanted_days
    cross join (values {offsets}) as offsets(ago)
),
by_symbol as (
    select
        account_id,
        first_seen_date,
        wanted as date,
        symbol,
        {counts},
        sum(symbol_cents) as cents
    from symbol_days
    join looked_at
        using (date)
    group by account_id, first_seen_date, wanted, symbol
)
select
    {", ".join(LIFE)},
    {measures},
    {volumes}
from by_symbol
group by {", ".join(LIFE)}"""
    return Stage("symbol_windows", sql, {"symbol_days": tuple(range(LONGEST))})


SYMBOL_STAGES = (_days(), _windows())
