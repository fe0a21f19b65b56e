"""The features once more, written naively with pandas and plain Python from FEATURES.md alone. No tests here.

What rests on trades stands in `reference_trades`, what rests on the day's regime and on other accounts in
`reference_firm`.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from daily_profit_model_tests.features.reference_firm import market, peers
from daily_profit_model_tests.features.reference_trades import Trade, Value, behaviour, own_symbol_volatility

WINDOWS = (1, 3, 5, 10, 20, 60)


def reference_rows(
    staging: pa.Table, days: set[date], trades: pa.Table, regimes: pa.Table
) -> dict[tuple[date, str], dict[str, Value]]:
    """Features by (day, account) for the eligible rows of the given days, from staging rows, trades and regimes."""
    answers: dict[tuple[date, str], dict[str, Value]] = {}
    eligible: dict[date, list[dict[str, Any]]] = {}
    documents: dict[date, dict[str, Any]] = {document["date"]: document for document in regimes.to_pylist()}
    by_account: dict[str, list[Trade]] = {}
    for trade in trades.to_pylist():
        by_account.setdefault(trade["account_id"], []).append(trade)
    frame = pd.DataFrame(staging.to_pylist())
    for _, life in frame.groupby(["account_id", "first_seen_date"]):
        rows: list[dict[str, Any]] = life.sort_values("date").to_dict("records")  # type: ignore[assignment]  # names
        for place, row in enumerate(rows):
            day, account, born = row["date"], row["account_id"], row["first_seen_date"]
            if day in days and row["is_eligible"]:
                past, traded, document = rows[: place + 1], by_account.get(account, []), documents.get(day, {})
                answers[(day, account)] = {
                    **_performance(past), **_memory(past), **_state(row), **_calendar(day + timedelta(days=1)),
                    **behaviour(traded, born, day, row["starting_balance"]), **market(document),
                    "own_symbol_volatility_20d": own_symbol_volatility(traded, born, day, document),
                }  # fmt: skip
                known = {name: _known(value) for name, value in row.items()}
                eligible.setdefault(day, []).append({**known, "made_5d": answers[(day, account)]["pnl_sum_5d"]})
    for day, rows in eligible.items():
        for row in rows:
            answers[(day, row["account_id"])] |= peers(row, rows)
    return answers


def _known(value: Any) -> Any:
    return None if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)) else value


def _over(top: Any, bottom: Any) -> Any:
    return None if top is None or not bottom else top / bottom


def _profits(rows: list[dict[str, Any]]) -> list[float]:
    return [row["net_profit"] for row in rows if _known(row["net_profit"]) is not None]


def _performance(past: list[dict[str, Any]]) -> dict[str, Value]:
    start = past[-1]["starting_balance"]
    answer: dict[str, Value] = {}
    for w in WINDOWS:
        rows = past[-w:]
        profits = pd.Series(_profits(rows), dtype=float)
        n = len(profits)
        money: dict[str, Value] = {"sum": float(profits.sum()) if n else None}
        if w > 1:
            path = np.concatenate([[0.0], profits.cumsum()])
            money |= {
                "mean": float(profits.mean()) if n else None,
                "std": float(profits.std(ddof=1)) if n > 1 else None,
                "min": float(profits.min()) if n else None,
                "max": float(profits.max()) if n else None,
                "downside_std": float(np.sqrt((profits.clip(upper=0) ** 2).mean())) if n > 1 else None,
                "max_drawdown": float((np.maximum.accumulate(path) - path).max()) if n else None,
            }
            known_and_traded = [row for row in rows if _known(row["net_profit"]) is not None and row["has_traded"]]
            ratio = None if profits.nunique() == 1 else _over(money["mean"], money["std"])
            answer |= {
                f"days_observed_{w}d": n,
                f"win_day_share_{w}d": float((profits > 0).mean()) if n else None,
                f"trading_day_share_{w}d": len(known_and_traded) / n if n else None,
                f"profit_factor_{w}d": _over(float(profits[profits > 0].sum()), float(-profits[profits < 0].sum())),
                f"sharpe_{w}d": None if ratio is None else ratio * 252**0.5,
            }
        for statistic, value in money.items():
            answer[f"pnl_{statistic}_{w}d"] = value
            answer[f"rel_pnl_{statistic}_{w}d"] = _over(value, start)
    return answer


def _memory(past: list[dict[str, Any]]) -> dict[str, Value]:
    def back(days: int) -> dict[str, Any] | None:
        return past[-1 - days] if days < len(past) else None

    answer: dict[str, Value] = {}
    for lag in range(1, 6):
        row = back(lag)
        answer[f"pnl_lag_{lag}d"] = _known(row["net_profit"]) if row else None
    recent = past[-60:][::-1]
    for half_life in (3, 10):
        weights = [(0.5 ** (ago / half_life), _known(row["net_profit"])) for ago, row in enumerate(recent)]
        weights = [(weight, profit) for weight, profit in weights if profit is not None]
        total = sum(weight for weight, _ in weights)
        answer[f"ewm_pnl_{half_life}d"] = _over(sum(weight * profit for weight, profit in weights), total)
    scale = _over(sum(weight * abs(profit) for weight, profit in weights), total) or 0.0
    answer["profit_scale"] = max(scale, 0.0005 * past[-1]["starting_balance"])
    for w in (3, 5, 10, 20, 60):
        profits = _profits(past[-w:])
        answer[f"abs_pnl_mean_{w}d"] = float(np.mean(np.abs(profits))) if profits else None
    profits = _profits(past[-20:])
    answer["pnl_median_20d"] = float(np.median(profits)) if profits else None
    weekdays = [row for row in (back(days) for days in (6, 13, 20, 27)) if row]
    seen = _profits(weekdays)
    answer["same_weekday_pnl_mean_4w"] = float(np.mean(seen)) if seen else None
    answer["same_weekday_trading_share_4w"] = (
        float(np.mean([row["has_traded"] for row in weekdays])) if weekdays else None
    )
    return answer | _streaks(past)


def _streaks(past: list[dict[str, Any]]) -> dict[str, Value]:
    traded = [_known(row["net_profit"]) for row in past[::-1] if row["has_traded"]]

    def run(holds: list[bool]) -> int:
        return holds.index(False) if False in holds else len(holds)

    return {
        "winning_streak": run([profit is not None and profit > 0 for profit in traded]),
        "losing_streak": run([profit is not None and profit < 0 for profit in traded]),
        "idle_streak": run([not row["has_traded"] for row in past[::-1]]),
    }


def _state(raw: dict[str, Any]) -> dict[str, Value]:
    row = {name: _known(value) for name, value in raw.items()}
    day, start, equity, balance = row["date"], row["starting_balance"], row["equity"], row["balance"]
    high, target, drawdown = row["equity_high"], row["profit_target_pct"], row["max_drawdown_pct"]

    def days_since(name: str) -> int | None:
        return None if row[name] is None else (day - row[name]).days

    reference = {True: high, False: start, None: None}[row["is_drawdown_relative"]]
    best = max(balance, equity) if None not in (balance, equity) else (balance if equity is None else equity)
    daily = {True: best, False: balance, None: None}[row["daily_drawdown_by_balance_equity"]]
    limit, inactivity = row["daily_loss_limit_pct"], row["inactivity_period_days"]
    idle_since = max(row["last_trade_date"] or row["first_seen_date"], row["first_seen_date"])

    def unless_unknown(needed: list[Any], value: Any) -> Any:
        return None if None in needed else value()

    return {
        "balance": balance, "equity": equity,
        "balance_to_start": _over(balance, start), "equity_to_start": _over(equity, start),
        "open_pnl": row["open_pnl"], "open_positions": row["open_positions"], "open_volume": row["open_volume"],
        "equity_high_water_mark": high, "days_since_equity_high": days_since("equity_high_date"),
        "drawdown_from_peak": unless_unknown([equity], lambda: (high - equity) / high),
        "days_since_first_trade": days_since("first_trade_date"),
        "days_since_last_trade": days_since("last_trade_date"), "active_trading_days": row["active_trading_days"],
        "distance_to_profit_target": unless_unknown([target, equity], lambda: start * (1 + target / 100) - equity),
        "progress_to_profit_target": unless_unknown(
            [target, equity], lambda: (equity - start) / (start * target / 100)),
        "distance_to_max_drawdown": unless_unknown(
            [drawdown, equity, reference], lambda: equity - (reference - start * drawdown / 100)),
        "daily_loss_room": unless_unknown([limit, equity, daily], lambda: equity - (daily - start * limit / 100)),
        "days_to_time_limit": unless_unknown(
            [row["max_trading_days"], row["first_trade_date"]],
            lambda: row["max_trading_days"] - (day - row["first_trade_date"]).days),
        "days_to_inactivity_breach": inactivity - (day - idle_since).days if inactivity else None,
        "approved_payouts": row["approved_payouts"], "pending_payouts": row["pending_payouts"],
        "days_to_next_payout": row["days_to_next_payout"],
    }  # fmt: skip


def _calendar(tomorrow: date) -> dict[str, Value]:
    stamp = pd.Timestamp(tomorrow)
    return {
        "day_of_week": tomorrow.isoweekday(), "is_weekend": tomorrow.isoweekday() in (6, 7),
        "week_of_month": (tomorrow.day + 6) // 7, "month": tomorrow.month, "quarter": stamp.quarter,
        "is_month_start": bool(stamp.is_month_start), "is_month_end": bool(stamp.is_month_end),
        "is_quarter_start": bool(stamp.is_quarter_start), "is_quarter_end": bool(stamp.is_quarter_end),
        "days_to_month_end": stamp.days_in_month - tomorrow.day,
    }  # fmt: skip
