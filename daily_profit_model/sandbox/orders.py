"""What every account does on one day: whether it trades, and the trades it would make undisturbed.

Sides, sizes, stops and exits, priced on the day's paths. Plan rules come afterwards, in rules.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from daily_profit_model.sandbox import limits, symbols
from daily_profit_model.sandbox.market import Market, Path, price_at
from daily_profit_model.sandbox.state import Accounts, Bools, Floats, Ints, Positions

DAY: Final = 24.0
FRIDAY: Final = 4
#: Liquidation before the weekend, where the plan asks for it: Friday 20:45.
FRIDAY_CLOSE: Final = 20.75
#: How far the usual opening hours of a trader spread (logistic scale, hours).
SESSION_SPREAD: Final = 1.5
MAX_TRADES: Final = 150.0


@dataclass(frozen=True)
class Calendar:
    """The day as the rules see it: weekday 0 = Monday."""

    weekday: int

    @property
    def weekend(self) -> bool:
        return self.weekday >= 5


def trade_counts(accounts: Accounts, calendar: Calendar, rng: np.random.Generator) -> tuple[Ints, Bools, Bools]:
    """Number of new trades by account, and the spells (`on`, `gone`) after the draw."""
    ledger, traits = accounts.ledger, accounts.traits
    count = len(accounts)
    gone = ledger.gone | (rng.random(count) < traits.quits)
    keep = np.where(ledger.on, traits.keep_on, traits.keep_off)
    on = np.where(rng.random(count) < keep, ledger.on, ~ledger.on)
    chance = traits.weekday[:, calendar.weekday] * np.where(on, 1.0, traits.resting)
    satisfied = (
        (accounts.terms.target > 0)
        & (ledger.balance >= accounts.terms.start * (1.0 + accounts.terms.target))
        & (ledger.active_days >= accounts.terms.min_days)
    )
    trades_today = (rng.random(count) < chance) & ~gone & ~satisfied
    quiet = 0.35 if calendar.weekend else 1.0
    intensity = np.minimum(traits.trades * quiet * rng.gamma(3.0, 1 / 3.0, count), MAX_TRADES)
    return np.where(trades_today, 1 + rng.poisson(intensity), 0).astype(np.int64), on, gone


def sorted_uniforms(counts: Ints, total: int, rng: np.random.Generator) -> Floats:
    """Uniforms in order within each account: partial sums of exponentials over their total."""
    gaps = rng.standard_exponential(total)
    running: Floats = np.concatenate([[0.0], np.cumsum(gaps)])
    ends = np.cumsum(counts)
    before = running[ends - counts]
    whole = running[ends] - before + rng.standard_exponential(len(counts))
    row = np.repeat(np.arange(len(counts)), counts)
    ordered: Floats = (running[1:] - before[row]) / whole[row]
    return ordered


def new_trades(
    accounts: Accounts, counts: Ints, market: Market, path: Path, calendar: Calendar, rng: np.random.Generator
) -> Positions:
    """The day's new trades, by account and opening time; `closes` may lie beyond the day (> 24)."""
    traits, total = accounts.traits, int(counts.sum())
    row = np.repeat(np.arange(len(accounts)), counts)
    uniform = np.clip(sorted_uniforms(counts, total, rng), 1e-6, 1 - 1e-6)
    opened = traits.session_hour[row] + SESSION_SPREAD * np.log(uniform / (1.0 - uniform))
    opened = np.clip(opened, 0.02, DAY - 0.12) + 0.1 * rng.random(total)
    choice = rng.random(total)
    if calendar.weekend:
        symbol = traits.crypto[row]
    else:
        symbol = traits.symbols[row, (choice > 0.62).astype(np.int64) + (choice > 0.9)]
    held = np.maximum(traits.hold_hours[row] * np.exp(0.8 * rng.standard_normal(total)), 0.02)
    closes = opened + held
    closes = over_the_weekend(accounts, calendar, row, symbol, opened, closes)

    lane = lanes(accounts, path, row, symbol)
    entry = symbols.round_price(symbol, price_at(path, lane, opened))
    end = price_at(path, lane, np.minimum(closes, DAY))
    usual = symbols.DAILY_VOL[symbol] * np.sqrt(np.minimum(held, DAY) / DAY)
    move = np.clip((end / entry - 1.0) / usual, -3.0, 3.0)
    # The state's arrays are (draws, symbols), in the order of the paths.
    lean = (
        traits.trend[row] * np.clip(market.last_move.ravel()[lane], -2.0, 2.0)
        + traits.follows_crowd[row] * market.crowd.ravel()[lane]
        + traits.skill[row] * move
    )
    side = np.where(lean + rng.standard_normal(total) > 0.0, 1.0, -1.0)
    vol = path.vol_multiple.ravel()[lane]
    lots = _lots(accounts, row, symbol, usual, entry, opened, closes, side * move, vol)
    lower, upper = _barriers(accounts, row, symbol, entry, side, usual, rng)
    return Positions(
        account=row,
        number=np.full(total, -1),
        symbol=symbol,
        side=side,
        lots=lots,
        entry=entry,
        lower=lower,
        upper=upper,
        opened=opened,
        closes=closes,
    )


def lanes(accounts: Accounts, path: Path, row: Ints, symbol: Ints) -> Ints:
    """Row of the paths: draw * symbols + symbol. Accounts are tiled draw by draw."""
    size = len(accounts) // path.price.shape[0]
    return (row // size) * symbols.COUNT + symbol if path.price.shape[0] > 1 else symbol


def over_the_weekend(
    accounts: Accounts, calendar: Calendar, row: Ints, symbol: Ints, opened: Floats, closes: Floats
) -> Floats:
    """Planned exits as Friday changes them: only crypto closes at weekends, some plans are flat by then."""
    if calendar.weekday != FRIDAY:
        return closes
    waits = (closes > DAY) & ~symbols.CRYPTO[symbol]
    closes = np.where(waits, closes + 2 * DAY, closes)
    must = accounts.terms.liquidate_friday[row] & (closes > FRIDAY_CLOSE)
    return np.where(must, np.maximum(FRIDAY_CLOSE, opened + 0.02), closes)


def _lots(
    accounts: Accounts,
    row: Ints,
    symbol: Ints,
    usual: Floats,
    entry: Floats,
    opened: Floats,
    closes: Floats,
    gain: Floats,
    vol: Floats,
) -> Floats:
    """Size for the trader's usual risk: less near a limit, more after a loss for those with the habit."""
    traits, ledger, terms = accounts.traits, accounts.ledger, accounts.terms
    room = (ledger.balance - limits.drawdown_floor(accounts)) / np.maximum(terms.drawdown * terms.start, 1.0)
    goal = np.where(
        terms.target > 0,
        (terms.start * (1 + terms.target) - ledger.balance) / np.maximum(terms.target * terms.start, 1.0),
        1.0,
    )
    eased = np.clip(np.minimum(room / 0.6, 0.25 + goal / 0.3), 0.2, 1.0) ** traits.caution
    scale = traits.risk * ledger.balance * eased / np.sqrt(traits.trades)
    scale = scale * np.where(ledger.lost, 1.0 + 0.25 * traits.martingale, 1.0)
    after_loss = np.zeros(len(row), dtype=np.bool_)
    after_loss[1:] = (row[1:] == row[:-1]) & (gain[:-1] < 0) & (closes[:-1] <= opened[1:])
    usd_per_lot = symbols.CONTRACT_SIZE[symbol] * entry * symbols.usd_per_quote(symbol, entry)
    wanted = scale[row] * np.where(after_loss, 1.0 + traits.martingale[row], 1.0) / (usual * usd_per_lot)
    wanted = np.minimum(wanted * vol**-0.25, 0.8 * terms.leverage[row] * ledger.balance[row] / usd_per_lot)
    return np.maximum(np.rint(wanted * 100.0) / 100.0, 0.01)


def _barriers(
    accounts: Accounts,
    row: Ints,
    symbol: Ints,
    entry: Floats,
    side: Floats,
    usual: Floats,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Prices below and above at which a stop loss or take profit closes the trade; infinite: none."""
    traits, total = accounts.traits, len(row)
    stop = rng.random(total) < traits.stop_habit[row]
    goal = rng.random(total) < traits.profit_habit[row]
    width = entry * usual * (0.9 + 0.8 * rng.random(total))
    lose = np.where(stop, width, np.inf)
    gain = np.where(goal, width * 1.4, np.inf)
    down, up = np.where(side > 0, lose, gain), np.where(side > 0, gain, lose)
    return symbols.round_price(symbol, entry - down), symbols.round_price(symbol, entry + up)
