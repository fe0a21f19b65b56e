"""The contract of raw/plans: the terms of every plan as known on the day.

Only the fields that are used, of the 94 in the file. Percentages stay percent (10.0 is 10 %), and
where the file writes 0 for "none" the value here is null.
"""

from __future__ import annotations

from daily_profit_model.tables.contract import DAY, FLAG, FLOAT, INT, TEXT, TIMESTAMP, Column, Table

ZERO_MEANS_NONE = ("profit_target_pct", "daily_loss_limit_pct", "maximum_time")

RAW_PLANS = Table(
    name="raw/plans",
    description="Plan terms as of the day: for each plan the newest revision known by then.",
    key=("date", "plan_id"),
    columns=(
        Column("date", DAY, "Day on which these terms were known", required=True),
        Column("plan_id", TEXT, "Plan", required=True, source="planId"),
        Column("type", TEXT, "Family and stage, such as `Standard P1`", required=True, source="type"),
        Column("description", TEXT, "Description", source="description"),
        Column(
            "starting_balance",
            FLOAT,
            "Balance at the start; absurd values occur",
            "USD",
            required=True,
            source="startingBalance",
        ),
        Column("profit_target_pct", FLOAT, "Profit target; null: none", "percent", source="profitTargetPct"),
        Column(
            "max_trailing_drawdown_pct",
            FLOAT,
            "Largest drawdown allowed, static or trailing",
            "percent",
            source="maxTrailingDrawdownPct",
        ),
        Column("daily_loss_limit_pct", FLOAT, "Daily loss limit; null: none", "percent", source="dailyLossLimitPct"),
        Column("profit_share_pct", FLOAT, "Trader's share of the profit", "percent", source="profitSharePct"),
        Column("leverage", FLOAT, "Leverage", source="leverage"),
        Column(
            "minimum_required_active_trading_days",
            INT,
            "Trading days required; 0: none",
            "days",
            source="minimumRequiredActiveTradingDays",
        ),
        Column("maximum_time", INT, "Time limit; null: unlimited", "days", source="maximumTime"),
        Column(
            "is_drawdown_relative",
            FLAG,
            "True: drawdown trails the equity peak; false: it is static. The negation of `makeDrawdownStatic`",
            source="makeDrawdownStatic",
        ),
        Column("liquidate_friday", FLAG, "Positions must be closed before the weekend", source="liquidateFriday"),
        Column("inactivity_period", INT, "Days without a trade before breach", "days", source="inactivityPeriod"),
        Column(
            "daily_drawdown_by_balance_equity",
            FLAG,
            "Daily loss from the higher of the previous day's balance and equity; false: from its balance",
            source="dailyDrawdownByBalanceEquity",
        ),
        Column("enable_consistency", FLAG, "Consistency rule", source="enableConsistency"),
        Column("require_stop_loss", FLAG, "A stop-loss is required", source="requireStopLoss"),
        Column("allow_eas", FLAG, "Trading programs are allowed", source="allowEAs"),
        Column("is_swing", FLAG, "Swing variant", source="isSwing"),
        Column("platform", TEXT, "Name of the platform, trimmed, upper case", source="platform"),
        Column("broker", TEXT, "Name of the broker, trimmed, upper case", source="broker"),
        Column("price", FLOAT, "Price of the plan", "USD", source="price"),
        Column("archived", FLAG, "No longer sold", source="archived"),
        Column("inserted", TIMESTAMP, "When the plan was entered", source="inserted"),
        Column("updated", TIMESTAMP, "When the revision was entered", source="updated"),
        Column(
            "initial_withdrawal_delay_days",
            INT,
            "Days before the first payout",
            "days",
            source="initialWithdrawalDelayDays",
        ),
        Column(
            "subsequent_withdrawal_delay_days",
            INT,
            "Days between later payouts",
            "days",
            source="subsequentWithdrawalDelayDays",
        ),
        Column("upgrade_delay_hours", FLOAT, "Hours before the next phase opens", "hours", source="upgradeDelayHours"),
        Column(
            "daily_cap_profit_limit_pct", FLOAT, "Cap of the daily profit", "percent", source="dailyCapProfitLimitPct"
        ),
        Column("daily_loss_cap_limit_pct", FLOAT, "Cap of the daily loss", "percent", source="dailyLossCapLimitPct"),
        Column("valid_from", TIMESTAMP, "From when these terms hold: updated, else inserted", required=True),
        Column("source_file", TEXT, "File the revision was read from", required=True),
    ),
    revisions=True,
)
