"""Performance features: what the account made in the last 1 to 20 (60) days, and how unevenly."""

from __future__ import annotations

from daily_profit_model.features.feature import Feature, Kind

WINDOWS = (1, 3, 5, 10, 20, 60)
TRADING_DAYS_A_YEAR = 252
_NO_DAY = "no day of the window is known"
_NO_DEVIATION = "fewer than two days known, or no deviation"


def _window(
    quantity: str,
    window: int,
    sql: str,
    description: str,
    *,
    unit: str | None = "USD",
    null_means: str = _NO_DAY,
    kind: Kind = "number",
    reads: tuple[str, ...] = (),
) -> Feature:
    """`reads`: the columns beside the net profit on which it rests."""
    text = f"{description}, {window} days" if window > 1 else f"{description}, D alone"
    return Feature(
        f"{quantity}_{window}d", "performance", kind, sql, text, ("net_profit", *reads), unit, window, null_means
    )


def _money(quantity: str, window: int, cents: str, description: str, null_means: str = _NO_DAY) -> list[Feature]:
    """A quantity in USD and its twin relative to the starting balance."""
    usd = f"({cents}) / 100.0"
    return [
        _window(f"pnl_{quantity}", window, usd, description, null_means=null_means),
        _window(
            f"rel_pnl_{quantity}",
            window,
            f"({usd}) / nullif(starting_balance, 0)",
            f"{description}, relative to the starting balance",
            unit="share",
            null_means=null_means,
            reads=("starting_balance",),
        ),
    ]


def _of_window(w: int) -> list[Feature]:
    known = f"case when n_{w} > 0 then "
    mean = f"{known}s_{w} / n_{w} end"
    std = f"case when n_{w} > 1 then sqrt(m2_{w} / (n_{w} - 1)) end"
    downside = f"case when n_{w} > 1 then sqrt(d2_{w} / n_{w}) end"
    features = _money("sum", w, f"{known}s_{w} end", "Sum of net profit")
    if w == 1:
        return features
    features += _money("mean", w, mean, "Mean daily net profit")
    features += _money("std", w, std, "Standard deviation of daily net profit", "fewer than two days known")
    features += _money("min", w, f"{known}mn_{w} end", "Worst day")
    features += _money("max", w, f"{known}mx_{w} end", "Best day")
    features += _money(
        "downside_std",
        w,
        downside,
        "Root mean square of daily losses, a day without one as zero",
        "fewer than two days known",
    )
    features += _money("max_drawdown", w, f"{known}dd_{w} end", "Largest fall of the summed profit from a high")
    features += [
        _window(
            "days_observed",
            w,
            f"n_{w}::bigint",
            "Days of the window that are known",
            unit="days",
            kind="count",
            null_means="never null",
        ),
        _window("win_day_share", w, f"{known}wins_{w} / n_{w} end", "Share of days with a profit", unit="share"),
        _window(
            "trading_day_share",
            w,
            f"{known}traded_{w} / n_{w} end",
            "Share of known days with a closed trade",
            unit="share",
            reads=("has_traded",),
        ),
        _window(
            "profit_factor",
            w,
            f"gp_{w} / nullif(gp_{w} - s_{w}, 0)",
            "Sum of winning days over losing days",
            unit=None,
            null_means="no losing day",
        ),
        _window(
            "sharpe",
            w,
            f"({mean}) / nullif({std}, 0) * sqrt({TRADING_DAYS_A_YEAR}.0)",
            "Mean over standard deviation of daily net profit × √252",
            unit=None,
            null_means=_NO_DEVIATION,
        ),
    ]
    return features


PERFORMANCE = tuple(feature for window in WINDOWS for feature in _of_window(window))
