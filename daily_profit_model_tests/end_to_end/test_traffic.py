"""A shadow deployment that serves a share of the accounts of a filled platform: whose numbers, and made again to the bit."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from upath import UPath

from daily_profit_model.defs.all_rules import RULES
from daily_profit_model.defs.all_tables import TABLES
from daily_profit_model.defs.calendars import range_tags
from daily_profit_model.defs.launch.plan import STEPS, partitions_of
from daily_profit_model.defs.launch.shadows import create_deployment
from daily_profit_model.defs.models.registry import champion_of, transitions
from daily_profit_model.defs.monitoring.assets import conformity, interval_calibration, model_performance, outcomes
from daily_profit_model.defs.monitoring.shadow import shadow_losses
from daily_profit_model.defs.predictions.assets import account_daily, portfolio_daily
from daily_profit_model.defs.predictions.shadow import shadow, shadow_scores
from daily_profit_model.defs.predictions.traffic import traffic
from daily_profit_model.defs.resources.lake_io import REPLACE_SERVED_TAG, LakeIOManager
from daily_profit_model.lake import Lake, read
from daily_profit_model.modeling.serving import CHAMPION
from daily_profit_model.modeling.shadow_contracts import (
    PREDICTIONS_SHADOW,
    PREDICTIONS_TRAFFIC,
    SHADOW_LOSSES,
    SHADOW_SCORES,
)
from daily_profit_model.modeling.traffic import assigned
from daily_profit_model.monitoring.replay import replayed_days
from daily_profit_model.quality.evaluate import evaluate
from daily_profit_model.settings import load_settings
from daily_profit_model.tables.monitoring import MODEL_PERFORMANCE, MONITORING_OUTCOMES
from daily_profit_model.tables.predictions import PORTFOLIO_DAILY, PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model_tests.end_to_end.conftest import Platform
from daily_profit_model_tests.end_to_end.firm import END

DAYS = [END.isoformat(), (END + timedelta(days=1)).isoformat()]
TRAFFIC = 40
_SERVED = (PREDICTIONS_TRAFFIC, PREDICTIONS_ACCOUNT_DAILY, PORTFOLIO_DAILY)
_NOT_NEEDED = ("trades*", "metrics_hourly", "market_bars", "cache", "spool", "profiles", "quality", "reports", "dagster")
