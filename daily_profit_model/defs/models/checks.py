"""What must hold of the model layer; the rules themselves stand in `quality.rules_models`."""

from daily_profit_model.defs.quality import checks_by_table
from daily_profit_model.modeling.contracts import MODELS_CHAMPION, MODELS_NET_PROFIT
from daily_profit_model.quality.rules_models import champion_rules, versions_rules

RULES = (*versions_rules(MODELS_NET_PROFIT), *champion_rules(MODELS_CHAMPION))
CHECKS = checks_by_table((MODELS_NET_PROFIT, MODELS_CHAMPION), RULES)
