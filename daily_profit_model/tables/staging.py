"""The contracts of the staging tables: one row per account and day of its life, one row per trade."""

from __future__ import annotations

from daily_profit_model.tables.contract import DAY, FLAG, FLOAT, INT, TEXT, TIMESTAMP, Column, Table

_IDENTITY = (
    Column("date", DAY, "Day D that the row describes, at its end (UTC)", required=True),
    Column("account_id", TEXT, "Account, unique in the firm", required=True),
    Column("login", TEXT, "Login, unique with platform and broker", required=True),
    Column("platform", INT, "Trading platform", required=True),
    Column("broker", INT, "Broker", required=True),
    Column("plan_id", TEXT, "Plan of the account"),
    Column("trader_id", TEXT, "Person who trades the account"),
    Column("account_type", INT, "Type of the account; not documented upstream"),
    Column("phase", INT, "Phase of the plan, 1 to 4"),
    Column("status", INT, "1 active; 2 and 3 ended"),
    Column("country", TEXT, "Country of the trader"),
)
_STATE = (
    Column(
        "state_source",
        TEXT,
        "`metrics`: a metrics row of D; `snapshot`: the live snapshot of D; "
        "`carried`: the newest earlier row; `position`: only an open position is known",
        required=True,
    ),
    Column("state_date", DAY, "Day that the state comes from; null: no state is known yet"),
    Column("first_seen_date", DAY, "First day of the account that is known", required=True),
    Column("starting_balance", FLOAT, "Balance with which the account began", "USD"),
    Column("balance", FLOAT, "Balance at the end of D", "USD"),
    Column("equity", FLOAT, "Equity at the end of D", "USD"),
    Column("approved_payouts", FLOAT, "Payouts approved so far", "USD"),
    Column("pending_payouts", FLOAT, "Payouts asked for and not yet approved", "USD"),
    Column("days_to_next_payout", FLOAT, "Days until the next payout, counted down from the state's day", "days"),
    Column("first_trade_date", DAY, "Day of the first trade, as the service gave it by D"),
)
_DAY = (
    Column("net_profit", FLOAT, "Net profit of D; 0: did not trade; null: the service's row says nothing", "USD"),
    Column("trades_closed", INT, "Trades closed on D; null: the service's row says nothing", "trades"),
    Column("has_traded", FLAG, "True: a trade was closed on D", required=True),
    Column("open_positions", INT, "Positions open at the end of D", "positions", required=True),
    Column("open_pnl", FLOAT, "Unrealised profit of the open positions; null: none open", "USD"),
    Column("open_volume", FLOAT, "Volume of the open positions; null: none open", "USD"),
)
_MEMORY = (
    Column("equity_high", FLOAT, "Highest equity or starting balance seen up to D", "USD"),
    Column("equity_high_date", DAY, "First day on which it was reached"),
    Column("last_trade_date", DAY, "Newest day up to D with a closed trade; null: none seen"),
    Column("active_trading_days", INT, "Days with a closed trade seen up to D", "days", required=True),
    Column(
        "active_days_at_last_non_win",
        INT,
        "Count of trading days at the newest one without a profit",
        "days",
        required=True,
    ),
    Column(
        "active_days_at_last_non_loss",
        INT,
        "Count of trading days at the newest one without a loss",
        "days",
        required=True,
    ),
)
PLAN_TERMS = (
    Column("plan_type", TEXT, "Family and stage of the plan"),
    Column("leverage", FLOAT, "Leverage"),
    Column("profit_target_pct", FLOAT, "Profit target; null: none", "percent"),
    Column("max_drawdown_pct", FLOAT, "Largest drawdown allowed", "percent"),
    Column("daily_loss_limit_pct", FLOAT, "Daily loss limit; null: none", "percent"),
    Column("is_drawdown_relative", FLAG, "True: drawdown trails the equity peak"),
    Column("profit_share_pct", FLOAT, "Trader's share of the profit", "percent"),
    Column("min_trading_days", INT, "Trading days required", "days"),
    Column("max_trading_days", INT, "Time limit; null: unlimited", "days"),
    Column("liquidate_friday", FLAG, "Positions must be closed before the weekend"),
    Column("inactivity_period_days", INT, "Days without a trade before breach", "days"),
    Column(
        "daily_drawdown_by_balance_equity",
        FLAG,
        "Daily loss counts from the higher of the previous day's balance and equity",
    ),
    Column("enable_consistency", FLAG, "Consistency rule"),
    Column("plan_valid_from", TIMESTAMP, "From when these terms hold; null: the plan's terms on D are not known"),
)

STAGING_ACCOUNTS = Table(
    name="staging/accounts",
    description="One row for every day of every account's life: its state at the end of the day, the plan's "
    "terms as of the day, and whether it is to be predicted.",
    key=("date", "account_id"),
    columns=(
        *_IDENTITY,
        *_STATE,
        *_DAY,
        *_MEMORY,
        *PLAN_TERMS,
        Column("is_eligible", FLAG, "True: alive at the end of D, so trained on and predicted", required=True),
        Column("ineligible_reason", TEXT, "Why not: `ended`, `inactive`, `state_unknown`; null: eligible"),
    ),
)

STAGING_TRADES = Table(
    name="staging/trades",
    description="Trades closed on the day, each with its account, the class of its symbol and its session.",
    key=("date", "platform", "broker", "login", "position", "ticket"),
    columns=(
        Column("date", DAY, "Accounting day of the trade", required=True),
        Column("platform", INT, "Trading platform", required=True),
        Column("broker", INT, "Broker", required=True),
        Column("login", TEXT, "Login, unique with platform and broker", required=True),
        Column("position", TEXT, "Position; may close in parts", required=True),
        Column("ticket", TEXT, "One part of a position"),
        Column("account_id", TEXT, "Account of the trade; null: not resolved yet"),
        Column("is_resolved", FLAG, "True: the account is known", required=True),
        Column("symbol", TEXT, "Symbol, standardised where the service does so"),
        Column("symbol_class", TEXT, "forex, metals, index, crypto, energy or other", required=True),
        Column("session", TEXT, "asia, london or new_york, by the opening hour (UTC)", required=True),
        Column("side", TEXT, "`buy` or `sell`", required=True),
        Column("lots", FLOAT, "Size", "lots", required=True),
        Column("volume_usd", FLOAT, "Quantity times close price", "USD"),
        Column("has_stop_loss", FLAG, "True: a stop-loss was set", required=True),
        Column("has_take_profit", FLAG, "True: a take-profit was set", required=True),
        Column("open_time", TIMESTAMP, "When the position was opened", required=True),
        Column("close_time", TIMESTAMP, "When this part was closed", required=True),
        Column("duration_hours", FLOAT, "Holding time", "hours", required=True),
        Column("profit", FLOAT, "Before costs", "USD", required=True),
        Column("commission", FLOAT, "Commission; a cost is negative", "USD", required=True),
        Column("costs", FLOAT, "Commission, fee and swap; a cost is negative", "USD", required=True),
        Column("net_profit", FLOAT, "Profit and costs", "USD", required=True),
    ),
    version=2,
)
