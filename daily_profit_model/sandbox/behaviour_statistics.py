"""Statistics of how trades are made: size, duration, stops, streaks, open positions, symbols."""

from __future__ import annotations

import numpy as np

from daily_profit_model.sandbox import segments as seg
from daily_profit_model.sandbox.segments import Floats, Groups
from daily_profit_model.sandbox.trade_groups import Fields, Trades


def volumes(trades: Trades) -> Fields:
    """Lots and USD volume, of winners against losers."""
    by, wins, losses = trades.by, trades.net > 0, trades.net < 0
    won, lost = seg.subset(by, wins), seg.subset(by, losses)
    fields = {
        "totalLots": seg.total(by, trades.lots),
        "totalVolume": seg.total(by, trades.volume),
        "stdVolumes": seg.deviation(by, trades.volume),
    }
    for unit, plural, values in (("Lot", "Lots", trades.lots), ("Volume", "Volume", trades.volume)):
        winning, losing = seg.mean(won, values[wins]), seg.mean(lost, values[losses])
        fields |= {
            f"meanWinning{unit}": winning,
            f"meanLosing{unit}": losing,
            f"distanceWinLoss{plural}": winning - losing,
            f"multipleWinLoss{plural}": seg.ratio(winning, losing),
        }
    return fields


def spread_of(by: Groups, values: Floats, noun: str, *, deviation: str | None) -> Fields:
    """Mean, median, minimum, maximum, coefficient of variation and, when named, the deviation."""
    average, spread = seg.mean(by, values), seg.deviation(by, values)
    fields = {
        f"mean{noun}": average,
        f"median{noun}": seg.median(by, values),
        f"min{noun}": seg.extreme(by, values, np.minimum),
        f"max{noun}": seg.extreme(by, values, np.maximum),
        f"cv{noun}": seg.ratio(spread, average),
    }
    return fields | ({deviation: spread} if deviation else {})


def durations(trades: Trades) -> Fields:
    """Hours held."""
    fields = spread_of(trades.by, trades.closed - trades.opened, "Duration", deviation="stdDurations")
    fields["cvDurations"] = fields.pop("cvDuration")
    return fields


def stops(trades: Trades) -> Fields:
    """Distances of take profit and stop loss as shares of the opening price, and their ratio."""
    goal, stop = ~np.isnan(trades.goal), ~np.isnan(trades.stop)
    both = goal & stop
    versus = seg.ratio(trades.goal[both], trades.stop[both])
    return (
        spread_of(seg.subset(trades.by, goal), trades.goal[goal], "TP", deviation="stdTP")
        | spread_of(seg.subset(trades.by, stop), trades.stop[stop], "SL", deviation="stdSL")
        | spread_of(seg.subset(trades.by, both), versus, "TPvsSL", deviation=None)
    )


def streaks(trades: Trades) -> Fields:
    """Unbroken rows of winners and of losers: how many trades, and how much money."""
    fields: Fields = {}
    profit = np.r_[0.0, np.cumsum(trades.net)]
    for noun, flag, largest in (
        ("ConsecWins", trades.net > 0, np.maximum),
        ("ConsecLosses", trades.net < 0, np.minimum),
    ):
        spells, first, length = seg.runs(trades.by, flag)
        money = np.round(profit[first + length] - profit[first], 2)
        fields |= {
            f"meanNum{noun}": seg.mean(spells, length),
            f"medianNum{noun}": seg.median(spells, length),
            f"maxNum{noun}": seg.extreme(spells, length, np.maximum),
            f"meanVal{noun}": seg.mean(spells, money),
            f"medianVal{noun}": seg.median(spells, money),
            f"maxVal{noun}": seg.extreme(spells, money, largest),
        }
    return fields


def open_positions(trades: Trades, equity: Floats) -> Fields:
    """Positions open at each opening (that one included), counted and in USD volume."""
    by, size = trades.by, len(trades.net)
    row = np.concatenate([by.row, by.row])
    order = np.lexsort((np.r_[np.zeros(size), np.ones(size)], np.r_[trades.opened, trades.closed], row))
    opening = order < size
    every = seg.groups(row[order], by.count)
    number = seg.running(every, np.r_[np.ones(size), -np.ones(size)][order])[opening]
    held = seg.running(every, np.r_[trades.volume, -trades.volume][order])[opening]
    fields: Fields = {}
    for noun, values in (
        ("NumOpenPos", number),
        ("ValOpenPos", held),
        ("ValtoEqtyOpenPos", seg.ratio(held, equity[by.row])),
    ):
        fields |= {
            f"mean{noun}": seg.mean(by, values),
            f"median{noun}": seg.median(by, values),
            f"max{noun}": seg.extreme(by, values, np.maximum),
        }
    return fields


def activity(trades: Trades) -> Fields:
    """Margins and symbols; `mostTradedSymbol` is the symbol's code, -1 without trades."""
    by = trades.by
    codes = int(trades.symbol.max(initial=0)) + 1
    table = np.bincount(by.row * codes + trades.symbol, minlength=by.count * codes).reshape(by.count, codes)
    return {
        "numTrades": by.size.astype(np.float64),
        "meanAccountMargin": seg.mean(by, trades.account_margin),
        "meanFirmMargin": seg.mean(by, trades.firm_margin),
        "numTradedSymbols": (table > 0).sum(axis=1).astype(np.float64),
        "mostTradedSymbol": np.where(by.size > 0, table.argmax(axis=1), -1).astype(np.float64),
        "mostTradedSmbTrades": table.max(axis=1).astype(np.float64),
    }
