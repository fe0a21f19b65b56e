"""The feature store: what an account traded on a day, and everything known about it at the end of the day."""

from daily_profit_model.defs.calendars import look_back
from daily_profit_model.defs.table_asset import code_version_of, on, table_asset
from daily_profit_model.engine import Query
from daily_profit_model.features import CATALOGUE, FEATURES_ACCOUNT_DAILY, account_daily_query, look_back_days
from daily_profit_model.features.trade_daily import FEATURES_TRADE_DAILY, trade_daily_query
from daily_profit_model.tables.staging import STAGING_TRADES


@table_asset(
    FEATURES_TRADE_DAILY,
    code_version=code_version_of(trade_daily_query().code),
    deps=[on(STAGING_TRADES)],
    kinds=("duckdb", "parquet"),
)
def trade_daily() -> Query:
    return trade_daily_query()


@table_asset(
    FEATURES_ACCOUNT_DAILY,
    code_version=code_version_of(account_daily_query().code),
    deps=[on(table, look_back(days)) for table, days in look_back_days().items()],
    kinds=("duckdb", "parquet"),
    lineage={feature.name: feature.read for feature in CATALOGUE},
)
def account_daily() -> Query:
    return account_daily_query()
