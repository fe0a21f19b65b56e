"""State features: where the account stands at the end of D, and how far from each limit of its plan."""

from __future__ import annotations

from daily_profit_model.features.feature import Feature, Kind

_NO_STATE = "the service gave no state by D"
_NO_OPEN = "no position is open"
_TARGET = "(starting_balance * (profit_target_pct / 100))"
_ALLOWED_DRAWDOWN = "(starting_balance * (max_drawdown_pct / 100))"
_IDLE_SINCE = "greatest(last_trade_date, first_seen_date)"


def _state(
    name: str,
    description: str,
    sql: str,
    inputs: str,
    *,
    kind: Kind = "number",
    unit: str | None = None,
    null_means: str = _NO_STATE,
) -> Feature:
    return Feature(name, "state", kind, sql, description, tuple(inputs.split()), unit, null_means=null_means)


STATE = (
    _state("balance", "Balance", "balance", "balance", unit="USD"),
    _state("equity", "Equity", "equity", "equity", unit="USD"),
    _state(
        "balance_to_start",
        "Balance over starting balance",
        "balance / nullif(starting_balance, 0)",
        "balance starting_balance",
    ),
    _state(
        "equity_to_start",
        "Equity over starting balance",
        "equity / nullif(starting_balance, 0)",
        "equity starting_balance",
    ),
    _state(
        "open_pnl", "Unrealised profit of the open positions", "open_pnl", "open_pnl", unit="USD", null_means=_NO_OPEN
    ),
    _state(
        "open_positions",
        "Positions open",
        "open_positions",
        "open_positions",
        kind="count",
        unit="positions",
        null_means="never null",
    ),
    _state(
        "open_volume", "Volume of the open positions", "open_volume", "open_volume", unit="USD", null_means=_NO_OPEN
    ),
    _state(
        "equity_high_water_mark", "Highest equity or starting balance seen", "equity_high", "equity_high", unit="USD"
    ),
    _state(
        "days_since_equity_high",
        "Days since the high was reached",
        "date_diff('day', equity_high_date, date)",
        "equity_high_date",
        kind="count",
        unit="days",
    ),
    _state(
        "drawdown_from_peak",
        "Fall of the equity below its high, as a share of the high",
        "(equity_high - equity) / nullif(equity_high, 0)",
        "equity equity_high",
        unit="share",
    ),
    _state(
        "days_since_first_trade",
        "Days since the first trade",
        "date_diff('day', first_trade_date, date)",
        "first_trade_date",
        kind="count",
        unit="days",
        null_means="no trade yet",
    ),
    _state(
        "days_since_last_trade",
        "Days since the newest day with a closed trade",
        "date_diff('day', last_trade_date, date)",
        "last_trade_date",
        kind="count",
        unit="days",
        null_means="no trade seen",
    ),
    _state(
        "active_trading_days",
        "Days with a closed trade seen",
        "active_trading_days",
        "active_trading_days",
        kind="count",
        unit="days",
        null_means="never null",
    ),
    _state(
        "distance_to_profit_target",
        "What is missing to the profit target: start × (1 + target) − equity",
        f"(starting_balance + {_TARGET}) - equity",
        "starting_balance profit_target_pct equity",
        unit="USD",
        null_means="the plan has no target, or its terms are not known",
    ),
    _state(
        "progress_to_profit_target",
        "Gain over the gain that the target asks for",
        f"(equity - starting_balance) / nullif({_TARGET}, 0)",
        "starting_balance profit_target_pct equity",
        unit="share",
        null_means="the plan has no target, or its terms are not known",
    ),
    _state(
        "distance_to_max_drawdown",
        "What may be lost before breach: equity − (reference − start × drawdown); the reference is the "
        "start when static, the equity high when trailing",
        "equity - ((case when is_drawdown_relative then equity_high "
        f"when not is_drawdown_relative then starting_balance end) - {_ALLOWED_DRAWDOWN})",
        "equity equity_high starting_balance max_drawdown_pct is_drawdown_relative",
        unit="USD",
        null_means="the plan's terms are not known",
    ),
    _state(
        "daily_loss_room",
        "What may be lost on D+1 before breach: equity − (reference − start × limit); the reference is the "
        "balance at the end of D, or the higher of balance and equity where the plan says so",
        "equity - ((case when daily_drawdown_by_balance_equity then greatest(balance, equity) "
        "when not daily_drawdown_by_balance_equity then balance end) "
        "- starting_balance * (daily_loss_limit_pct / 100))",
        "equity balance starting_balance daily_loss_limit_pct daily_drawdown_by_balance_equity",
        unit="USD",
        null_means="the plan has no daily limit, or its terms are not known",
    ),
    _state(
        "days_to_time_limit",
        "Days left before the plan's time limit, counted from the first trade",
        "max_trading_days - date_diff('day', first_trade_date, date)",
        "max_trading_days first_trade_date",
        kind="count",
        unit="days",
        null_means="the plan is unlimited, or no trade yet",
    ),
    _state(
        "days_to_inactivity_breach",
        "Days left before the account ends for inactivity",
        f"nullif(inactivity_period_days, 0) - date_diff('day', {_IDLE_SINCE}, date)",
        "inactivity_period_days last_trade_date first_seen_date",
        kind="count",
        unit="days",
        null_means="the plan has no such rule, or its terms are not known",
    ),
    _state("approved_payouts", "Payouts approved so far", "approved_payouts", "approved_payouts", unit="USD"),
    _state(
        "pending_payouts", "Payouts asked for and not yet approved", "pending_payouts", "pending_payouts", unit="USD"
    ),
    _state(
        "days_to_next_payout",
        "Days until the next payout may be asked for",
        "days_to_next_payout",
        "days_to_next_payout",
        unit="days",
    ),
)
