"""The training layer: for each weekly cut-off, features joined to what really came of the next day."""

import dagster as dg

from daily_profit_model.defs.table_asset import code_version_of, on, table_asset
from daily_profit_model.engine import Query
from daily_profit_model.features import FEATURES_ACCOUNT_DAILY
from daily_profit_model.features.training_set import TRAINING_ACCOUNT_DAILY, training_query
from daily_profit_model.lake import Lake
from daily_profit_model.settings import load_settings
from daily_profit_model.tables.raw import RAW_METRICS_DAILY

TRAINING_DAYS = load_settings().dpm_training_days
_BEFORE_THE_CUT_OFF = dg.TimeWindowPartitionMapping(
    start_offset=-(TRAINING_DAYS // 7 + 1), end_offset=-1, allow_nonexistent_upstream_partitions=True
)


@table_asset(
    TRAINING_ACCOUNT_DAILY,
    code_version=code_version_of(training_query(TRAINING_DAYS, []).code),
    deps=[on(FEATURES_ACCOUNT_DAILY, _BEFORE_THE_CUT_OFF), on(RAW_METRICS_DAILY, _BEFORE_THE_CUT_OFF)],
    kinds=("duckdb", "parquet"),
    required_resource_keys={"lake"},
)
def account_daily(context: dg.AssetExecutionContext) -> Query:
    lake: Lake = context.resources.lake
    return training_query(TRAINING_DAYS, lake.partitions(RAW_METRICS_DAILY.name))
