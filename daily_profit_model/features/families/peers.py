"""Peer features: where the account stands on D among the eligible accounts of its plan type."""

from __future__ import annotations

from daily_profit_model.features.feature import Feature, Kind

_NO_PEERS = "the plan's terms on D are not known"
_ALONE = f"no other account has a value, {_NO_PEERS}, or the account's own is not known"


def _peers(name: str, sql: str, description: str, inputs: str, *, unit: str | None, window: int, null: str) -> Feature:
    kind: Kind = "count" if unit == "accounts" else "number"
    return Feature(
        name, "peers", kind, sql, description, (*inputs.split(), "is_eligible", "plan_type"), unit, window, null
    )


PEERS = (
    _peers(
        "peer_rank_pnl_sum_5d",
        "profit_rank",
        "Share of the other accounts of its plan type on D that made less in 5 days",
        "net_profit",
        unit="share",
        window=5,
        null=_ALONE,
    ),
    _peers(
        "peer_rank_equity_to_start",
        "equity_rank",
        "Share of the other accounts of its plan type on D with less equity for their starting balance",
        "equity starting_balance",
        unit="share",
        window=1,
        null=_ALONE,
    ),
    _peers(
        "peer_pnl_mean_1d",
        "peers_profit / 100.0",
        "Mean net profit on D of the accounts of its plan type",
        "net_profit",
        unit="USD",
        window=1,
        null=f"no profit of D is known, or {_NO_PEERS}",
    ),
    _peers(
        "peer_trading_share_1d",
        "peers_traded",
        "Share of the accounts of its plan type with a closed trade on D",
        "has_traded",
        unit="share",
        window=1,
        null=_NO_PEERS,
    ),
    _peers(
        "peer_accounts",
        "peers",
        "Eligible accounts of its plan type on D, its own counted",
        "",
        unit="accounts",
        window=1,
        null=_NO_PEERS,
    ),
)
