"""The world's rows as a faulty service has them: written in odd ways, beside rows that should not be there.

What becomes of a row depends on the plan and on the row's key alone. `truth` tells what is to be made of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson

from daily_profit_model.sandbox.blocks import Block, Blocks
from daily_profit_model.sandbox.clock import Clock
from daily_profit_model.sandbox.faults.fields import ALL_TIME, CLOSED, DAILY, HOURLY, IDENTITY, KEY, OPEN, TRADES
from daily_profit_model.sandbox.faults.malformed import can_be, spoil
from daily_profit_model.sandbox.faults.plan import PLANTED, FaultPlan
from daily_profit_model.sandbox.faults.variations import Record, changed, varied
from daily_profit_model.sandbox.world import World

#: What a row of the world is called beside the kinds that are planted.
WORLD: Final = "world"
#: Planted rows have logins, accounts and positions of their own, counted from here.
FIRST_LOGIN: Final = 90_000_000
FIRST_ACCOUNT: Final = 9_000_000
FIRST_POSITION: Final = 9_000_000_000
#: Planted kinds that are good rows.
GOOD_KINDS: Final = frozenset({WORLD, "unresolved_login"})


@dataclass(frozen=True)
class Row:
    """A row as it is sent; `meant` is what a client should store, null if nothing."""

    sent: bytes
    kind: str
    meant: Record | None
    template: int
    """The row of the world whose place among the filters it takes."""


class SpoiledBlocks(Blocks):
    """The world's blocks with the data faults of a plan."""

    def __init__(self, world: World, plan: FaultPlan) -> None:
        super().__init__(world)
        self._plan = plan

    def closed(self, day: int) -> Block:
        return self._spoiled(CLOSED, day, day, lambda: super(SpoiledBlocks, self).closed(day))

    def opened(self, day: int) -> Block:
        return self._spoiled(OPEN, day, day, lambda: super(SpoiledBlocks, self).opened(day))

    def daily(self, day: int, clock: Clock) -> Block:
        state = (day, clock.corrections_of(day))
        return self._spoiled(DAILY, day, state, lambda: super(SpoiledBlocks, self).daily(day, clock))

    def hourly(self, day: int) -> Block:
        return self._spoiled(HOURLY, day, day, lambda: super(SpoiledBlocks, self).hourly(day))

    def alltime(self, clock: Clock) -> Block:
        day = clock.last_day
        return self._spoiled(ALL_TIME, day, day, lambda: super(SpoiledBlocks, self).alltime(clock))

    def _spoiled(self, endpoint: str, day: int, state: object, make: Any) -> Block:
        return self._keep(("spoiled", endpoint, state), lambda: _block(self._plan, endpoint, day, make()))


def spoiled(plan: FaultPlan, endpoint: str, day: int, rows: Sequence[bytes]) -> Iterator[Row]:
    """The rows that the service has for `day` instead of `rows`: these in their order, then the planted ones."""
    records = [orjson.loads(row) for row in rows]
    for place, record in enumerate(records):
        dice = plan.dice("row", endpoint, day, *(record[name] for name in KEY[endpoint]))
        sent, meant = changed(plan, endpoint, record, dice)
        is_test = any(record[name] is None for name in IDENTITY[endpoint])
        yield Row(varied(plan, sent, dice), "test_account" if is_test else WORLD, None if is_test else meant, place)
    good = [place for place, record in enumerate(records) if None not in (record[name] for name in IDENTITY[endpoint])]
    if good:
        yield from _planted(plan, endpoint, day, records, good)


def _planted(plan: FaultPlan, endpoint: str, day: int, records: Sequence[Record], good: Sequence[int]) -> Iterator[Row]:
    number = 0
    for kind in PLANTED:
        dice = plan.dice("planted", endpoint, day, kind)
        if not can_be(kind, endpoint):
            continue
        count = plan.number(kind, dice)
        if endpoint == ALL_TIME and plan.rate(kind) > 0:
            count = max(1, count)  # there is one snapshot, and not one a day
        for _ in range(count):
            place = dice.choice(good)
            record = spoil(kind, endpoint, records[place] | _identity(endpoint, number), dice)
            number += 1
            if kind in GOOD_KINDS:
                sent, meant = changed(plan, endpoint, record, dice)
                yield Row(varied(plan, sent, dice), kind, meant, place)
            else:
                yield Row(orjson.dumps(record), kind, None, place)


def _identity(endpoint: str, number: int) -> Record:
    login = {"login": str(FIRST_LOGIN + number)}
    if endpoint not in TRADES:
        return login | {"accountId": str(FIRST_ACCOUNT + number)}
    position = FIRST_POSITION + number
    return login | {"position": str(position), "ticket": str(position * 10)}


def _block(plan: FaultPlan, endpoint: str, day: int, block: Block) -> Block:
    rows = list(spoiled(plan, endpoint, day, block.rows))
    order = plan.dice("order", endpoint, day).sample(range(len(rows)), len(rows))
    templates = np.array([rows[place].template for place in order], dtype=np.int64)
    keys = {name: values[templates] for name, values in block.keys.items()}
    for name, first in (("login", FIRST_LOGIN), ("account_id", FIRST_ACCOUNT)):
        if name in keys:
            planted = [at for at, place in enumerate(order) if place >= len(block.rows)]
            keys[name][planted] = [str(first + order[at] - len(block.rows)) for at in planted]
    return Block([rows[place].sent for place in order], keys)
