"""Assembles the definitions for production, the CLI and tests alike."""

from __future__ import annotations

import dagster as dg

from daily_profit_model.defs.all_rules import RULES
from daily_profit_model.defs.all_tables import TABLES
from daily_profit_model.defs.automation.alerts import ALERT_SENSORS
from daily_profit_model.defs.automation.deadlines import DEADLINES, after_the_deadlines
from daily_profit_model.defs.automation.decided_shadows import DECISION_SENSORS
from daily_profit_model.defs.automation.jobs import JOBS
from daily_profit_model.defs.automation.model_alerts import MODEL_ALERT_SENSORS
from daily_profit_model.defs.automation.retraining import RETRAINING_SENSORS
from daily_profit_model.defs.automation.schedules import SCHEDULES
from daily_profit_model.defs.automation.sensors import SENSORS
from daily_profit_model.defs.features import assets as features
from daily_profit_model.defs.features import checks as features_checks
from daily_profit_model.defs.models import assets as models
from daily_profit_model.defs.models import checks as models_checks
from daily_profit_model.defs.models.shadows import SHADOWS
from daily_profit_model.defs.models.transitions import TRANSITIONS
from daily_profit_model.defs.monitoring import assets as monitoring
from daily_profit_model.defs.monitoring import checks as monitoring_checks
from daily_profit_model.defs.monitoring import drift, quality, reconciliation, storage
from daily_profit_model.defs.monitoring import shadow as shadow_monitoring
from daily_profit_model.defs.monitoring.alerts import ALERTS, deadlines_kept
from daily_profit_model.defs.predictions import assets as predictions
from daily_profit_model.defs.predictions import checks as predictions_checks
from daily_profit_model.defs.predictions import shadow as shadow_predictions
from daily_profit_model.defs.predictions import traffic
from daily_profit_model.defs.raw import assets as raw
from daily_profit_model.defs.raw import checks as raw_checks
from daily_profit_model.defs.resources.lake_io import LakeIOManager, lake_resource
from daily_profit_model.defs.resources.notifier import notifier_resource
from daily_profit_model.defs.resources.services import risk_api_resource, settings_resource
from daily_profit_model.defs.staging import assets as staging
from daily_profit_model.defs.staging import checks as staging_checks
from daily_profit_model.defs.training import assets as training
from daily_profit_model.defs.training import checks as training_checks
from daily_profit_model.engine import runner_of
from daily_profit_model.settings import load_settings

LAYERS = (
    *(raw, staging, features, training, models, predictions, shadow_predictions, traffic),
    *(monitoring, drift, reconciliation, storage, quality, shadow_monitoring),
)
CHECKS = (
    raw_checks,
    staging_checks,
    features_checks,
    training_checks,
    models_checks,
    predictions_checks,
    monitoring_checks,
)


@dg.io_manager(required_resource_keys={"lake"}, description="Stores what assets return as lake partitions")
def lake_io_manager(context: dg.InitResourceContext) -> LakeIOManager:
    settings = load_settings()
    run_days = runner_of(settings.dpm_engine, settings.dpm_spark_master)
    rules = {table: [rule for rule in RULES if rule.table == table] for table in {rule.table for rule in RULES}}
    return LakeIOManager(context.resources.lake, TABLES, run_days, rules=rules)


def build_definitions() -> dg.Definitions:
    """Every asset, check, job, schedule and sensor, with the resources that they need."""
    return dg.Definitions(
        assets=[*dg.load_assets_from_modules(LAYERS), TRANSITIONS, SHADOWS, ALERTS],
        asset_checks=[checks for layer in CHECKS for checks in layer.CHECKS] + [deadlines_kept],
        jobs=[*JOBS, DEADLINES],
        schedules=[*SCHEDULES, after_the_deadlines],
        sensors=[*SENSORS, *RETRAINING_SENSORS, *DECISION_SENSORS, *MODEL_ALERT_SENSORS, *ALERT_SENSORS],
        resources={
            "lake": lake_resource,
            "lake_io": lake_io_manager,
            "settings": settings_resource,
            "risk_api": risk_api_resource,
            "notifier": notifier_resource,
        },
        # a step costs 0.1 s in this process and 2 s in one of its own (DAGSTER.md)
        executor=dg.in_process_executor,
    )
