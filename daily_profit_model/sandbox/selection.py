"""Which rows answer a query: the blocks of the days asked for, filtered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from daily_profit_model.sandbox import symbols
from daily_profit_model.sandbox.blocks import Block, Blocks
from daily_profit_model.sandbox.clock import Clock
from daily_profit_model.sandbox.queries import Query

#: The column of a block that each list parameter filters by.
FILTERED_BY: Final = {
    "logins": "login",
    "traders": "trader_id",
    "accountIds": "account_id",
    "types": "type",
    "phases": "phase",
    "providers": "broker",
    "platforms": "platform",
    "symbols": "symbol",
    "hours": "hour",
}


def select(blocks: Blocks, query: Query, clock: Clock) -> list[bytes]:
    """Rendered rows that answer `query` at the clock, in the service's fixed order, before paging."""
    parts = [_filtered(block, query) for block in _blocks(blocks, query, clock)]
    return parts[0] if len(parts) == 1 else [row for part in parts for row in part]


def _blocks(blocks: Blocks, query: Query, clock: Clock) -> Iterator[Block]:
    if query.endpoint == "accounts":
        yield blocks.accounts(clock)
    elif query.endpoint == "v2/metrics/alltime":
        yield blocks.alltime(clock)
    else:
        days = [day for day in _days(blocks, query, clock) if day <= clock.last_day]
        for day in np.random.default_rng(len(days)).permutation(days).tolist():
            if query.endpoint == "v2/metrics/daily":
                yield blocks.daily(day, clock)
            elif query.endpoint == "v2/metrics/hourly":
                yield blocks.hourly(day)
            elif query.endpoint == "v2/trades/closed":
                yield blocks.closed(day)
            else:
                yield blocks.opened(day)


def _days(blocks: Blocks, query: Query, clock: Clock) -> list[int]:
    """Days of the world that can hold rows for the query."""
    known = [day for day in blocks.days.tolist() if day <= clock.last_day]
    if query.endpoint.startswith("v2/metrics/"):
        wanted = query.lists.get("dates")
        return known if wanted is None else [day for day in known if day in wanted]
    names = ("trade-date", "trade-date-from", "trade-date-to")
    if query.endpoint == "v2/trades/open" and not any(name in query.dates for name in names):
        return known[-1:]
    bounds = query.dates
    exact = bounds.get("trade-date")
    low = max(bounds.get("trade-date-from", 0), bounds.get("close-time-from", 0))
    high = min(bounds.get("trade-date-to", 10**9), bounds.get("close-time-to", 10**9))
    return [day for day in known if low <= day <= high and exact in (None, day)]


def _filtered(block: Block, query: Query) -> list[bytes]:
    keep = np.ones(len(block.rows), dtype=np.bool_)
    for name, values in query.lists.items():
        if name == "dates":
            continue
        wanted: list[str] | list[int] = list(values)  # type: ignore[assignment]  # a set of one of both
        if name == "symbols":
            wanted = [number for number, known in enumerate(symbols.NAMES) if known in values]
        keep &= np.isin(block.keys[FILTERED_BY[name]], wanted)
    if "open_day" in block.keys:
        keep &= block.keys["open_day"] >= query.dates.get("open-time-from", -(10**9))
        keep &= block.keys["open_day"] <= query.dates.get("open-time-to", 10**9)
    if keep.all():
        return block.rows
    return [block.rows[at] for at in np.flatnonzero(keep).tolist()]
