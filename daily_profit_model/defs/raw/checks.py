"""What must hold of the raw layer; the rules themselves stand in `quality.rules_raw` and `quality.rules_quarantine`."""

from daily_profit_model.defs.quality import checks_by_table
from daily_profit_model.quality.rules_quarantine import QUARANTINE_RULES
from daily_profit_model.quality.rules_raw import RAW_RULES
from daily_profit_model.tables.raw import RAW_TABLES

CHECKS = checks_by_table(RAW_TABLES, (*RAW_RULES, *QUARANTINE_RULES))
