"""One day of the firm: from the state at the end of a day to the state at the end of the next.

The world runs it once a day; the truth runs the very same function on many copies of the state.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from daily_profit_model.sandbox import exits as exit_prices
from daily_profit_model.sandbox import limits, orders, rules
from daily_profit_model.sandbox import market as markets
from daily_profit_model.sandbox.exits import DAY, LAST_INSTANT, Exits, take_exits
from daily_profit_model.sandbox.market import Market, Path
from daily_profit_model.sandbox.orders import Calendar
from daily_profit_model.sandbox.state import Accounts, Bools, Floats, Ints, Ledger, Positions, stack, take

ACTIVE: Final = 1
PASSED: Final = 2
BREACHED: Final = 3
#: Why an account ended; the words stay inside the sandbox.
REASONS: Final = ("", "target", "drawdown", "daily_loss", "inactivity", "time_limit")

#: Chance that a trading day carries a data fee, about 0.01 % of the starting balance.
FEE_CHANCE: Final = 0.05
FEE_SHARE: Final = 1e-4
#: Payouts: the share of the gain asked for, the least gain, and the days until it is paid.
PAYOUT_SHARE: Final = 0.8
PAYOUT_LEAST: Final = 0.01
PAYOUT_DAYS: Final = 2


@dataclass(frozen=True)
class Day:
    """What happened, by position and by account (rows as in the accounts given), and the state after."""

    market: Market
    path: Path
    positions: Positions  # times counted from the start of this day
    exits: Exits  # what stays open is valued at the end of the day
    made: Bools  # the rest never came about
    fee: Floats
    net: Floats
    trades: Ints
    payout: Floats
    status: Ints
    reason: Ints
    accounts: Accounts

    def closed(self) -> tuple[Positions, Exits]:
        """Positions that closed on the day."""
        which = self.made & self.exits.closed
        return take(self.positions, which), take_exits(self.exits, which)

    def open(self) -> tuple[Positions, Exits]:
        """Positions open at the end of the day."""
        which = self.made & ~self.exits.closed
        return take(self.positions, which), take_exits(self.exits, which)


def simulate(
    accounts: Accounts, positions: Positions, market: Market, calendar: Calendar, rng: np.random.Generator
) -> Day:
    """Draw the coming day for all accounts, which are tiled once for each draw of the market."""
    market_after, path = markets.draw_day(market, weekend=calendar.weekend, rng=rng)
    counts, on, gone = orders.trade_counts(accounts, calendar, rng)
    positions = replace(
        positions,
        closes=orders.over_the_weekend(
            accounts, calendar, positions.account, positions.symbol, positions.opened, positions.closes
        ),
    )
    fresh = orders.new_trades(accounts, counts, market, path, calendar, rng)
    everything = stack([positions, fresh])
    lane = orders.lanes(accounts, path, everything.account, everything.symbol)
    planned = exit_prices.undisturbed(path, lane, everything)
    ruled = rules.enforce(accounts, everything, lane, planned, path)

    count = len(accounts)
    closing = np.bincount(everything.account[ruled.exits.closed & ruled.made], minlength=count)
    fee_drawn, fee_size = rng.random(count), 0.5 + rng.random(count)
    fee = -np.rint(FEE_SHARE * accounts.terms.start * fee_size * 100) / 100
    fee = np.where((fee_drawn < FEE_CHANCE) & (closing > 0), fee, 0.0)
    return _close_day(accounts, everything, lane, ruled, path, market_after, fee, on, gone)


def _close_day(
    accounts: Accounts,
    positions: Positions,
    lane: Ints,
    ruled: rules.Ruled,
    path: Path,
    market: Market,
    fee: Floats,
    on: Bools,
    gone: Bools,
) -> Day:
    """Settle the day: equity against the limits, the ledger, and what becomes of each account."""
    count, terms, ledger = len(accounts), accounts.terms, accounts.ledger
    floor = limits.floor_of_day(accounts)
    account, exits, made = positions.account, ruled.exits, ruled.made
    equity = ledger.balance + fee + np.bincount(account, np.where(made, exits.net, 0.0), minlength=count)
    under = np.rint(equity * 100) / 100 <= floor
    late = (terms.max_time > 0) & (ledger.age + 1 >= terms.max_time)
    cut = np.flatnonzero(made & ~exits.closed & (under | late)[account])
    if len(cut):
        end = np.full(len(cut), LAST_INSTANT)
        exits = exit_prices.reprice(exits, positions, path, lane, cut, end)

    shut, left = made & exits.closed, np.flatnonzero(made & ~exits.closed)
    earned = np.bincount(account, np.where(shut, exits.net, 0.0), minlength=count)
    net = np.rint((earned + fee) * 100) / 100
    trades = np.bincount(account[shut], minlength=count)
    balance = np.rint((ledger.balance + net) * 100) / 100
    floating = np.zeros(count)
    np.add.at(floating, account[left], exits.profit[left])
    still_open = np.bincount(account[left], minlength=count)
    moved = (trades > 0) | (still_open > 0)
    idle = np.where(moved, 0, ledger.idle_days + 1)
    active_days = ledger.active_days + (trades > 0)

    breached = ruled.breached | under
    by_daily = limits.daily_floor(accounts) > limits.drawdown_floor(accounts)
    inactive = idle >= terms.inactivity
    passed = (balance >= limits.goal_balance(accounts)) & (still_open == 0) & (active_days >= terms.min_days)
    reason = np.select([breached & by_daily, breached, passed, inactive, late], [3, 2, 1, 4, 5], 0)
    status = np.select([reason == 0, reason == 1], [ACTIVE, PASSED], BREACHED)
    after, payout = _ledger_after(accounts, balance, floating, still_open == 0, status == ACTIVE)
    after = replace(
        after,
        active_days=active_days,
        idle_days=idle,
        on=on,
        gone=gone,
        lost=np.where(trades > 0, net < 0, ledger.lost),
    )
    return Day(
        market=market,
        path=path,
        positions=positions,
        exits=exits,
        made=made,
        fee=fee,
        net=net,
        trades=trades,
        payout=payout,
        status=status,
        reason=reason,
        accounts=replace(accounts, ledger=after),
    )


def _ledger_after(
    accounts: Accounts, balance: Floats, floating: Floats, flat: Bools, alive: Bools
) -> tuple[Ledger, Floats]:
    """The ledger with the day's balance and payouts; a payout leaves the balance at the end of the day."""
    ledger, start = accounts.ledger, accounts.terms.start
    waiting = (ledger.pending > 0) & alive
    due = waiting & (ledger.pending_days <= 1)
    gain = np.maximum(balance - start, 0.0)
    payout = np.rint(np.where(due, np.minimum(ledger.pending, gain), 0.0) * 100) / 100
    asks = (ledger.payout_wait == 0) & ~waiting & alive & flat & (gain >= PAYOUT_LEAST * start)
    asked = np.where(asks, np.rint(gain * PAYOUT_SHARE * 100) / 100, 0.0)
    pending = np.where(waiting & ~due, ledger.pending, asked)
    wait = np.where(asks, accounts.terms.payout_delay, np.maximum(ledger.payout_wait - 1, 0))
    balance = np.rint((balance - payout) * 100) / 100
    equity = np.rint((balance + floating) * 100) / 100
    return replace(
        ledger,
        balance=balance,
        equity=equity,
        prior_balance=ledger.balance,
        prior_equity=ledger.equity,
        peak=np.maximum(ledger.peak - payout, equity),
        age=ledger.age + 1,
        approved=np.rint((ledger.approved + payout) * 100) / 100,
        pending=pending,
        pending_days=np.where(asks, PAYOUT_DAYS, np.maximum(ledger.pending_days - 1, 0)),
        payout_wait=np.where(ledger.payout_wait < 0, -1, wait),
    ), payout


def roll(positions: Positions) -> Positions:
    """Open positions with their times counted from the start of the next day."""
    return replace(positions, opened=positions.opened - DAY, closes=positions.closes - DAY)
