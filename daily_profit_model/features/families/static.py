"""Static features: the plan's terms as of D and what an account is. Nothing that changes with trading."""

from __future__ import annotations

from daily_profit_model.features.feature import Feature, Kind

_NO_TERMS = "the plan's terms on D are not known"


def _static(
    name: str, kind: Kind, description: str, *, unit: str | None = None, null_means: str = _NO_TERMS, sql: str = ""
) -> Feature:
    return Feature(name, "static", kind, sql or name, description, (name,), unit, null_means=null_means)


STATIC = (
    _static(
        "starting_balance",
        "number",
        "Balance with which the account began",
        unit="USD",
        null_means="never null for an eligible account",
    ),
    _static("leverage", "number", "Leverage of the plan"),
    _static("profit_target_pct", "number", "Profit target", unit="percent", null_means=f"no target, or {_NO_TERMS}"),
    _static("max_drawdown_pct", "number", "Largest drawdown allowed", unit="percent"),
    _static(
        "daily_loss_limit_pct",
        "number",
        "Daily loss limit",
        unit="percent",
        null_means=f"no daily limit, or {_NO_TERMS}",
    ),
    _static("is_drawdown_relative", "flag", "The drawdown trails the equity peak"),
    _static("profit_share_pct", "number", "Trader's share of the profit", unit="percent"),
    _static("min_trading_days", "count", "Trading days required", unit="days"),
    _static("max_trading_days", "count", "Time limit", unit="days", null_means=f"unlimited, or {_NO_TERMS}"),
    _static("liquidate_friday", "flag", "Positions must be closed before the weekend"),
    _static("inactivity_period_days", "count", "Days without a trade before breach", unit="days"),
    _static("daily_drawdown_by_balance_equity", "flag", "The daily loss counts from the higher of balance and equity"),
    _static("enable_consistency", "flag", "The consistency rule applies"),
    _static("plan_type", "category", "Family and stage of the plan"),
    _static("phase", "category", "Phase of the account", sql="phase::varchar", null_means="the service gives none"),
    _static("platform", "category", "Trading platform", sql="platform::varchar"),
    _static("broker", "category", "Broker", sql="broker::varchar"),
    _static("country", "category", "Country of the trader", null_means="the service gives none"),
)
