"""The staging layer: accounts on every day of their lives, and trades with their accounts."""

import dagster as dg

from daily_profit_model.defs.calendars import day_before
from daily_profit_model.defs.table_asset import code_version_of, on, table_asset
from daily_profit_model.engine import Query
from daily_profit_model.lake import Lake
from daily_profit_model.settings import load_settings
from daily_profit_model.staging.accounts import accounts_query
from daily_profit_model.staging.trades import TRADES, trades_query
from daily_profit_model.tables.raw import (
    RAW_ACCOUNTS,
    RAW_METRICS_DAILY,
    RAW_PLANS,
    RAW_TRADES_CLOSED,
    RAW_TRADES_OPEN,
)
from daily_profit_model.tables.staging import STAGING_ACCOUNTS, STAGING_TRADES

DORMANT_DAYS = load_settings().dpm_dormant_days


@table_asset(
    STAGING_ACCOUNTS,
    code_version=code_version_of(accounts_query(DORMANT_DAYS).code),
    deps=[
        on(RAW_ACCOUNTS),
        on(RAW_PLANS),
        on(RAW_METRICS_DAILY),
        on(RAW_TRADES_OPEN),
        on(STAGING_ACCOUNTS, day_before()),
    ],
    kinds=("duckdb", "parquet"),
)
def accounts() -> Query:
    return accounts_query(DORMANT_DAYS)


@table_asset(
    STAGING_TRADES,
    code_version=code_version_of(TRADES.code),
    deps=[on(RAW_TRADES_CLOSED), on(STAGING_ACCOUNTS), on(RAW_METRICS_DAILY), on(RAW_ACCOUNTS)],
    kinds=("duckdb", "parquet"),
    required_resource_keys={"lake"},
)
def trades(context: dg.AssetExecutionContext) -> Query:
    lake: Lake = context.resources.lake
    return trades_query(lake)
