"""Statistics of what trades earn: performance, distribution, outliers, returns, drawdowns."""

from __future__ import annotations

from typing import Final

import numpy as np

from daily_profit_model.sandbox import segments as seg
from daily_profit_model.sandbox.segments import Floats
from daily_profit_model.sandbox.trade_groups import Fields, Trades

PERCENTILES: Final = (0.1, 0.25, 0.75, 0.9)


def gains_and_losses(trades: Trades) -> tuple[Floats, Floats]:
    """Sum of the winning and of the losing trades, to the cent."""
    gross_profit = seg.total(trades.by, np.maximum(trades.net, 0.0))
    gross_loss = seg.total(trades.by, np.minimum(trades.net, 0.0))
    return np.round(gross_profit, 2), np.round(gross_loss, 2)


def performance(trades: Trades) -> Fields:
    """Performance and distribution of the net profit by trade."""
    by, net = trades.by, trades.net
    gain, loss = gains_and_losses(trades)
    average, spread = seg.mean(by, net), seg.deviation(by, net)
    wins, losses = seg.subset(by, net > 0), seg.subset(by, net < 0)
    won = seg.ratio(wins.size, by.size)
    tens = seg.quantiles(by, net, (0.5, *PERCENTILES))
    return {
        "netProfit": np.round(gain + loss, 2),
        "grossProfit": gain,
        "grossLoss": loss,
        "gainToPain": seg.ratio(gain + loss, -loss),
        "profitFactor": seg.ratio(gain, -loss),
        "successRate": 100.0 * won,
        "meanProfit": average,
        "medianProfit": tens[0],
        "stdProfits": spread,
        "riskAdjProfit": seg.ratio(average, spread),
        "expectancy": won * np.nan_to_num(seg.ratio(gain, wins.size))
        + seg.ratio(losses.size, by.size) * np.nan_to_num(seg.ratio(loss, losses.size)),
        "minProfit": seg.extreme(by, net, np.minimum),
        "maxProfit": seg.extreme(by, net, np.maximum),
        "profitPerc10": tens[1],
        "profitPerc25": tens[2],
        "profitPerc75": tens[3],
        "profitPerc90": tens[4],
    }


def outliers(trades: Trades) -> Fields:
    """What the best and worst tenth of the trades, and those beyond one and two deviations, bring."""
    by, net = trades.by, trades.net
    gain, loss = gains_and_losses(trades)
    rank = np.empty(len(net), dtype=np.int64)
    rank[np.lexsort((net, by.row))] = np.arange(len(net))
    within = rank - by.start[by.row]
    tenth = np.maximum(1, by.size // 10)[by.row]
    top = seg.total(by, np.where(within >= by.size[by.row] - tenth, net, 0.0))
    bottom = seg.total(by, np.where(within < tenth, net, 0.0))
    fields = {
        "profitTop10PrcntTrades": top,
        "profitBottom10PrcntTrades": bottom,
        "top10PrcntProfitContrib": seg.ratio(top, gain),
        "bottom10PrcntLossContrib": seg.ratio(bottom, loss),
    }
    average, spread = seg.mean(by, net)[by.row], seg.deviation(by, net)[by.row]
    for name, width in (("oneStd", 1.0), ("twoStd", 2.0)):
        far = np.abs(net - average) > width * spread
        amount = seg.total(by, np.where(far, net, 0.0))
        fields[f"{name}OutlierProfit"] = amount
        fields[f"{name}OutlierProfitContrib"] = seg.ratio(amount, gain + loss)
    return fields


def per_unit(trades: Trades) -> Fields:
    """Profit by USD of volume, by lot, and by hour held."""
    gain, loss = gains_and_losses(trades)
    volume, lots = seg.total(trades.by, trades.volume), seg.total(trades.by, trades.lots)
    hours = seg.total(trades.by, trades.closed - trades.opened)
    multiple = seg.ratio(gain, -loss)
    return {
        "netProfitPerUSDVolume": seg.ratio(gain + loss, volume),
        "grossProfitPerUSDVolume": seg.ratio(gain, volume),
        "grossLossPerUSDVolume": seg.ratio(loss, volume),
        "distanceGrossProfitLossPerUSDVolume": seg.ratio(gain + loss, volume),
        "multipleGrossProfitLossPerUSDVolume": multiple,
        "grossProfitPerLot": seg.ratio(gain, lots),
        "grossLossPerLot": seg.ratio(loss, lots),
        "distanceGrossProfitLossPerLot": seg.ratio(gain + loss, lots),
        "multipleGrossProfitLossPerLot": multiple,
        "netProfitPerDuration": seg.ratio(gain + loss, hours),
        "grossProfitPerDuration": seg.ratio(gain, hours),
        "grossLossPerDuration": seg.ratio(loss, hours),
    }


def returns(trades: Trades, capital: Floats) -> Fields:
    """Returns by trade, relative to `capital`."""
    by = trades.by
    rate = seg.ratio(trades.net, capital[by.row])
    average, spread = seg.mean(by, rate), seg.deviation(by, rate)
    down = np.sqrt(seg.mean(by, np.minimum(rate, 0.0) ** 2))
    return {
        "meanRet": average,
        "stdRets": spread,
        "riskAdjRet": seg.ratio(average, spread),
        "downsideStdRets": down,
        "downsideRiskAdjRet": seg.ratio(average, down),
    }


def drawdowns(trades: Trades, start: Floats) -> Fields:
    """Distance of the running profit from its high, in USD (≤ 0), and the trades each fall lasted."""
    by = trades.by
    profit = seg.running(by, trades.net)
    fall = np.round(profit - seg.running_maximum(by, profit), 2)
    spells, _, length = seg.runs(by, fall < 0)
    money = {
        "meanDrawDown": seg.mean(by, fall),
        "medianDrawDown": seg.median(by, fall),
        "maxDrawDown": seg.extreme(by, fall, np.minimum),
    }
    return (
        money
        | {"rel" + name[0].upper() + name[1:]: value / start for name, value in money.items()}
        | {
            "meanNumTradesInDD": seg.mean(spells, length),
            "medianNumTradesInDD": seg.median(spells, length),
            "maxNumTradesInDD": seg.extreme(spells, length, np.maximum),
        }
    )
