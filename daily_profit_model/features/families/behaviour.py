"""Behaviour features: how the account traded in the last 5 and 20 days. From features/trade_daily alone."""

from __future__ import annotations

import re

from daily_profit_model.features.feature import Feature, Kind
from daily_profit_model.features.trade_daily import FEATURES_TRADE_DAILY
from daily_profit_model.features.windows.trades import MS2_AN_HOUR2, TRADE_WINDOWS

_NO_TRADE = "no trade in the window"
_NO_SYMBOL = "no trade in the window whose symbol is known"
_CLASSES = ("forex", "metals", "index", "crypto", "energy")
_SESSIONS = ("asia", "london", "new_york")
_MS_AN_HOUR = "3600000.0"


def _feature(
    name: str,
    window: int,
    sql: str,
    description: str,
    inputs: str,
    *,
    kind: Kind = "number",
    unit: str | None = None,
    null_means: str = _NO_TRADE,
    of_account: tuple[str, ...] = (),
) -> Feature:
    """`inputs`: columns of features/trade_daily; `of_account`: columns of the account's own row."""
    return Feature(
        f"{name}_{window}d",
        "behaviour",
        kind,
        re.sub(r"_w\b", f"_{window}", sql),
        f"{description}, {window} days",
        (*(f"{FEATURES_TRADE_DAILY.name}.{column}" for column in inputs.split()), *of_account),
        unit,
        window,
        null_means,
    )


def _share(name: str, window: int, trades: str, description: str) -> Feature:
    return _feature(name, window, f"{trades}_w / nullif(trades_w, 0)", description, f"trades {trades}", unit="share")


def _of_window(w: int) -> tuple[Feature, ...]:
    mean_ms = "duration_hours_w / trades_w"
    return (
        _feature(
            "trades_count", w, "trades_w::bigint", "Trades closed", "trades",
            kind="count", unit="trades", null_means="never null",
        ),
        _feature(
            "trading_days", w, "active_days_w::bigint", "Days with a closed trade", "trades",
            kind="count", unit="days", null_means="never null",
        ),
        _feature(
            "trades_per_active_day", w, "trades_w / nullif(active_days_w, 0)",
            "Trades closed on a day with any", "trades", unit="trades",
        ),
        _feature(
            "duration_mean", w, f"case when trades_w > 0 then {mean_ms} / {_MS_AN_HOUR} end",
            "Mean holding time", "trades duration_hours", unit="hours",
        ),
        _feature(
            "duration_std", w,
            f"case when trades_w > 1 then sqrt(duration_m2_w / {MS2_AN_HOUR2!r} / (trades_w - 1)) end",
            "Standard deviation of the holding times",
            "trades duration_hours duration_squared_deviations",
            unit="hours", null_means="fewer than two trades in the window",
        ),
        _feature(
            "lots_mean", w, "lots_w / nullif(trades_w, 0) / 1000000.0", "Mean size of a trade", "trades lots",
            unit="lots",
        ),
        _feature(
            "lots_max", w, "case when trades_w > 0 then lots_max_w / 1000000.0 end", "Size of the largest trade",
            "trades lots_max", unit="lots",
        ),
        _feature(
            "volume_sum", w, "volume_usd_w / 100.0", "Volume traded, where it is known", "volume_usd",
            unit="USD", null_means="never null",
        ),
        _feature(
            "rel_volume_sum", w, "volume_usd_w / 100.0 / nullif(starting_balance, 0)",
            "Volume traded, where it is known, relative to the starting balance", "volume_usd",
            null_means="never null for an eligible account", of_account=("starting_balance",),
        ),
        _feature(
            "commission_sum", w, "commission_w / 100.0", "Commission; a cost is negative", "commission",
            unit="USD", null_means="never null",
        ),
        _share("stop_loss_share", w, "trades_with_stop_loss", "Share of the trades with a stop-loss"),
        _share("take_profit_share", w, "trades_with_take_profit", "Share of the trades with a take-profit"),
        _share("buy_share", w, "buys", "Share of the trades that bought"),
        _share("weekend_share", w, "weekend_trades", "Share of the trades opened on a weekend"),
        *(
            _share(f"{name}_share", w, f"{name}_trades", f"Share of the trades in the class {name}")
            for name in _CLASSES
        ),
        *(
            _share(f"{name}_session_share", w, f"{name}_trades", f"Share of the trades opened in the session {name}")
            for name in _SESSIONS
        ),
        _feature(
            "symbols_count", w, "coalesce(symbols_w, 0)", "Different symbols traded", "symbols",
            kind="count", unit="symbols", null_means="never null",
        ),
        _feature(
            "top_symbol_share", w, "top_trades_w / nullif(symbol_trades_w, 0)",
            "Share of the trades whose symbol is known in the one traded most", "symbols", unit="share",
            null_means=_NO_SYMBOL,
        ),
        _feature(
            "symbol_hhi", w, "squared_trades_w / nullif(symbol_trades_w * symbol_trades_w, 0)",
            "Concentration on symbols (Herfindahl-Hirschman index of the trades)", "symbols", null_means=_NO_SYMBOL,
        ),
        _share("trade_win_rate", w, "winning_trades", "Share of the trades with a net profit"),
        _feature(
            "payoff_ratio", w,
            "(gross_profit_w / nullif(winning_trades_w, 0)) / nullif(-gross_loss_w / nullif(losing_trades_w, 0), 0)",
            "Mean winning trade over mean losing trade",
            "winning_trades losing_trades gross_profit gross_loss",
            null_means="no winning or no losing trade in the window",
        ),
        _feature(
            "lots_after_loss_ratio", w,
            "(lots_after_loss_w / nullif(trades_after_loss_w, 0)) "
            "/ nullif(lots_after_win_w / nullif(trades_after_win_w, 0), 0)",
            "Mean size of trades opened after a loss of the same day over that after a win",
            "trades_after_win trades_after_loss lots_after_win lots_after_loss",
            null_means="no trade after a win, or none after a loss, in the window",
        ),
        _feature(
            "holding_asymmetry", w,
            "(losers_duration_hours_w / nullif(losing_trades_w, 0)) "
            "/ nullif(winners_duration_hours_w / nullif(winning_trades_w, 0), 0)",
            "Mean holding time of losing trades over that of winning trades",
            "winning_trades losing_trades winners_duration_hours losers_duration_hours",
            null_means="no losing trade, or no winning one that was held, in the window",
        ),
    )  # fmt: skip


BEHAVIOUR = tuple(feature for window in TRADE_WINDOWS for feature in _of_window(window))
