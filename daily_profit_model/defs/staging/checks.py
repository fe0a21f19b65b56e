"""What must hold of the staging layer; the rules themselves stand in `quality.rules_staging` and `.rules_history`."""

from daily_profit_model.defs.quality import checks_by_table
from daily_profit_model.quality.rules_history import history_rules
from daily_profit_model.quality.rules_staging import STAGING_RULES
from daily_profit_model.tables.staging import STAGING_ACCOUNTS, STAGING_TRADES

RULES = (*STAGING_RULES, *history_rules(STAGING_ACCOUNTS, leaving_out=("state_source",)))
"""Where a state comes from changes with when a day is filled, not with the day."""

CHECKS = checks_by_table((STAGING_ACCOUNTS, STAGING_TRADES), RULES)
