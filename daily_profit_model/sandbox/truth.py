"""The conditional distribution of each account's next day, by redrawing that day many times.

Runs the world's own day on copies of the latent state. Written beside the world for evaluation,
never served.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from daily_profit_model.sandbox import day as days
from daily_profit_model.sandbox import firm, records
from daily_profit_model.sandbox import market as markets
from daily_profit_model.sandbox.firm import FirmDay
from daily_profit_model.sandbox.orders import Calendar
from daily_profit_model.sandbox.state import Accounts, Floats, Positions, stack
from daily_profit_model.sandbox.world import World

DRAWS: Final = 400
QUANTILES: Final = (0.05, 0.5, 0.95)
#: Account rows simulated at once: what fits in the processor's cache is fastest.
ROWS_AT_ONCE: Final = 16_000


def write(world: World, folder: str | Path, *, days: int | None = None, draws: int = DRAWS) -> list[Path]:
    """Write `truth/date=YYYY-MM-DD.parquet` for the last `days` predicted days (None: all), in order.

    The last predicted day is the one after the world, whose `realised` is null. Columns: account_id,
    probability_trade (of a closed trade), mean, q05, q50, q95, probability_profit, realised; money in USD
    of the day's net profit, accounts that live at the end of the day before, test accounts left out.
    """
    target = Path(folder) / "truth"
    target.mkdir(parents=True, exist_ok=True)
    paths = []
    for day, table in conditional(world, days=days, draws=draws):
        path = target / f"date={day.isoformat()}.parquet"
        fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
        pq.write_table(table, fresh, compression="zstd")
        fresh.rename(path)
        paths.append(path)
    return paths


def conditional(world: World, *, days: int | None = None, draws: int = DRAWS) -> Iterator[tuple[date, pa.Table]]:
    """The predicted days and their tables, as `write` writes them."""
    settings = world.settings
    first = settings.opening + timedelta(days=1)
    if days is not None:
        first = max(first, settings.end + timedelta(days=2 - days))
    account_id = np.array(world.accounts["account_id"].to_pylist(), dtype=object)
    waiting: tuple[FirmDay, Floats, Floats] | None = None
    for item in firm.live(settings):
        if waiting is not None:
            yield item.date, _table(*waiting, account_id, item)
            waiting = None
        if item.date + timedelta(days=1) >= first:
            waiting = (item, *redraw(item, settings.seed, draws))
    if waiting is not None:
        yield settings.end + timedelta(days=1), _table(*waiting, account_id, None)


def redraw(item: FirmDay, seed: int, draws: int) -> tuple[Floats, Floats]:
    """Net profit and number of closed trades on the day after `item`, each (draws, accounts).

    Within a draw all accounts share one market.
    """
    tomorrow = item.date + timedelta(days=1)
    rng = np.random.Generator(np.random.SFC64([seed, 7, records.day_number(tomorrow)]))
    size = len(item.next_accounts)
    net, trades = np.empty((draws, size)), np.empty((draws, size))
    at_once = max(1, min(draws, ROWS_AT_ONCE // max(size, 1)))
    accounts, positions = _copies(item, at_once)
    for begin in range(0, draws, at_once):
        count = min(at_once, draws - begin)
        if count < at_once:
            accounts, positions = _copies(item, count)
        market = markets.spread(item.day.market, count)
        result = days.simulate(accounts, positions, market, Calendar(tomorrow.weekday()), rng)
        net[begin : begin + count] = result.net.reshape(count, size)
        trades[begin : begin + count] = result.trades.reshape(count, size)
    return net, trades


def _copies(item: FirmDay, count: int) -> tuple[Accounts, Positions]:
    """The state at the end of the day, `count` times over."""
    size = len(item.next_accounts)
    positions = [
        replace(item.next_positions, account=item.next_positions.account + size * copy) for copy in range(count)
    ]
    return stack([item.next_accounts] * count), stack(positions)


def _table(
    item: FirmDay,
    net: Floats,
    trades: Floats,
    account_id: np.ndarray[tuple[int], np.dtype[np.object_]],
    following: FirmDay | None,
) -> pa.Table:
    uid = item.next_accounts.uid
    known = np.array([name is not None for name in account_id[uid]])
    low, middle, high = np.quantile(net[:, known], QUANTILES, axis=0)
    realised = np.full(int(known.sum()), np.nan)
    if following is not None:
        realised = following.day.net[np.searchsorted(following.before.uid, uid[known])]
    return pa.table(
        {
            "account_id": pa.array(account_id[uid][known].tolist(), pa.string()),
            "probability_trade": (trades[:, known] > 0).mean(axis=0),
            "mean": net[:, known].mean(axis=0),
            "q05": low,
            "q50": middle,
            "q95": high,
            "probability_profit": (net[:, known] > 0).mean(axis=0),
            "realised": pa.array(realised, mask=np.isnan(realised)),
        }
    )
