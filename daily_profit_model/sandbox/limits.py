"""The levels of balance and equity at which a plan's rules act.

What happens when one is reached is in rules.py (within the day) and day.py (at its end).
"""

from __future__ import annotations

import numpy as np

from daily_profit_model.sandbox.state import Accounts, Floats


def drawdown_floor(accounts: Accounts) -> Floats:
    """The balance or equity at which the maximum drawdown is reached, USD."""
    terms = accounts.terms
    top = np.where(terms.trailing, accounts.ledger.peak, terms.start)
    return top - terms.drawdown * terms.start


def daily_floor(accounts: Accounts) -> Floats:
    """The balance or equity at which the day's loss limit is reached, USD; -inf without a limit."""
    terms, ledger = accounts.terms, accounts.ledger
    base = np.where(terms.daily_by_equity, np.maximum(ledger.balance, ledger.equity), ledger.balance)
    return np.where(terms.daily_limit > 0, base * (1.0 - terms.daily_limit), -np.inf)


def goal_balance(accounts: Accounts) -> Floats:
    """The balance that passes the phase, USD; inf without a target."""
    terms = accounts.terms
    return np.where(terms.target > 0, np.rint(terms.start * (1.0 + terms.target) * 100) / 100, np.inf)


def floor_of_day(accounts: Accounts) -> Floats:
    """The balance or equity at or under which the account is breached today, USD."""
    return np.maximum(drawdown_floor(accounts), daily_floor(accounts))
