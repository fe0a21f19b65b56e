"""What accounts traded, once more: features/trade_daily, the behaviour family and own_symbol_volatility. No tests.

Written in plain Python from the declarations' descriptions, straight from the trades.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd

Trade = dict[str, Any]
Value = float | int | bool | str | None
CLASSES = ("forex", "metals", "index", "crypto", "energy")
SESSIONS = ("asia", "london", "new_york")
OTHER_NAMES = {"US500": "SPX500", "GOLD": "XAUUSD", "USOIL": "USOUSD"}


def trades_of(trades: Sequence[Trade], born: date, day: date, window: int) -> list[Trade]:
    """The trades of the window's days that belong to the life that began on the day `born`."""
    first = max(born, day - timedelta(days=window - 1))
    return [trade for trade in trades if first <= trade["date"] <= day]


def cents(money: float | None) -> int:
    return round((money or 0.0) * 100)


def hours(trade: Trade) -> float:
    held: timedelta = trade["close_time"] - trade["open_time"]
    return held / timedelta(hours=1)


def is_win(trade: Trade) -> bool:
    return cents(trade["net_profit"]) > 0


def is_loss(trade: Trade) -> bool:
    return cents(trade["net_profit"]) < 0


def after(trades: Sequence[Trade], outcome: Callable[[Trade], bool]) -> list[Trade]:
    """The trades opened when the newest one closed before, on the same day, had the outcome."""
    found = []
    for trade in trades:
        closed = [
            other
            for other in trades
            if other is not trade and other["date"] == trade["date"] and other["close_time"] < trade["open_time"]
        ]
        if closed and outcome(max(closed, key=_closing)):
            found.append(trade)
    return found


def _closing(trade: Trade) -> tuple[Any, ...]:
    names = ("close_time", "platform", "broker", "login", "position", "ticket")
    return tuple(trade[name] for name in names)


def ratio(top: float | None, bottom: float | None) -> float | None:
    return None if top is None or not bottom else top / bottom


def mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def behaviour(trades: Sequence[Trade], born: date, day: date, start: float) -> dict[str, Value]:
    """The behaviour family of an account on a day, from all of its trades."""
    answer: dict[str, Value] = {}
    for w in (5, 20):
        found = _of_window(trades_of(trades, born, day, w), start)
        answer |= {f"{name}_{w}d": value for name, value in found.items()}
    return answer


def _of_window(trades: Sequence[Trade], start: float) -> dict[str, Value]:
    def share(holds: Callable[[Trade], bool]) -> float | None:
        return mean([float(holds(trade)) for trade in trades])

    days = len({trade["date"] for trade in trades})
    volume = sum(cents(trade["volume_usd"]) for trade in trades) / 100
    symbols = Counter(trade["symbol"] for trade in trades if trade["symbol"] is not None)
    winners, losers = [trade for trade in trades if is_win(trade)], [trade for trade in trades if is_loss(trade)]
    return {
        "trades_count": len(trades),
        "trading_days": days,
        "trades_per_active_day": ratio(len(trades), days),
        "duration_mean": mean([hours(trade) for trade in trades]),
        "duration_std": float(pd.Series([hours(trade) for trade in trades]).std(ddof=1)) if len(trades) > 1 else None,
        "lots_mean": mean([trade["lots"] for trade in trades]),
        "lots_max": max((trade["lots"] for trade in trades), default=None),
        "volume_sum": volume,
        "rel_volume_sum": ratio(volume, start),
        "commission_sum": sum(cents(trade["commission"]) for trade in trades) / 100,
        "stop_loss_share": share(lambda trade: trade["has_stop_loss"]),
        "take_profit_share": share(lambda trade: trade["has_take_profit"]),
        "buy_share": share(lambda trade: trade["side"] == "buy"),
        "weekend_share": share(lambda trade: trade["open_time"].isoweekday() in (6, 7)),
        **{f"{name}_share": share(lambda trade, name=name: trade["symbol_class"] == name) for name in CLASSES},
        **{f"{name}_session_share": share(lambda trade, name=name: trade["session"] == name) for name in SESSIONS},
        "symbols_count": len(symbols),
        "top_symbol_share": ratio(max(symbols.values(), default=None), symbols.total()),
        "symbol_hhi": sum((n / symbols.total()) ** 2 for n in symbols.values()) if symbols else None,
        "trade_win_rate": share(is_win),
        "payoff_ratio": ratio(
            mean([trade["net_profit"] for trade in winners]), mean([-trade["net_profit"] for trade in losers])
        ),
        "lots_after_loss_ratio": ratio(
            mean([trade["lots"] for trade in after(trades, is_loss)]),
            mean([trade["lots"] for trade in after(trades, is_win)]),
        ),
        "holding_asymmetry": ratio(mean([hours(trade) for trade in losers]), mean([hours(trade) for trade in winners])),
    }


def own_symbol_volatility(trades: Sequence[Trade], born: date, day: date, regime: dict[str, Any]) -> Value:
    """own_symbol_volatility_20d; `regime` is the document of the day, empty without one."""
    weighted, weights = 0.0, 0.0
    for trade in trades_of(trades, born, day, 20):
        symbol = OTHER_NAMES.get(trade["symbol"], trade["symbol"])
        volatility = regime.get(f"{symbol}_volatility_90d".lower())
        if volatility is not None and trade["volume_usd"] is not None:
            weighted += volatility * trade["volume_usd"]
            weights += trade["volume_usd"]
    return ratio(weighted, weights)


def trade_day(trades: Sequence[Trade]) -> dict[str, Any]:
    """The row of features/trade_daily for all trades of one account on one day, without its key."""
    winners, losers = [trade for trade in trades if is_win(trade)], [trade for trade in trades if is_loss(trade)]
    after_win, after_loss = after(trades, is_win), after(trades, is_loss)
    middle = mean([hours(trade) for trade in trades]) or 0.0
    symbols = sorted({trade["symbol"] for trade in trades if trade["symbol"] is not None})
    return {
        "trades": len(trades), "winning_trades": len(winners), "losing_trades": len(losers),
        "buys": len([trade for trade in trades if trade["side"] == "buy"]),
        "trades_with_stop_loss": len([trade for trade in trades if trade["has_stop_loss"]]),
        "trades_with_take_profit": len([trade for trade in trades if trade["has_take_profit"]]),
        "weekend_trades": len([trade for trade in trades if trade["open_time"].isoweekday() in (6, 7)]),
        **{f"{name}_trades": len([t for t in trades if t["symbol_class"] == name]) for name in CLASSES},
        **{f"{name}_trades": len([t for t in trades if t["session"] == name]) for name in SESSIONS},
        "lots": _lots(trades), "lots_max": max(trade["lots"] for trade in trades),
        "volume_usd": sum(cents(trade["volume_usd"]) for trade in trades) / 100,
        "commission": sum(cents(trade["commission"]) for trade in trades) / 100,
        "gross_profit": sum(cents(trade["net_profit"]) for trade in winners) / 100,
        "gross_loss": sum(cents(trade["net_profit"]) for trade in losers) / 100,
        "duration_hours": _hours(trades),
        "duration_squared_deviations": sum((hours(trade) - middle) ** 2 for trade in trades),
        "winners_duration_hours": _hours(winners), "losers_duration_hours": _hours(losers),
        "trades_after_win": len(after_win), "trades_after_loss": len(after_loss),
        "lots_after_win": _lots(after_win), "lots_after_loss": _lots(after_loss),
        "symbols": [_symbol(name, [t for t in trades if t["symbol"] == name]) for name in symbols],
    }  # fmt: skip


def _symbol(name: str, trades: Sequence[Trade]) -> dict[str, Value]:
    known = [trade["volume_usd"] for trade in trades if trade["volume_usd"] is not None]
    volume = sum(cents(volume) for volume in known) / 100 if known else None
    return {"symbol": name, "trades": len(trades), "volume_usd": volume}


def _lots(trades: Sequence[Trade]) -> float:
    return sum(round(trade["lots"] * 1_000_000) for trade in trades) / 1_000_000


def _hours(trades: Sequence[Trade]) -> float:
    held = sum(((trade["close_time"] - trade["open_time"]) for trade in trades), timedelta())
    return (held // timedelta(milliseconds=1)) / 3_600_000
