"""What must hold of the raw layer; the rules themselves stand in `quality.rules_raw` and its neighbours."""

from daily_profit_model.defs.quality import checks_by_table
from daily_profit_model.quality.rules_bars import BARS_RULES
from daily_profit_model.quality.rules_feeds import FEED_RULES
from daily_profit_model.quality.rules_history import history_rules
from daily_profit_model.quality.rules_quarantine import QUARANTINE_RULES
from daily_profit_model.quality.rules_raw import RAW_RULES
from daily_profit_model.tables.raw import (
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_TABLES,
    RAW_TRADES_CLOSED,
    RAW_TRADES_OPEN,
)

COMPARED = (RAW_METRICS_DAILY, RAW_METRICS_HOURLY, RAW_TRADES_CLOSED, RAW_TRADES_OPEN)
"""Compared with their past. raw/accounts is not: a day that is filled later knows identities alone."""

RULES = (
    *RAW_RULES,
    *BARS_RULES,
    *FEED_RULES,
    *QUARANTINE_RULES,
    *(rule for table in COMPARED for rule in history_rules(table)),
)
CHECKS = checks_by_table(RAW_TABLES, RULES)
