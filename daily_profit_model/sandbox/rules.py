"""The plan's rules within a day: trading stops at the target, and everything closes at a breach.

Balances are watched at every close, equity at the end of the day (day.py does the latter).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from daily_profit_model.sandbox import exits as exit_prices
from daily_profit_model.sandbox.exits import Exits, take_exits
from daily_profit_model.sandbox.limits import floor_of_day, goal_balance
from daily_profit_model.sandbox.market import Path
from daily_profit_model.sandbox.state import Accounts, Bools, Floats, Ints, Positions


@dataclass(frozen=True)
class Ruled:
    """Exits after the rules, which positions came about at all, and which accounts breached a limit."""

    exits: Exits
    made: Bools
    breached: Bools


def enforce(accounts: Accounts, positions: Positions, lane: Ints, exits: Exits, path: Path) -> Ruled:
    """Undo what would have been opened after the target or a breach; close at a breach what is open."""
    floor, goal = floor_of_day(accounts), goal_balance(accounts)
    made = np.ones(len(positions), dtype=np.bool_)
    candidates = _candidates(accounts, positions, exits, floor, goal)
    # Few accounts come near a limit, so only their positions are looked at.
    near = np.flatnonzero(candidates[positions.account])
    account, opened, some = positions.account[near], positions.opened[near], take_exits(exits, near)

    met = _first_crossing(accounts, account, some, goal, above=True)
    broken = _first_crossing(accounts, account, some, floor, above=False)
    stop = np.where(met < broken, met, np.inf)
    before = opened <= stop[account]
    broken = _first_crossing(accounts, account[before], take_exits(some, before), floor, above=False)
    end = broken[account]
    kept = before & (opened < end)
    made[near[~kept]] = False
    late = kept & np.isfinite(end) & ((some.hour > end) | ~some.closed)
    if late.any():
        exits = exit_prices.reprice(exits, positions, path, lane, near[late], end[late])
    return Ruled(exits, made, np.isfinite(broken))


def _candidates(accounts: Accounts, positions: Positions, exits: Exits, floor: Floats, goal: Floats) -> Bools:
    """Accounts that could cross a limit: by their losses alone, or by their gains alone."""
    count, balance = len(accounts), accounts.ledger.balance
    net = np.where(exits.closed, exits.net, 0.0)
    losses = np.bincount(positions.account, np.minimum(net, 0.0), minlength=count)
    gains = np.bincount(positions.account, np.maximum(net, 0.0), minlength=count)
    return (balance + losses <= floor + 0.01) | (balance + gains >= goal - 0.01)


def _first_crossing(accounts: Accounts, account: Ints, exits: Exits, level: Floats, *, above: bool) -> Floats:
    """Hour by account at which the balance first reaches `level`; inf if it does not."""
    hours = np.full(len(accounts), np.inf)
    chosen = np.flatnonzero(exits.closed)
    if not len(chosen):
        return hours
    account, hour = account[chosen], exits.hour[chosen]
    order = np.lexsort((hour, account))
    account, hour = account[order], hour[order]
    running = np.cumsum(exits.net[chosen][order])
    first = np.flatnonzero(np.r_[True, account[1:] != account[:-1]])
    segment = np.cumsum(np.r_[True, account[1:] != account[:-1]]) - 1
    before = np.r_[0.0, running][first][segment]
    balance = np.rint((accounts.ledger.balance[account] + running - before) * 100) / 100
    crossed = np.flatnonzero(balance >= level[account] if above else balance <= level[account])
    which, at = np.unique(account[crossed], return_index=True)
    hours[which] = hour[crossed[at]]
    return hours
