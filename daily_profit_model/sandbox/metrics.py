"""All statistics of a metrics row, put together from those of profit and of behaviour.

Pure functions of the trades: which identity and balances stand beside them is in served_metrics.py.
"""

from __future__ import annotations

from typing import Final

from daily_profit_model.sandbox import behaviour_statistics as made
from daily_profit_model.sandbox import profit_statistics as earned
from daily_profit_model.sandbox.segments import Floats
from daily_profit_model.sandbox.trade_groups import Fields, Trades

#: Fields in USD; their rel… twins are divided by the starting balance, the others have no unit.
_MONEY: Final = frozenset(
    {
        "netProfit",
        "grossProfit",
        "grossLoss",
        "meanProfit",
        "medianProfit",
        "stdProfits",
        "expectancy",
        "minProfit",
        "maxProfit",
        "profitPerc10",
        "profitPerc25",
        "profitPerc75",
        "profitPerc90",
    }
)


def all_fields(trades: Trades, start: Floats, capital: Floats, equity: Floats) -> Fields:
    """Every statistic by API name, one value a group.

    `start`, `capital` and `equity` are by group: starting balance (for rel…), the balance that returns
    refer to, and the equity that open positions are compared with.
    """
    fields = earned.performance(trades)
    fields |= {
        "rel" + name[0].upper() + name[1:]: value / start if name in _MONEY else value for name, value in fields.items()
    }
    return (
        fields
        | earned.outliers(trades)
        | earned.per_unit(trades)
        | earned.returns(trades, capital)
        | earned.drawdowns(trades, start)
        | made.volumes(trades)
        | made.durations(trades)
        | made.stops(trades)
        | made.streaks(trades)
        | made.open_positions(trades, equity)
        | made.activity(trades)
    )
