"""What must hold of the feature layer; the rules themselves stand in `quality.rules_features` and `.rules_history`."""

from daily_profit_model.defs.quality import checks_by_table
from daily_profit_model.features import FEATURES_ACCOUNT_DAILY
from daily_profit_model.features.trade_daily import FEATURES_TRADE_DAILY
from daily_profit_model.quality.rules_features import features_rules, trade_days_rules
from daily_profit_model.quality.rules_history import history_rules

RULES = (
    *features_rules(FEATURES_ACCOUNT_DAILY),
    *trade_days_rules(FEATURES_TRADE_DAILY),
    # without a market regime it is null of all accounts: the regime's own rules tell of that
    *history_rules(FEATURES_ACCOUNT_DAILY, leaving_out=("own_symbol_volatility_20d",)),
)
CHECKS = checks_by_table((FEATURES_ACCOUNT_DAILY, FEATURES_TRADE_DAILY), RULES)
