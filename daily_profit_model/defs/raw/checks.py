"""What must hold of the raw layer; the rules themselves stand in `quality.rules_raw` and `quality.rules_bars`."""

from daily_profit_model.defs.quality import checks_by_table
from daily_profit_model.quality.rules_bars import BARS_RULES
from daily_profit_model.quality.rules_raw import RAW_RULES
from daily_profit_model.tables.raw import RAW_TABLES

CHECKS = checks_by_table(RAW_TABLES, (*RAW_RULES, *BARS_RULES))
