"""From simulated days to tables: the register of accounts, trades, open positions, account days.

Compact columns with the register's row as key; the service's field names are given in served.py.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from daily_profit_model.sandbox import day as days
from daily_profit_model.sandbox import plan_book
from daily_profit_model.sandbox.exits import Exits
from daily_profit_model.sandbox.firm import TEST_ACCOUNTS, FirmDay
from daily_profit_model.sandbox.state import Floats, Ints, Positions

EPOCH: Final = date(1970, 1, 1)
HOUR_MS: Final = 3_600_000
COUNTRIES: Final = ("US", "GB", "DE", "IN", "NG", "AE", "ZA", "BR", "FR", "PK")
FIRST_ACCOUNT_ID: Final = 1_000_000
FIRST_LOGIN: Final = 250_000
#: Share of closes that come in two parts.
SPLIT_SHARE: Final = 0.03


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def register(history: list[FirmDay], seed: int) -> pa.Table:
    """One row an account, in the order of opening: identity, plan, first and last day."""
    rng = np.random.default_rng([seed, 2])
    book = plan_book.book()
    plan = np.concatenate([item.opened.plan for item in history])
    trader = np.concatenate([item.opened.trader for item in history])
    opened = np.concatenate([np.full(len(item.opened.uid), day_number(item.date)) for item in history])
    count = len(plan)
    ended, status, reason = np.full(count, -1), np.full(count, days.ACTIVE), np.zeros(count, dtype=np.int64)
    for item in history:
        over = ~item.alive
        ended[item.before.uid[over]] = day_number(item.date)
        status[item.before.uid[over]] = item.day.status[over]
        reason[item.before.uid[over]] = item.day.reason[over]
    platform = np.array([entry.platform for entry in book])[plan]
    test = np.zeros(count, dtype=np.bool_)
    test[rng.choice(len(history[0].opened.uid), TEST_ACCOUNTS, replace=False)] = True
    account_id = (FIRST_ACCOUNT_ID + np.arange(count)).astype(str)
    return pa.table(
        {
            "account_id": pa.array(account_id, mask=test),
            "login": pa.array((FIRST_LOGIN + _count_within(platform)).astype(str)),
            "platform": platform,
            "broker": np.array([entry.broker for entry in book])[plan],
            "mngr": 1 + platform % 4,
            "plan_row": plan,
            "plan_id": np.array([entry.plan_id for entry in book])[plan],
            "trader": trader,
            "type": np.array([entry.type_code for entry in book])[plan],
            "phase": np.array([entry.phase for entry in book])[plan],
            "price_stream": 1 + platform % 2,
            "country": pa.array(np.array(COUNTRIES)[(trader * 7919) % len(COUNTRIES)]),
            "starting_balance": np.array([entry.start for entry in book])[plan],
            "opened": pa.array(opened.astype(np.int32), pa.int32()).cast(pa.date32()),
            "ended": pa.array(ended.astype(np.int32), pa.int32(), mask=ended < 0).cast(pa.date32()),
            "status": status,
            "reason": pa.array(np.array(days.REASONS)[reason]),
            "is_test": test,
        }
    )


def _count_within(platform: Ints) -> Ints:
    """Running number within each platform, so that logins repeat across platforms."""
    number = np.empty(len(platform), dtype=np.int64)
    for value in np.unique(platform):
        members = platform == value
        number[members] = np.arange(int(members.sum()))
    return number


def account_days(item: FirmDay) -> pa.Table:
    """One row a live account on this day: balances, payouts, status, and what is known of corrections."""
    before, after, result = item.before, item.day.accounts.ledger, item.day
    return pa.table(
        {
            "uid": before.uid,
            "day": _repeat_day(item, len(before)),
            "prior_balance": after.prior_balance,
            "prior_equity": after.prior_equity,
            "balance": after.balance,
            "equity": after.equity,
            "net": result.net,
            "fee": result.fee,
            "trades": result.trades,
            "payout": result.payout,
            "approved": after.approved,
            "pending": after.pending,
            "payout_wait": after.payout_wait,
            "age": after.age,
            "status": result.status,
            "shown": item.shown,
            "lag": item.lag,
        }
    )


def closed_trades(item: FirmDay, seed: int) -> pa.Table:
    """The day's closed trades; some closes come in two parts with one position number."""
    positions, exits = item.day.closed()
    fee = np.zeros(len(positions))
    _, first = np.unique(positions.account, return_index=True)
    fee[first] = item.day.fee[positions.account[first]]
    columns = _columns(item, positions, exits)
    columns["fee"] = fee
    return _table(_split(columns, np.random.default_rng([seed, 3, day_number(item.date)])))


def open_trades(item: FirmDay) -> pa.Table:
    """Positions open at the end of the day, of accounts that live on."""
    positions, exits = item.day.open()
    columns = _columns(item, positions, exits)
    columns["fee"] = np.zeros(len(positions))
    return _table(columns)


def _table(columns: dict[str, NDArray[np.generic]]) -> pa.Table:
    """Columns as a table; what is not a number (a stop that is not set) becomes null."""
    return pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()})


def _columns(item: FirmDay, positions: Positions, exits: Exits) -> dict[str, NDArray[np.generic]]:
    midnight = day_number(item.date) * 24 * HOUR_MS
    stop, goal = _stops(positions)
    return {
        "uid": item.before.uid[positions.account],
        "day": _repeat_day(item, len(positions)),
        "position": positions.number,
        "ticket": positions.number * 10,
        "symbol": positions.symbol.astype(np.int8),
        "side": positions.side.astype(np.int8),
        "lots": positions.lots,
        "open_ms": midnight + np.floor(positions.opened * HOUR_MS).astype(np.int64),
        "open_price": positions.entry,
        "close_ms": midnight + np.floor(exits.hour * HOUR_MS + 1e-6).astype(np.int64),
        "close_price": exits.price,
        "stop_loss": stop,
        "take_profit": goal,
        "profit": exits.profit,
        "commission": exits.commission,
        "swap": exits.swap,
    }


def _stops(positions: Positions) -> tuple[Floats, Floats]:
    buys = positions.side > 0
    stop = np.where(buys, positions.lower, positions.upper)
    goal = np.where(buys, positions.upper, positions.lower)
    return np.where(np.isfinite(stop), stop, np.nan), np.where(np.isfinite(goal), goal, np.nan)


def _split(columns: dict[str, NDArray[np.generic]], rng: np.random.Generator) -> dict[str, NDArray[np.generic]]:
    """Divide some closes into two tickets of one position; amounts add up to the cent."""
    lots = columns["lots"].astype(np.float64)
    parts = np.flatnonzero((rng.random(len(lots)) < SPLIT_SHARE) & (lots >= 0.02))
    part_lots = np.floor(lots[parts] * 50.0) / 100.0
    share = part_lots / lots[parts]
    result: dict[str, NDArray[np.generic]] = {}
    for name, column in columns.items():
        second = column[parts].copy()
        whole = column.copy()
        if name in ("profit", "commission", "swap"):
            second = np.rint(second.astype(np.float64) * share * 100) / 100
            whole[parts] = np.rint((whole[parts].astype(np.float64) - second) * 100) / 100
        elif name == "lots":
            second = part_lots
            whole[parts] = np.rint((lots[parts] - part_lots) * 100) / 100
        elif name == "fee":
            second = np.zeros(len(parts))
        elif name == "ticket":
            second = column[parts].astype(np.int64) + 1
        result[name] = np.concatenate([whole, second])
    return result


def _repeat_day(item: FirmDay, count: int) -> NDArray[np.int32]:
    return np.full(count, day_number(item.date), dtype=np.int32)
