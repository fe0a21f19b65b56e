"""The firm's life, day after day: accounts open, trade, end, are promoted and replaced.

Yields what each day leaves behind; world.py turns that into tables, truth.py redraws each next day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from daily_profit_model.sandbox import day as days
from daily_profit_model.sandbox import market as markets
from daily_profit_model.sandbox import plan_book, population
from daily_profit_model.sandbox.clock import LAST_CORRECTION
from daily_profit_model.sandbox.day import Day
from daily_profit_model.sandbox.exits import take_exits
from daily_profit_model.sandbox.market import Market
from daily_profit_model.sandbox.orders import Calendar
from daily_profit_model.sandbox.settings import WorldSettings
from daily_profit_model.sandbox.state import Accounts, Ints, Positions, no_positions, stack, take

#: Chance that an idle day of a live account has a metrics row all the same.
IDLE_ROW_CHANCE: Final = 0.2
#: Share of the daily rows with a data fee that first overlook it.
CORRECTED_SHARE: Final = 0.6
TEST_ACCOUNTS: Final = 3
FIRST_POSITION: Final = 40_000_000


@dataclass(frozen=True)
class Opened:
    """Accounts opened on one day: register rows, plan rows of the book, and their traders."""

    uid: Ints
    plan: Ints
    trader: Ints


@dataclass(frozen=True)
class FirmDay:
    """One day of the world: who lived, what happened, and the state with which the next day begins."""

    date: date
    before: Accounts
    day: Day
    first: NDArray[np.bool_]  # this is the account's first day
    shown: NDArray[np.bool_]  # the service has a daily metrics row
    lag: Ints  # days until the row is corrected; 0: never
    opened: Opened
    alive: NDArray[np.bool_]
    next_accounts: Accounts  # those alive at the end of the day, newcomers of the next day not yet among them
    next_positions: Positions
    market_before: Market


def live(settings: WorldSettings) -> Iterator[FirmDay]:
    """Simulate every day of the world in order; the same settings give the same days."""
    rng = np.random.default_rng([settings.seed, 1])
    book = plan_book.book()
    table = population.plan_table(book)
    following = _following(book)
    count = settings.accounts
    chosen = population.choose_plans(book, count, rng, at_start=True)
    traders = np.arange(count)
    accounts = population.open_accounts(np.arange(count), chosen, population.draw_traits(count, rng), table, rng)
    opened = Opened(np.arange(count), chosen, traders)
    trader_of, next_trader = traders.copy(), count
    positions, market, numbered = no_positions(), markets.start(rng), FIRST_POSITION

    for today in settings.calendar():
        result = days.simulate(accounts, positions, market, Calendar(today.weekday()), rng)
        result, numbered = _number(result, numbered)
        first = accounts.ledger.age == 0
        alive = result.status == days.ACTIVE
        idle_row = rng.random(len(accounts)) < IDLE_ROW_CHANCE
        lag = _correction_lag(result, rng)
        survivors = take(result.accounts, alive)
        remaining = _carry(result.open()[0], alive)
        yield FirmDay(
            date=today,
            before=accounts,
            day=result,
            first=first,
            shown=(result.trades > 0) | first | ~alive | idle_row,
            lag=lag,
            opened=opened,
            alive=alive,
            next_accounts=survivors,
            next_positions=remaining,
            market_before=market,
        )
        promoted = np.flatnonzero((result.status == days.PASSED) & (following[accounts.terms.plan] >= 0))
        fresh = max(0, settings.accounts - len(survivors) - len(promoted))
        opened = Opened(
            uid=len(trader_of) + np.arange(len(promoted) + fresh),
            plan=np.r_[
                following[accounts.terms.plan[promoted]], population.choose_plans(book, fresh, rng, at_start=False)
            ],
            trader=np.r_[trader_of[accounts.uid[promoted]], next_trader + np.arange(fresh)],
        )
        next_trader += fresh
        trader_of = np.r_[trader_of, opened.trader]
        traits = stack([take(accounts.traits, promoted), population.draw_traits(fresh, rng)])
        newcomers = population.open_accounts(opened.uid, opened.plan, traits, table, rng)
        accounts, positions, market = stack([survivors, newcomers]), remaining, result.market


def _correction_lag(result: Day, rng: np.random.Generator) -> Ints:
    """Days after which a row that first overlooked the data fee is put right; 0: it was right at once."""
    count = len(result.fee)
    overlooked = (result.fee < 0) & (rng.random(count) < CORRECTED_SHARE)
    return np.where(overlooked, rng.integers(1, LAST_CORRECTION + 1, count), 0)


def _following(book: tuple[plan_book.Plan, ...]) -> Ints:
    """Row of the next stage's plan for each row of the book; -1 at the end of a ladder."""
    rows = {plan.plan_id: row for row, plan in enumerate(book)}
    return np.array([rows.get(plan.next_plan, -1) for plan in book], dtype=np.int64)


def _carry(positions: Positions, alive: NDArray[Any]) -> Positions:
    """Positions of the survivors, with rows and times as the next day counts them."""
    kept = take(positions, alive[positions.account])
    row = np.cumsum(alive) - 1
    return days.roll(replace(kept, account=row[kept.account]))


def _number(result: Day, numbered: int) -> tuple[Day, int]:
    """Give the day's new positions their numbers, in the order of accounts and openings."""
    fresh = np.flatnonzero(result.made & (result.positions.number < 0))
    number = result.positions.number.copy()
    number[fresh] = numbered + np.arange(len(fresh))
    return replace(result, positions=replace(result.positions, number=number)), numbered + len(fresh)


def without_trades(item: FirmDay) -> FirmDay:
    """The day less its trades, which are most of its memory, once they are in a table."""
    result = replace(
        item.day,
        positions=no_positions(),
        exits=take_exits(item.day.exits, slice(0, 0)),
        made=np.empty(0, dtype=np.bool_),
    )
    return replace(item, day=result)
