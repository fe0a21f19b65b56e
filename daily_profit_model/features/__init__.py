"""What is known of an account at the end of a day: the catalogue, a module per family, the compiler to SQL."""

from daily_profit_model.features.catalogue import (
    CATALOGUE,
    FEATURES_ACCOUNT_DAILY,
    catalogue_hash,
)
from daily_profit_model.features.compiler import account_daily_query, look_back_days

__all__ = ["CATALOGUE", "FEATURES_ACCOUNT_DAILY", "account_daily_query", "catalogue_hash", "look_back_days"]
