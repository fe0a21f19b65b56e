"""The compared features as the rolling functions of Polars and pandas give them. Timing them is `feature_speed`'s."""

from __future__ import annotations

import math
from typing import Any

WINDOWS = (3, 5, 10, 20, 60)


def polars_features(pl: Any, rows: Any) -> Any:
    profit, start = pl.col("net_profit"), pl.col("starting_balance")
    own = "account_id"
    made = {f"pnl_lag_{lag}d": profit.shift(lag).over(own) for lag in range(1, 6)}
    same = [profit.shift(lag).over(own) for lag in (6, 13, 20, 27)]
    made["same_weekday_pnl_mean_4w"] = pl.mean_horizontal(*same)
    traded = [pl.col("has_traded").cast(pl.Float64).shift(lag).over(own) for lag in (6, 13, 20, 27)]
    made["same_weekday_trading_share_4w"] = pl.mean_horizontal(*traded)
    made["pnl_median_20d"] = profit.rolling_median(20, min_samples=1).over(own)
    made["pnl_sum_1d"], made["rel_pnl_sum_1d"] = profit, profit / start
    for w in WINDOWS:
        money = {
            "sum": profit.rolling_sum(w, min_samples=1).over(own),
            "mean": profit.rolling_mean(w, min_samples=1).over(own),
            "std": profit.rolling_std(w, min_samples=2).over(own),
            "min": profit.rolling_min(w, min_samples=1).over(own),
            "max": profit.rolling_max(w, min_samples=1).over(own),
            "downside_std": (profit.clip(upper_bound=0.0) ** 2).rolling_mean(w, min_samples=2).over(own).sqrt(),
        }
        for name, sql in money.items():
            made[f"pnl_{name}_{w}d"], made[f"rel_pnl_{name}_{w}d"] = sql, sql / start
        made[f"days_observed_{w}d"] = profit.is_not_null().cast(pl.Int64).rolling_sum(w, min_samples=1).over(own)
        made[f"win_day_share_{w}d"] = (profit > 0).cast(pl.Float64).rolling_mean(w, min_samples=1).over(own)
        made[f"trading_day_share_{w}d"] = pl.col("has_traded").cast(pl.Float64).rolling_mean(w, min_samples=1).over(own)
        gains = profit.clip(lower_bound=0.0).rolling_sum(w, min_samples=1).over(own)
        losses = profit.clip(upper_bound=0.0).rolling_sum(w, min_samples=1).over(own)
        made[f"profit_factor_{w}d"] = gains / -losses
        made[f"sharpe_{w}d"] = money["mean"] / money["std"] * math.sqrt(252)
        made[f"abs_pnl_mean_{w}d"] = profit.abs().rolling_mean(w, min_samples=1).over(own)
    return rows.with_columns(**made).filter(pl.col("is_eligible"))


def pandas_features(frame: Any) -> Any:
    import pandas as pd

    profit, start, groups = frame["net_profit"], frame["starting_balance"], frame["account_id"]
    made: dict[str, Any] = {}

    def rolling(values: Any, w: int, least: int = 1) -> Any:
        return values.groupby(groups, sort=False).rolling(w, min_periods=least)

    for lag in range(1, 6):
        made[f"pnl_lag_{lag}d"] = profit.groupby(groups).shift(lag)
    for name, column in (("pnl_mean", profit), ("trading_share", frame["has_traded"].astype(float))):
        same = [column.groupby(groups).shift(lag) for lag in (6, 13, 20, 27)]
        made[f"same_weekday_{name}_4w"] = pd.concat(same, axis=1).mean(axis=1)
    made["pnl_median_20d"] = rolling(profit, 20).median().to_numpy()
    made["pnl_sum_1d"], made["rel_pnl_sum_1d"] = profit, profit / start
    for w in WINDOWS:
        own = rolling(profit, w)
        money = {
            "sum": own.sum().to_numpy(),
            "mean": own.mean().to_numpy(),
            "std": rolling(profit, w, 2).std().to_numpy(),
            "min": own.min().to_numpy(),
            "max": own.max().to_numpy(),
            "downside_std": rolling(profit.clip(upper=0) ** 2, w, 2).mean().to_numpy() ** 0.5,
        }
        for name, values in money.items():
            made[f"pnl_{name}_{w}d"], made[f"rel_pnl_{name}_{w}d"] = values, values / start
        made[f"days_observed_{w}d"] = own.count().to_numpy()
        made[f"win_day_share_{w}d"] = rolling((profit > 0).astype(float), w).mean().to_numpy()
        made[f"trading_day_share_{w}d"] = rolling(frame["has_traded"].astype(float), w).mean().to_numpy()
        losses = rolling(profit.clip(upper=0), w).sum().to_numpy()
        made[f"profit_factor_{w}d"] = rolling(profit.clip(lower=0), w).sum().to_numpy() / -losses
        made[f"sharpe_{w}d"] = money["mean"] / money["std"] * math.sqrt(252)
        made[f"abs_pnl_mean_{w}d"] = rolling(profit.abs(), w).mean().to_numpy()
    return pd.concat([frame, pd.DataFrame(made)], axis=1)
