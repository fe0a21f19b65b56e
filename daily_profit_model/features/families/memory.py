"""Memory features: single past days, streaks, weighted means, and the scale by which profits are measured."""

from __future__ import annotations

from daily_profit_model.features.feature import Feature
from daily_profit_model.features.windows.profit import HALF_LIVES, MEDIAN_DAYS

LAGS = (1, 2, 3, 4, 5)
SCALE_WINDOWS = (3, 5, 10, 20, 60)
LONGEST = 60
SAME_WEEKDAY_LAGS = (6, 13, 20, 27)
"""The days of the last four weeks that share the weekday of D+1."""
SCALE_FLOOR = 0.0005
"""Share of the starting balance (5 basis points): below it an account's scale says it does not trade."""

_INPUTS = ("net_profit", "has_traded")


def _lag(days: int) -> Feature:
    return Feature(
        f"pnl_lag_{days}d",
        "memory",
        "number",
        f"x_lag_{days} / 100.0",
        f"Net profit {days} days before D",
        ("net_profit",),
        "USD",
        days + 1,
        "the day lies before the account's life, or is not known",
    )


def _weighted(half_life: int) -> Feature:
    return Feature(
        f"ewm_pnl_{half_life}d",
        "memory",
        "number",
        f"e{half_life}_{LONGEST} / nullif(w{half_life}_{LONGEST}, 0) / 100.0",
        f"Exponentially weighted mean of daily net profit, half-life {half_life} days",
        ("net_profit",),
        "USD",
        LONGEST,
        "no day is known",
    )


def _scale(window: int) -> Feature:
    return Feature(
        f"abs_pnl_mean_{window}d",
        "memory",
        "number",
        f"(2 * gp_{window} - s_{window}) / nullif(n_{window}, 0) / 100.0",
        f"Mean absolute daily net profit, {window} days",
        ("net_profit",),
        "USD",
        window,
        "no day of the window is known",
    )


def _streak(name: str, sql: str, description: str, inputs: str) -> Feature:
    return Feature(name, "memory", "count", sql, description, tuple(inputs.split()), "days")


_WEEKDAY_KNOWN = " + ".join(f"(x_lag_{lag} is not null)::int" for lag in SAME_WEEKDAY_LAGS)
_WEEKDAY_SUM = " + ".join(f"coalesce(x_lag_{lag}, 0)" for lag in SAME_WEEKDAY_LAGS)
_WEEKDAY_SEEN = " + ".join(f"(traded_lag_{lag} is not null)::int" for lag in SAME_WEEKDAY_LAGS)
_WEEKDAY_TRADED = " + ".join(f"coalesce(traded_lag_{lag}, 0)" for lag in SAME_WEEKDAY_LAGS)
_NO_WEEKDAY = "the account is younger than a week"

MEMORY = (
    *(_lag(days) for days in LAGS),
    _streak(
        "winning_streak",
        "active_trading_days - active_days_at_last_non_win",
        "Trading days with a profit in a row, up to D",
        "active_trading_days active_days_at_last_non_win",
    ),
    _streak(
        "losing_streak",
        "active_trading_days - active_days_at_last_non_loss",
        "Trading days with a loss in a row, up to D",
        "active_trading_days active_days_at_last_non_loss",
    ),
    _streak(
        "idle_streak",
        "coalesce(date_diff('day', last_trade_date, date), date_diff('day', first_seen_date, date) + 1)",
        "Days without a closed trade in a row, up to D",
        "last_trade_date first_seen_date",
    ),
    *(_weighted(half_life) for half_life in HALF_LIVES),
    *(_scale(window) for window in SCALE_WINDOWS),
    Feature(
        f"pnl_median_{MEDIAN_DAYS}d",
        "memory",
        "number",
        f"median_{MEDIAN_DAYS} / 100.0",
        f"Median daily net profit, {MEDIAN_DAYS} days",
        ("net_profit",),
        "USD",
        MEDIAN_DAYS,
        "no day of the window is known",
    ),
    Feature(
        "profit_scale",
        "memory",
        "number",
        f"greatest(coalesce(a10_{LONGEST} / nullif(w10_{LONGEST}, 0) / 100.0, 0.0), {SCALE_FLOOR} * starting_balance)",
        "The account's own scale: exponentially weighted mean of absolute daily net profit, half-life 10 days, "
        "at least 5 basis points of the starting balance",
        ("net_profit", "starting_balance"),
        "USD",
        LONGEST,
    ),
    Feature(
        "same_weekday_pnl_mean_4w",
        "memory",
        "number",
        f"({_WEEKDAY_SUM}) / nullif({_WEEKDAY_KNOWN}, 0) / 100.0",
        "Mean net profit on the weekday of D+1, last four of them",
        ("net_profit",),
        "USD",
        28,
        _NO_WEEKDAY,
    ),
    Feature(
        "same_weekday_trading_share_4w",
        "memory",
        "number",
        f"({_WEEKDAY_TRADED}) / nullif({_WEEKDAY_SEEN}, 0)",
        "Share of the last four weekdays of D+1 with a closed trade",
        ("has_traded",),
        "share",
        28,
        _NO_WEEKDAY,
    ),
)
