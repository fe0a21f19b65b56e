"""What must hold of the feature layer; the rules themselves stand in `quality.rules_features` and `.rules_history`."""

from daily_profit_model.defs.quality import checks_by_table
from daily_profit_model.features import CATALOGUE, FEATURES_ACCOUNT_DAILY
from daily_profit_model.features.trade_daily import FEATURES_TRADE_DAILY
from daily_profit_model.quality.rules_features import features_rules, trade_days_rules
from daily_profit_model.quality.rules_history import history_rules
from daily_profit_model.tables.raw import RAW_MARKET_REGIMES

OF_THE_MARKET = tuple(
    feature.name for feature in CATALOGUE if any(table == RAW_MARKET_REGIMES.name for table, _ in feature.read)
)
"""Features that are null on a day whose regime was not known by its cut-off, which is no fault of the day."""

RULES = (
    *features_rules(FEATURES_ACCOUNT_DAILY),
    *trade_days_rules(FEATURES_TRADE_DAILY),
    *history_rules(FEATURES_ACCOUNT_DAILY, leaving_out=OF_THE_MARKET),
)
CHECKS = checks_by_table((FEATURES_ACCOUNT_DAILY, FEATURES_TRADE_DAILY), RULES)
