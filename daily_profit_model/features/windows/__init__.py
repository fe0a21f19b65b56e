"""Windows of 1 to 60 days over an account's days, as stages of the feature query.

`staging/accounts` has a row for every day of an account's life, so the value of k days ago is one join on
(account, life, day) away, and long windows nest: twenty days are ten days merged with the ten before. Each
merge is one fixed expression, so a day computed from its look-back has the bits that it has in a backfill (a
window aggregate does not: its order of summation depends on where a row lies). Money is in whole cents, lots
in millionths, time in milliseconds, as doubles: their sums are exact up to 2^53.

What the features say with these columns is declared in `families`.
"""

from daily_profit_model.features.windows.lags import LIFE
from daily_profit_model.features.windows.peers import PEERS
from daily_profit_model.features.windows.profit import PROFIT_STAGES
from daily_profit_model.features.windows.symbols import SYMBOL_STAGES
from daily_profit_model.features.windows.trades import TRADE_STAGES

STAGES = (*PROFIT_STAGES, *TRADE_STAGES, *SYMBOL_STAGES, PEERS)

__all__ = ["LIFE", "STAGES"]
