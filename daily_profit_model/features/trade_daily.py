"""features/trade_daily: what each account traded on a day, so that no window looks at a trade again.

How it is counted stands in sql/features/trade_daily; the windows over these days in `windows`.
"""

from __future__ import annotations

import pyarrow as pa

from daily_profit_model.engine import Query, Source
from daily_profit_model.engine.sql_text import sql_text
from daily_profit_model.tables import Column, Table
from daily_profit_model.tables.contract import DAY, FLOAT, INT, TEXT
from daily_profit_model.tables.staging import STAGING_TRADES

_SYMBOL = pa.struct([("symbol", TEXT), ("trades", INT), ("volume_usd", FLOAT)])
_AFTER = "before whose opening the newest trade closed, of the account and day, was a"


def _count(name: str, description: str) -> Column:
    return Column(name, INT, description, "trades", required=True)


def _sum(name: str, description: str, unit: str) -> Column:
    return Column(name, FLOAT, description, unit, required=True)


FEATURES_TRADE_DAILY = Table(
    name="features/trade_daily",
    description="What each account traded on the day: one row per account with a closed trade, each sum exact to "
    "the cent, the millionth of a lot and the millisecond. A win made more than nothing after costs.",
    key=("date", "account_id"),
    columns=(
        Column("date", DAY, "Accounting day of the trades", required=True),
        Column("account_id", TEXT, "Account", required=True),
        _count("trades", "Trades closed; a position closed in parts counts with each part"),
        _count("winning_trades", "Trades with a net profit"),
        _count("losing_trades", "Trades with a net loss"),
        _count("buys", "Trades that bought"),
        _count("trades_with_stop_loss", "Trades with a stop-loss"),
        _count("trades_with_take_profit", "Trades with a take-profit"),
        _count("weekend_trades", "Trades opened on a Saturday or Sunday (UTC)"),
        *(
            _count(f"{name}_trades", f"Trades in the class {name}")
            for name in ("forex", "metals", "index", "crypto", "energy")
        ),
        *(_count(f"{name}_trades", f"Trades opened in the session {name}") for name in ("asia", "london", "new_york")),
        _sum("lots", "Lots traded", "lots"),
        _sum("lots_max", "Lots of the largest trade", "lots"),
        _sum("volume_usd", "Volume of the trades whose volume is known", "USD"),
        _sum("commission", "Commission; a cost is negative", "USD"),
        _sum("gross_profit", "Net profit of the winning trades", "USD"),
        _sum("gross_loss", "Net loss of the losing trades, not positive", "USD"),
        _sum("duration_hours", "Holding times together", "hours"),
        _sum("duration_squared_deviations", "Squared deviations of the holding times from their mean", "hours²"),
        _sum("winners_duration_hours", "Holding times of the winning trades together", "hours"),
        _sum("losers_duration_hours", "Holding times of the losing trades together", "hours"),
        _count("trades_after_win", f"Trades {_AFTER} win"),
        _count("trades_after_loss", f"Trades {_AFTER} loss"),
        _sum("lots_after_win", f"Lots of the trades {_AFTER} win", "lots"),
        _sum("lots_after_loss", f"Lots of the trades {_AFTER} loss", "lots"),
        Column(
            "symbols",
            pa.list_(_SYMBOL),
            "Trades and known volume of each symbol that is known, by its name",
            required=True,
        ),
    ),
)


def trade_daily_query() -> Query:
    """features/trade_daily of any days, from their trades."""
    return Query(sql_text("features/trade_daily"), (Source(STAGING_TRADES),), is_portable=True)
