"""Every table that is an asset, in the order in which data flows: what the I/O manager and the CLI go by; and every
table of the lake.
"""

from __future__ import annotations

from daily_profit_model.features import FEATURES_ACCOUNT_DAILY
from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.features.trade_daily import FEATURES_TRADE_DAILY
from daily_profit_model.features.training_set import TRAINING_ACCOUNT_DAILY
from daily_profit_model.modeling.contracts import (
    MODEL_SCORES,
    MODELS_CHAMPION,
    MODELS_NET_PROFIT,
    MODELS_TRANSITIONS,
    MODELS_TUNING,
    MONITORING_CONFORMITY,
    MONITORING_INTERVAL_CALIBRATION,
)
from daily_profit_model.modeling.shadow_contracts import (
    MODELS_SHADOWS,
    PREDICTIONS_SHADOW,
    PREDICTIONS_TRAFFIC,
    SHADOW_EVALUATION,
    SHADOW_LOSSES,
    SHADOW_SCORES,
    SHADOW_TABLES,
)
from daily_profit_model.tables import Table
from daily_profit_model.tables.alerts import MONITORING_ALERTS
from daily_profit_model.tables.drift import MONITORING_DEGRADATION, MONITORING_DRIFT
from daily_profit_model.tables.monitoring import FEED_HEALTH, MODEL_PERFORMANCE, MONITORING_OUTCOMES
from daily_profit_model.tables.predictions import PORTFOLIO_DAILY, PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model.tables.quality import MONITORING_PROFILES, MONITORING_QUALITY, profile_of, rule_results_of
from daily_profit_model.tables.raw import RAW_MARKET_BARS, RAW_TABLES, RAW_TEST_LOGINS, rejects_of
from daily_profit_model.tables.raw_requests import RAW_REQUESTS
from daily_profit_model.tables.reconciliation import MONITORING_RECONCILIATION
from daily_profit_model.tables.segments import SEGMENT_PERFORMANCE
from daily_profit_model.tables.staging import STAGING_ACCOUNTS, STAGING_TRADES
from daily_profit_model.tables.storage import MONITORING_STORAGE

ALL_TABLES: tuple[Table, ...] = (
    *RAW_TABLES,
    STAGING_ACCOUNTS,
    STAGING_TRADES,
    FEATURES_TRADE_DAILY,
    FEATURES_ACCOUNT_DAILY,
    TRAINING_ACCOUNT_DAILY,
    MODELS_TUNING,
    MODELS_NET_PROFIT,
    MODELS_CHAMPION,
    FEATURE_SNAPSHOTS,
    MODEL_SCORES,
    MONITORING_CONFORMITY,
    MONITORING_INTERVAL_CALIBRATION,
    PREDICTIONS_TRAFFIC,
    PREDICTIONS_ACCOUNT_DAILY,
    PORTFOLIO_DAILY,
    MONITORING_OUTCOMES,
    MODEL_PERFORMANCE,
    SEGMENT_PERFORMANCE,
    MONITORING_DRIFT,
    MONITORING_DEGRADATION,
    MONITORING_RECONCILIATION,
    FEED_HEALTH,
    MONITORING_STORAGE,
    MONITORING_PROFILES,
    MONITORING_QUALITY,
    SHADOW_SCORES,
    PREDICTIONS_SHADOW,
    SHADOW_LOSSES,
    SHADOW_EVALUATION,
)

TABLES = {table.name: table for table in ALL_TABLES}

TOLD_OF_NOW = (MONITORING_STORAGE,)
"""Tables of which no past day can be made: a day without a partition is no gap that anybody could fill."""

ASKED_FOR = (MODELS_TUNING, *SHADOW_TABLES)
"""Tables that have a partition only where somebody asked for one (a search, a deployment): one that is not there is no
gap, and the jobs that serve do not make them."""

NEEDS = {RAW_MARKET_BARS.name: "market_api_base_url"}
"""Tables that are made only where a setting says from what: without it their steps are skipped, and a day without a
partition is no gap."""

LAKE_TABLES = (
    *ALL_TABLES,
    *(rejects_of(table) for table in RAW_TABLES if table.revisions),
    RAW_TEST_LOGINS,
    RAW_REQUESTS,
    MODELS_TRANSITIONS,
    MONITORING_ALERTS,
    MODELS_SHADOWS,
    *(profile_of(table) for table in ALL_TABLES),
    *(rule_results_of(table) for table in ALL_TABLES),
)
"""Every table that has a place in the lake: the assets, and what is kept beside them."""
