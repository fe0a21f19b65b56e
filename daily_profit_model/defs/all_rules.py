"""Every rule of the graph, layer by layer, as the checks have them: what pages and `dpm quality` go by."""

from __future__ import annotations

from daily_profit_model.defs.features import checks as features
from daily_profit_model.defs.models import checks as models
from daily_profit_model.defs.monitoring import checks as monitoring
from daily_profit_model.defs.predictions import checks as predictions
from daily_profit_model.defs.raw import checks as raw
from daily_profit_model.defs.staging import checks as staging
from daily_profit_model.defs.training import checks as training
from daily_profit_model.quality.rule import Rule

RULES: tuple[Rule, ...] = tuple(
    rule for layer in (raw, staging, features, training, models, predictions, monitoring) for rule in layer.RULES
)
