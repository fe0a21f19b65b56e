"""The contracts of the raw tables: what was received, typed and keyed, and nothing derived.

Metrics, regimes and bars are declared in `raw_metrics`, `raw_regimes` and `raw_bars` and handed on here,
so that one import serves; staging and later tables stand in modules of their own.
"""

from __future__ import annotations

from dataclasses import replace

from daily_profit_model.tables.contract import DAY, FLOAT, INT, TEXT, TIMESTAMP, Column, Table
from daily_profit_model.tables.raw_bars import RAW_MARKET_BARS
from daily_profit_model.tables.raw_metrics import RAW_ACCOUNTS, RAW_METRICS_DAILY, RAW_METRICS_HOURLY
from daily_profit_model.tables.raw_plans import RAW_PLANS
from daily_profit_model.tables.raw_regimes import RAW_MARKET_REGIMES

TRADE_KEY = ("date", "platform", "broker", "login", "position", "ticket")

_TRADE_IDENTITY = (
    Column("date", DAY, "Accounting date of the trade", required=True, source="tradeDate"),
    Column("platform", INT, "Trading platform (4 and up)", required=True, source="platform"),
    Column("broker", INT, "Broker", required=True, source="broker"),
    Column("login", TEXT, "Login, unique with platform and broker", required=True, source="login"),
    Column("position", TEXT, "Position; may close in parts", required=True, source="position"),
    Column("ticket", TEXT, "One part of a position", source="ticket"),
    Column("manager", INT, "Manager of the server", source="mngr"),
    Column("trd_symbol", TEXT, "Symbol as traded", source="trdSymbol"),
    Column("std_symbol", TEXT, "Symbol standardised", source="stdSymbol"),
    Column("side", TEXT, "`buy` or `sell`", required=True, source="side"),
    Column("lots", FLOAT, "Size, positive", "lots", required=True, source="lots"),
    Column("contract_size", FLOAT, "Units in one lot", source="contractSize"),
    Column("qty_in_base_crncy", FLOAT, "Quantity in the base currency", source="qtyInBaseCrncy"),
    Column("volume_usd", FLOAT, "Quantity times price", "USD", source="volumeUSD"),
    Column("stop_loss", FLOAT, "Stop-loss price; null or 0: not set", "price", source="stopLoss"),
    Column("take_profit", FLOAT, "Take-profit price; null or 0: not set", "price", source="takeProfit"),
    Column("open_time", TIMESTAMP, "When the position was opened", required=True, source="openTime"),
    Column("open_price", FLOAT, "Price at the opening", "price", required=True, source="openPrice"),
)
_CLOSE = (
    Column("close_time", TIMESTAMP, "When this part was closed", required=True, source="closeTime"),
    Column("close_price", FLOAT, "Price at the close", "price", required=True, source="closePrice"),
)
_TRADE_REST = (
    Column("duration", FLOAT, "Holding time", "hours", source="duration"),
    Column("commission", FLOAT, "Commission, a cost is negative", "USD", source="commission"),
    Column("fee", FLOAT, "Fee, a cost is negative", "USD", source="fee"),
    Column("swap", FLOAT, "Overnight interest, a cost is negative", "USD", source="swap"),
    Column("comment", TEXT, "Comment of the platform", source="comment"),
    Column("client_margin", FLOAT, "Margin of the client", "USD", source="client_margin"),
    Column("firm_margin", FLOAT, "Margin of the firm", "USD", source="firm_margin"),
)

RAW_TRADES_CLOSED = Table(
    name="raw/trades_closed",
    description="Trades whose accounting date is the day; not yet resolved to accounts.",
    key=TRADE_KEY,
    columns=(
        *_TRADE_IDENTITY,
        *_CLOSE,
        Column("profit", FLOAT, "Before commission, fee and swap", "USD", required=True, source="profit"),
        *_TRADE_REST,
    ),
    revisions=True,
)

RAW_TRADES_OPEN = Table(
    name="raw/trades_open",
    description="Positions open at the end of the day; not yet resolved to accounts.",
    key=TRADE_KEY,
    columns=(
        *_TRADE_IDENTITY,
        Column("unrealized_profit", FLOAT, "Open profit, before costs", "USD", required=True, source="profit"),
        *_TRADE_REST,
    ),
    revisions=True,
)

RAW_QUARANTINE = Table(
    name="raw/quarantine",
    description="Rejected rows of all raw tables, each with its reason and as it was received.",
    key=("table", "payload_hash", "reason", "occurrence"),
    columns=(
        Column("date", DAY, "Day of the fetch that received the row", required=True),
        Column("table", TEXT, "Table that the row was meant for", required=True),
        Column("reason", TEXT, "Code of the reason", required=True),
        Column("detail", TEXT, "Column and value that were rejected"),
        Column("payload", TEXT, "The row as it was received", required=True),
        Column("payload_hash", TEXT, "SHA-256 of the payload, hexadecimal", required=True),
        Column("occurrence", INT, "0 for the first of equal payloads, then 1, …", required=True),
    ),
)


RAW_TEST_LOGINS = Table(
    name="raw/test_logins",
    description="Logins of test accounts, kept beside raw/accounts: trades carry no account, and are told apart by these.",
    key=("date", "platform", "broker", "login"),
    columns=(
        Column("date", DAY, "Day that the snapshot stands for", required=True),
        Column("platform", INT, "Trading platform (4 and up)", required=True),
        Column("broker", INT, "Broker", required=True),
        Column("login", TEXT, "Login, unique with platform and broker", required=True),
    ),
    revisions=True,
)


def rejects_of(table: Table) -> Table:
    """Where the rejected rows of one raw table are kept until raw/quarantine collects them all."""
    return replace(RAW_QUARANTINE, name=f"raw/rejects/{table.name.removeprefix('raw/')}", revisions=True)


RAW_TABLES = (
    RAW_PLANS,
    RAW_ACCOUNTS,
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_TRADES_CLOSED,
    RAW_TRADES_OPEN,
    RAW_MARKET_REGIMES,
    RAW_MARKET_BARS,
    RAW_QUARANTINE,
)

__all__ = [
    "RAW_ACCOUNTS",
    "RAW_MARKET_BARS",
    "RAW_MARKET_REGIMES",
    "RAW_METRICS_DAILY",
    "RAW_METRICS_HOURLY",
    "RAW_PLANS",
    "RAW_QUARANTINE",
    "RAW_TABLES",
    "RAW_TEST_LOGINS",
    "RAW_TRADES_CLOSED",
    "RAW_TRADES_OPEN",
    "TRADE_KEY",
    "rejects_of",
]
