"""What must hold of the prediction layer; the rules themselves stand in `quality.rules_predictions`."""

from daily_profit_model.defs.quality import checks_by_table
from daily_profit_model.quality.rules_history import history_rules
from daily_profit_model.quality.rules_predictions import PREDICTIONS_RULES
from daily_profit_model.tables.predictions import PORTFOLIO_DAILY, PREDICTIONS_ACCOUNT_DAILY

RULES = (*PREDICTIONS_RULES, *history_rules(PREDICTIONS_ACCOUNT_DAILY))
CHECKS = checks_by_table((PREDICTIONS_ACCOUNT_DAILY, PORTFOLIO_DAILY), RULES)
