"""What is true of every live account at the end of a day: plan terms, latent traits, ledger, positions.

Columns only, one row an account (or a position). How a row changes over a day lives in day.py.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Terms:
    """Plan terms of each account, shares of the starting balance as 0 to 1, 0 = none."""

    plan: Ints
    phase: Ints
    start: Floats
    target: Floats
    drawdown: Floats
    trailing: Bools
    daily_limit: Floats
    daily_by_equity: Bools
    leverage: Floats
    min_days: Ints
    max_time: Ints
    inactivity: Ints
    liquidate_friday: Bools
    funded: Bools
    first_payout_delay: Ints
    payout_delay: Ints
    upgrade_delay: Ints


@dataclass(frozen=True)
class Traits:
    """The trader behind each account; latent, persistent, inherited by the account of the next phase."""

    skill: Floats  # tilt of the side towards the coming move, per trade
    trend: Floats  # tilt of the side towards the last day's move (negative: contrarian)
    follows_crowd: Floats
    trades: Floats  # expected on a day with trading
    risk: Floats  # usual profit deviation of a trading day, as a share of the balance
    hold_hours: Floats
    session_hour: Floats
    weekday: Floats  # (rows, 7): probability of trading while in an active spell
    resting: Floats  # probability of trading, as a multiple, outside a spell
    keep_on: Floats
    keep_off: Floats
    symbols: Ints  # (rows, 3): most liked first
    crypto: Ints  # the symbol of weekends
    stop_habit: Floats
    profit_habit: Floats
    martingale: Floats
    caution: Floats
    quits: Floats  # hazard a day of giving up for good


@dataclass(frozen=True)
class Ledger:
    """What changes from day to day."""

    balance: Floats
    equity: Floats
    prior_balance: Floats
    prior_equity: Floats
    peak: Floats
    age: Ints  # days lived
    active_days: Ints  # days with a closed trade
    idle_days: Ints  # days since the last opening or closing
    on: Bools
    gone: Bools  # has given up
    lost: Bools  # last trading day was a loss
    approved: Floats
    pending: Floats
    pending_days: Ints
    payout_wait: Ints  # days to the next possible request; -1 without payouts


@dataclass(frozen=True)
class Accounts:
    uid: Ints  # row of the firm's register
    terms: Terms
    traits: Traits
    ledger: Ledger

    def __len__(self) -> int:
        return len(self.uid)


@dataclass(frozen=True)
class Positions:
    """Open positions at the end of a day; times in hours from the start of the coming day."""

    account: Ints  # row in Accounts
    number: Ints
    symbol: Ints
    side: Floats
    lots: Floats
    entry: Floats
    lower: Floats  # closes when the price falls to it; -inf: none
    upper: Floats
    opened: Floats
    closes: Floats

    def __len__(self) -> int:
        return len(self.account)


F = TypeVar("F", Terms, Traits, Ledger, Accounts, Positions)


def take(frame: F, index: NDArray[Any]) -> F:
    """The rows at `index` (positions or a mask), in that order."""
    columns: dict[str, Any] = {}
    for name, part in _parts(frame):
        nested = isinstance(part, Terms | Traits | Ledger)
        columns[name] = take(part, index) if nested else part[index]
    return type(frame)(**columns)


def stack(frames: list[F]) -> F:
    """The rows of all frames, one below the other."""
    first = frames[0]
    columns: dict[str, Any] = {}
    for name, part in _parts(first):
        parts = [getattr(frame, name) for frame in frames]
        columns[name] = stack(parts) if isinstance(part, Terms | Traits | Ledger) else np.concatenate(parts)
    return type(first)(**columns)


def _parts(frame: Any) -> list[tuple[str, Any]]:
    return [(item.name, getattr(frame, item.name)) for item in fields(frame)]


def no_positions() -> Positions:
    """An empty set of positions."""
    ints, floats = np.empty(0, dtype=np.int64), np.empty(0)
    return Positions(ints, ints, ints, floats, floats, floats, floats, floats, floats, floats)
