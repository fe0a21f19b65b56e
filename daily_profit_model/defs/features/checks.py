"""What must hold of the feature layer; the rules themselves stand in `quality.rules_features`."""

from daily_profit_model.defs.quality import checks_by_table
from daily_profit_model.features import FEATURES_ACCOUNT_DAILY
from daily_profit_model.quality.rules_features import features_rules
from daily_profit_model.quality.rules_history import history_rules

RULES = (*features_rules(FEATURES_ACCOUNT_DAILY), *history_rules(FEATURES_ACCOUNT_DAILY))
CHECKS = checks_by_table((FEATURES_ACCOUNT_DAILY,), RULES)
