"""What must hold of the training sets; the rules themselves stand in `quality.rules_training`."""

from daily_profit_model.defs.quality import checks_by_table
from daily_profit_model.features.training_set import TRAINING_ACCOUNT_DAILY
from daily_profit_model.quality.rules_training import training_rules

RULES = training_rules(TRAINING_ACCOUNT_DAILY)
CHECKS = checks_by_table((TRAINING_ACCOUNT_DAILY,), RULES)
