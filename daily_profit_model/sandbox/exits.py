"""When and at what price each position closes on a day, and what it earns.

Stops and targets are found on the path itself, with range minima and maxima over the price grid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from daily_profit_model.sandbox import symbols
from daily_profit_model.sandbox.market import POINTS, STEPS, STEPS_PER_HOUR, Path, price_at
from daily_profit_model.sandbox.state import Bools, Floats, Ints, Positions, take

DAY: Final = 24.0
#: The last millisecond of the day, in hours: what is liquidated at the end still closes on that day.
LAST_INSTANT: Final = DAY - 1.0 / 3_600_000.0


@dataclass(frozen=True)
class Exits:
    """Per position: hour and price of the exit (or of the end of the day), what it earns, in USD."""

    hour: Floats
    price: Floats
    closed: Bools
    profit: Floats
    commission: Floats
    swap: Floats

    @property
    def net(self) -> Floats:
        return self.profit + self.commission + self.swap


def take_exits(exits: Exits, which: NDArray[Any] | slice) -> Exits:
    """The exits at `which` (positions, a mask or a slice)."""
    return Exits(
        exits.hour[which],
        exits.price[which],
        exits.closed[which],
        exits.profit[which],
        exits.commission[which],
        exits.swap[which],
    )


def undisturbed(path: Path, lane: Ints, positions: Positions) -> Exits:
    """Exits as planned, or at a stop or target reached before; open positions are valued at the end."""
    begin = np.maximum(positions.opened, 0.0)
    end = np.minimum(positions.closes, LAST_INSTANT)
    closed = positions.closes < LAST_INSTANT
    price = price_at(path, lane, end)
    bounded = np.flatnonzero(np.isfinite(positions.lower) | np.isfinite(positions.upper))
    if len(bounded):
        hour_hit, price_hit, hit = _first_touch(
            path,
            lane[bounded],
            begin[bounded],
            end[bounded],
            positions.lower[bounded],
            positions.upper[bounded],
            price[bounded],
        )
        touched = bounded[hit]
        end[touched], price[touched], closed[touched] = hour_hit[hit], price_hit[hit], True
    return value(positions, end, symbols.round_price(positions.symbol, price), closed)


def value(positions: Positions, hour: Floats, price: Floats, closed: Bools) -> Exits:
    """Profit and costs of positions at these exits, each rounded to the cent."""
    symbol = positions.symbol
    units = positions.lots * symbols.CONTRACT_SIZE[symbol]
    quote = symbols.usd_per_quote(symbol, price)
    volume = units * price * quote
    nights = np.ceil(np.maximum(-positions.opened, 0.0) / DAY)
    return Exits(
        hour=hour,
        price=price,
        closed=closed,
        profit=_cents(positions.side * (price - positions.entry) * units * quote),
        commission=-_cents(symbols.COMMISSION_SHARE[symbol] * volume),
        swap=-_cents(symbols.SWAP_SHARE * nights * volume),
    )


def reprice(exits: Exits, positions: Positions, path: Path, lane: Ints, which: Ints, hour: Floats) -> Exits:
    """The same exits, but those at `which` close at `hour` at the market."""
    some = take(positions, which)
    price = symbols.round_price(some.symbol, price_at(path, lane[which], hour))
    changed = value(some, hour, price, np.ones(len(which), dtype=np.bool_))
    columns = {}
    for name in ("hour", "price", "closed", "profit", "commission", "swap"):
        column = getattr(exits, name).copy()
        column[which] = getattr(changed, name)
        columns[name] = column
    return replace(exits, **columns)


def _cents(amount: Floats) -> Floats:
    return np.rint(amount * 100.0) / 100.0


def _first_touch(
    path: Path, lane: Ints, begin: Floats, end: Floats, lower: Floats, upper: Floats, last: Floats
) -> tuple[Floats, Floats, Bools]:
    """Hour and price of the first touch of a barrier within (begin, end], and whether there is one."""
    low, high = _range_tables(path)
    first = np.floor(begin * STEPS_PER_HOUR).astype(np.int64) + 1
    final = np.ceil(end * STEPS_PER_HOUR).astype(np.int64) - 1
    position, offset = first.copy(), lane * POINTS
    for level in range(len(low) - 1, -1, -1):
        width = 1 << level
        at = offset + np.minimum(position, POINTS - 1)
        inside = (position + width - 1 <= final) & (low[level][at] > lower) & (high[level][at] < upper)
        position = position + np.where(inside, width, 0)
    # `position` is the first grid point outside the barriers; beyond `final`, only the end remains.
    on_grid = position <= final
    outside = np.where(on_grid, path.flat[offset + np.minimum(position, STEPS)], last)
    hit = (outside <= lower) | (outside >= upper)
    barrier = np.where(outside <= lower, lower, upper)
    right = np.where(on_grid, position / STEPS_PER_HOUR, end)
    left = np.maximum(begin, (position - 1) / STEPS_PER_HOUR)
    before = price_at(path, lane, left)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.clip((barrier - before) / (outside - before), 0.0, 1.0)
    return left + (right - left) * np.where(hit, share, 1.0), barrier, hit


def _range_tables(path: Path) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Minimum and maximum of every run of 2^level grid points, flat like `path.flat`."""
    low, high = [path.price], [path.price]
    width = 1
    while 2 * width <= POINTS:
        for tables, better in ((low, np.minimum), (high, np.maximum)):
            wider = tables[-1].copy()
            better(tables[-1][:, :, :-width], tables[-1][:, :, width:], out=wider[:, :, :-width])
            tables.append(wider)
        width *= 2
    return [table.ravel() for table in low], [table.ravel() for table in high]
