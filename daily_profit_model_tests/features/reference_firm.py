"""What an account's day shares with others, once more: the regime of the day and the peers of its plan type. No tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from daily_profit_model.features import CATALOGUE
from daily_profit_model_tests.features.reference_trades import Value, cents, mean, ratio

Row = dict[str, Any]


def market(regime: Row) -> dict[str, Value]:
    """The market family but for own_symbol_volatility; `regime` is the document of the day, empty without one."""
    names = [feature.name for feature in CATALOGUE if feature.family == "market"]
    return {name: regime.get(name) for name in names if not name.startswith("own_symbol")}


def peers(own: Row, eligible: Sequence[Row]) -> dict[str, Value]:
    """The peers family. `eligible`: the day's eligible rows, each with the USD made in five days as `made_5d`."""
    if own["plan_type"] is None:
        names = [feature.name for feature in CATALOGUE if feature.family == "peers"]
        return dict.fromkeys(names)
    alike = [row for row in eligible if row["plan_type"] == own["plan_type"]]
    profits = [row["net_profit"] for row in alike if row["net_profit"] is not None]
    made = [None if row["made_5d"] is None else cents(row["made_5d"]) for row in alike]
    return {
        "peer_rank_pnl_sum_5d": _below(None if own["made_5d"] is None else cents(own["made_5d"]), made),
        "peer_rank_equity_to_start": _below(_equity(own), [_equity(row) for row in alike]),
        "peer_pnl_mean_1d": mean(profits),
        "peer_trading_share_1d": mean([float(row["has_traded"]) for row in alike]),
        "peer_accounts": len(alike),
    }


def _equity(row: Row) -> float | None:
    return ratio(row["equity"], row["starting_balance"])


def _below(own: float | None, everybody: Sequence[float | None]) -> float | None:
    """Share of the others with less; `everybody` holds the own value too."""
    known = [value for value in everybody if value is not None]
    if own is None or len(known) < 2:
        return None
    return sum(value < own for value in known) / (len(known) - 1)
