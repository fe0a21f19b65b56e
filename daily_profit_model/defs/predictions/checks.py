"""What must hold of the prediction layer; the rules themselves stand in `quality.rules_scores`, `.rules_predictions`,
`.rules_served`, `.rules_history`, `.rules_shadow` and `.rules_traffic`.
"""

from daily_profit_model.defs.quality import checks_by_table
from daily_profit_model.features import FEATURES_ACCOUNT_DAILY
from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.modeling.conformity import ACTIVITIES, ACTIVITY_EDGES, LEAST_REACH
from daily_profit_model.modeling.contracts import MODEL_SCORES, MONITORING_INTERVAL_CALIBRATION
from daily_profit_model.modeling.shadow_contracts import PREDICTIONS_SHADOW, PREDICTIONS_TRAFFIC, SHADOW_SCORES
from daily_profit_model.quality.rules_history import history_rules
from daily_profit_model.quality.rules_predictions import PREDICTIONS_RULES
from daily_profit_model.quality.rules_scores import scores_rules, snapshot_rules
from daily_profit_model.quality.rules_served import served_rules
from daily_profit_model.quality.rules_shadow import shadow_rules, shadow_scores_rules
from daily_profit_model.quality.rules_traffic import served_shadow_rules, traffic_rules
from daily_profit_model.tables.predictions import PORTFOLIO_DAILY, PREDICTIONS_ACCOUNT_DAILY

RULES = (
    *snapshot_rules(FEATURE_SNAPSHOTS, FEATURES_ACCOUNT_DAILY),
    *scores_rules(MODEL_SCORES, FEATURE_SNAPSHOTS),
    *PREDICTIONS_RULES,
    *served_rules(
        MODEL_SCORES,
        MONITORING_INTERVAL_CALIBRATION,
        activities=ACTIVITIES,
        edges=ACTIVITY_EDGES,
        least_reach=LEAST_REACH,
    ),
    # another forecaster says other things by design: a promotion is no fault of the day
    # and so is one that a deployment begins or ends to serve its share
    *history_rules(
        PREDICTIONS_ACCOUNT_DAILY,
        leaving_out=("served_by", "forecaster", "model_version", "model_hash", "calibration_version"),
        alike_by="forecaster",
    ),
    *traffic_rules(PREDICTIONS_TRAFFIC),
    *shadow_scores_rules(SHADOW_SCORES, FEATURE_SNAPSHOTS),
    *shadow_rules(PREDICTIONS_SHADOW),
    *served_shadow_rules(PREDICTIONS_SHADOW),
)
CHECKS = checks_by_table(
    (
        FEATURE_SNAPSHOTS,
        MODEL_SCORES,
        PREDICTIONS_TRAFFIC,
        PREDICTIONS_ACCOUNT_DAILY,
        PORTFOLIO_DAILY,
        SHADOW_SCORES,
        PREDICTIONS_SHADOW,
    ),
    RULES,
)
