"""Windows over what an account traded, from features/trade_daily: 5 days, and 20 days as four times five.

For each window w the columns are sums over its days, named as in the table (`trades_w`, `buys_w`, …), with
`active_days_w` the days with a trade, `lots_max_w` the largest trade, `duration_m2_w` the squared deviations of
all holding times from their mean. Money is in cents, lots in millionths, time in milliseconds.
"""

from __future__ import annotations

from daily_profit_model.engine import Stage
from daily_profit_model.features.windows.lags import LIFE, chained, days_of, joined_ago

TRADE_WINDOWS = (5, 20)

_COUNTS = [
    "trades",
    "winning_trades",
    "losing_trades",
    "buys",
    "trades_with_stop_loss",
    "trades_with_take_profit",
    "weekend_trades",
    "forex_trades",
    "metals_trades",
    "index_trades",
    "crypto_trades",
    "energy_trades",
    "asia_trades",
    "london_trades",
    "new_york_trades",
    "trades_after_win",
    "trades_after_loss",
]
_CENTS = ("volume_usd", "commission", "gross_profit", "gross_loss")
_LOTS = ("lots", "lots_after_win", "lots_after_loss")
_HOURS = ("duration_hours", "winners_duration_hours", "losers_duration_hours")
_WHOLE = {
    **dict.fromkeys(_COUNTS, "{}::double"),
    **dict.fromkeys(_CENTS, "round({} * 100)"),
    **dict.fromkeys(_LOTS, "round({} * 1000000)"),
    **dict.fromkeys(_HOURS, "round({} * 3600000)"),
}
"""Column of features/trade_daily → how it becomes a whole number, that sums are exact."""

MS2_AN_HOUR2 = 3_600_000.0**2
_SUMS = ("active_days", *_WHOLE)
COMPONENTS = (*_SUMS, "lots_max", "duration_m2")

Parts = dict[str, str]


def merge(old: Parts, new: Parts) -> Parts:
    """An older window followed by a newer one."""
    merged = {name: f"{old[name]} + {new[name]}" for name in _SUMS}
    merged["lots_max"] = f"greatest({old['lots_max']}, {new['lots_max']})"
    gap = (
        f"({new['duration_hours']} / greatest({new['trades']}, 1.0) "
        f"- {old['duration_hours']} / greatest({old['trades']}, 1.0))"
    )
    merged["duration_m2"] = (
        f"({old['duration_m2']} + {new['duration_m2']}) + {gap} * {gap} * ({old['trades']} * {new['trades']}) "
        f"/ greatest({old['trades']} + {new['trades']}, 1.0)"
    )
    return merged


def _days() -> Stage:
    """One row for every day of a life, zeros on a day without a trade."""
    listed = {"active_days": "(trades is not null)::int::double"}
    listed |= {name: f"coalesce({form.format(name)}, 0.0)" for name, form in _WHOLE.items()}
    listed["lots_max"] = "coalesce(round(lots_max * 1000000), 0.0)"
    listed["duration_m2"] = f"coalesce(duration_squared_deviations * {MS2_AN_HOUR2!r}, 0.0)"
    columns = ",\n    ".join(f"{sql} as {name}_1" for name, sql in listed.items())
    sql = (
        f"select\n    {', '.join(LIFE)},\n    {columns}\nfrom {days_of('profit_days', ())}\n"
        "left join (\n    select * exclude (symbols)\n    from features_trade_daily\n"
        "    where date in (select date from wanted_days)\n) as traded\n    using (account_id, date)"
    )
    return Stage("trade_days", sql, {"profit_days": (0,), "features_trade_daily": (0,)})


def _merged(window: int, source: str, small: int, ago: tuple[int, ...]) -> Stage:
    joins = "\n    ".join(
        joined_ago(source, days, {f"{part}_before_{days}": f"{part}_{small}" for part in COMPONENTS}) for days in ago
    )
    known = ", ".join(
        f"coalesce({part}_before_{days}, 0.0) as {part}_known_{days}" for days in ago for part in COMPONENTS
    )
    own = [f"{part}_{small}" for part in COMPONENTS]
    first = f"select {', '.join(LIFE)}, {', '.join(own)}, {known}\n    from {days_of(source, own)}\n    {joins}"
    links = []
    newer = {part: f"{part}_{small}" for part in COMPONENTS}
    for nth, days in enumerate(ago, start=1):
        target = f"_{window}" if nth == len(ago) else f"_{window}_part_{nth}"
        merged = merge({part: f"{part}_known_{days}" for part in COMPONENTS}, newer)
        links.append({f"{part}{target}": sql for part, sql in merged.items()})
        newer = {part: f"{part}{target}" for part in COMPONENTS}
    columns = [f"{part}_{window}" for part in COMPONENTS]
    return Stage(f"trades_{window}", chained(first, links, columns), {source: (0, *ago)})


TRADE_STAGES = (
    _days(),
    _merged(5, "trade_days", 1, (1, 2, 3, 4)),
    _merged(20, "trades_5", 5, (5, 10, 15)),
)
