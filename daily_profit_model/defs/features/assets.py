"""The feature store: everything known about an account at the end of the day."""

from daily_profit_model.defs.calendars import look_back
from daily_profit_model.defs.table_asset import code_version_of, on, table_asset
from daily_profit_model.engine import Query
from daily_profit_model.features import FEATURES_ACCOUNT_DAILY, LOOK_BACK_DAYS, account_daily_query
from daily_profit_model.tables.staging import STAGING_ACCOUNTS


@table_asset(
    FEATURES_ACCOUNT_DAILY,
    code_version=code_version_of(account_daily_query().sql),
    deps=[on(STAGING_ACCOUNTS, look_back(LOOK_BACK_DAYS))],
    kinds=("duckdb", "parquet"),
)
def account_daily() -> Query:
    return account_daily_query()
