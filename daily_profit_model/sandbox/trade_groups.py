"""Closed trades in groups (an account's hour, day or life): the input of all statistics."""

from __future__ import annotations

from dataclasses import dataclass

from daily_profit_model.sandbox.segments import Floats, Groups, Ints

#: Statistics by API name, one value a group.
Fields = dict[str, Floats]


@dataclass(frozen=True)
class Trades:
    """Closed trades sorted by group and time of closing; money in USD, times in hours since 1970."""

    by: Groups
    net: Floats
    lots: Floats
    volume: Floats
    opened: Floats
    closed: Floats
    stop: Floats  # distance of the stop loss as a share of the opening price; NaN: none
    goal: Floats
    symbol: Ints
    account_margin: Floats
    firm_margin: Floats
