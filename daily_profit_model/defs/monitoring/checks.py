"""What must hold of the monitoring layer; the rules themselves stand in `quality.rules_monitoring`, `.rules_outcomes`,
`.rules_drift`, `.rules_reconciliation`, `.rules_shadow` and, of the intervals' calibration, `.rules_scores`.
"""

from daily_profit_model.defs.quality import checks_by_table
from daily_profit_model.modeling.contracts import MONITORING_CONFORMITY, MONITORING_INTERVAL_CALIBRATION
from daily_profit_model.modeling.shadow_contracts import SHADOW_EVALUATION, SHADOW_LOSSES
from daily_profit_model.quality.rules_drift import DRIFT_RULES
from daily_profit_model.quality.rules_monitoring import FeedThresholds, Threshold, monitoring_rules
from daily_profit_model.quality.rules_outcomes import OUTCOMES_RULES
from daily_profit_model.quality.rules_reconciliation import RECONCILIATION_RULES
from daily_profit_model.quality.rules_scores import calibration_rules, conformity_rules
from daily_profit_model.quality.rules_shadow import shadow_evaluation_rules, shadow_losses_rules
from daily_profit_model.settings import Settings, load_settings
from daily_profit_model.tables.drift import MONITORING_DEGRADATION, MONITORING_DRIFT
from daily_profit_model.tables.monitoring import FEED_HEALTH, MODEL_PERFORMANCE, MONITORING_OUTCOMES
from daily_profit_model.tables.reconciliation import MONITORING_RECONCILIATION
from daily_profit_model.tables.segments import SEGMENT_PERFORMANCE
from daily_profit_model.tables.storage import MONITORING_STORAGE


def thresholds_of(settings: Settings) -> FeedThresholds:
    """The thresholds of feed health that are set."""
    return FeedThresholds(
        failure_rate=Threshold(settings.dpm_feed_failure_rate_warn, settings.dpm_feed_failure_rate_error),
        latency_s=Threshold(settings.dpm_feed_latency_warn, settings.dpm_feed_latency_error),
        live_staleness_min=Threshold(settings.dpm_feed_live_staleness_warn, settings.dpm_feed_live_staleness_error),
        daily_staleness_h=Threshold(settings.dpm_feed_daily_staleness_warn, settings.dpm_feed_daily_staleness_error),
    )


RULES = (
    *monitoring_rules(thresholds_of(load_settings())),
    *conformity_rules(MONITORING_CONFORMITY),
    *calibration_rules(MONITORING_INTERVAL_CALIBRATION),
    *OUTCOMES_RULES,
    *DRIFT_RULES,
    *RECONCILIATION_RULES,
    *shadow_losses_rules(SHADOW_LOSSES),
    *shadow_evaluation_rules(SHADOW_EVALUATION),
)
CHECKS = checks_by_table(
    (
        FEED_HEALTH,
        MONITORING_CONFORMITY,
        MONITORING_INTERVAL_CALIBRATION,
        MONITORING_OUTCOMES,
        MODEL_PERFORMANCE,
        SEGMENT_PERFORMANCE,
        MONITORING_DRIFT,
        MONITORING_DEGRADATION,
        MONITORING_RECONCILIATION,
        MONITORING_STORAGE,
        SHADOW_LOSSES,
        SHADOW_EVALUATION,
    ),
    RULES,
)
