"""What only the all-time metrics have: daily returns, trades a day, idle days, first and last times."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daily_profit_model.sandbox import behaviour_statistics, rendering, served_metrics
from daily_profit_model.sandbox import segments as seg
from daily_profit_model.sandbox.segments import Floats, Ints
from daily_profit_model.sandbox.trade_groups import Fields, Trades

Columns = dict[str, NDArray[Any]]


def fields(days: Columns, uid: Ints, start: Floats) -> Fields:
    """Statistics over account days, which are sorted by account; one value for each account in `uid`.

    `days` holds the account days up to the clock (uid, net, trades, day); `start` the starting balances.
    """
    group = np.searchsorted(uid, days["uid"])
    by = seg.groups(group, len(uid))
    rate = days["net"] / start[group]
    average, spread = seg.mean(by, rate), seg.deviation(by, rate)
    down = np.sqrt(seg.mean(by, np.minimum(rate, 0.0) ** 2))
    active = days["trades"] > 0
    trading = seg.subset(by, active)
    trades_a_day = behaviour_statistics.spread_of(
        trading, days["trades"][active].astype(np.float64), "TradesPerDay", deviation=None
    )
    day = days["day"][active].astype(np.float64)
    gap = np.r_[np.nan, np.diff(day) - 1.0] if len(day) else day
    same = np.r_[False, trading.row[1:] == trading.row[:-1]] if len(day) else np.empty(0, dtype=np.bool_)
    idle = seg.subset(trading, same)
    return (
        {
            "totalRet": seg.total(by, rate),
            "dailyMeanRet": average,
            "dailyStdRet": spread,
            "dailySharpe": seg.ratio(average, spread) * np.sqrt(252.0),
            "dailyDownsideStdRet": down,
            "dailySortino": seg.ratio(average, down) * np.sqrt(252.0),
        }
        | trades_a_day
        | {
            "meanIdleDays": seg.mean(idle, gap[same]),
            "medianIdleDays": seg.median(idle, gap[same]),
            "maxIdleDays": seg.extreme(idle, gap[same], np.maximum),
            "minIdleDays": seg.extreme(idle, gap[same], np.minimum),
        }
    )


def times(trades: Trades, opened: Ints, clock_day: int) -> served_metrics.Rendered:
    """First and last openings and closings by account; null without trades. `opened` in days."""
    by = trades.by
    hours = 3_600_000.0

    def moment(values: Floats, which: np.ufunc) -> list[bytes]:
        found = seg.extreme(by, values, which)
        milliseconds = np.where(np.isnan(found), -1, np.rint(found * hours))
        return rendering.moments_or_null(milliseconds.astype(np.int64))

    return {
        "firstTradeOpen": moment(trades.opened, np.minimum),
        "lastTradeOpen": moment(trades.opened, np.maximum),
        "lastTradeClose": moment(trades.closed, np.maximum),
        "lifeTimeInDays": rendering.numbers(clock_day - opened),
        "updatedDate": rendering.days(np.full(by.count, clock_day)),
    }
