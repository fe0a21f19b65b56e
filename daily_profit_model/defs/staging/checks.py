"""What must hold of the staging layer; the rules themselves stand in `quality.rules_staging`."""

from daily_profit_model.defs.quality import checks_by_table
from daily_profit_model.quality.rules_staging import STAGING_RULES
from daily_profit_model.tables.staging import STAGING_ACCOUNTS, STAGING_TRADES

CHECKS = checks_by_table((STAGING_ACCOUNTS, STAGING_TRADES), STAGING_RULES)
