"""Daily, hourly and all-time metrics rows: identity, balances and the statistics of the trades.

The statistics themselves are in metrics.py. Rows of a day are computed when they are first asked for.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from daily_profit_model.sandbox import metrics, rendering, served_trades, symbols
from daily_profit_model.sandbox import segments as seg
from daily_profit_model.sandbox.records import HOUR_MS
from daily_profit_model.sandbox.segments import Floats, Ints
from daily_profit_model.sandbox.trade_groups import Fields, Trades

Columns = dict[str, NDArray[Any]]
Rendered = dict[str, list[bytes]]
WHOLE_NUMBERS: Final = frozenset(
    {
        "numTrades",
        "numTradedSymbols",
        "mostTradedSmbTrades",
        "maxNumConsecWins",
        "maxNumConsecLosses",
        "maxNumOpenPos",
        "maxNumTradesInDD",
    }
)
CENTS: Final = frozenset({"netProfit", "grossProfit", "grossLoss", "minProfit", "maxProfit"})


def identity(register: Columns, uid: Ints, status: Ints) -> Rendered:
    """Who the row is about."""

    def number(name: str) -> list[bytes]:
        return rendering.numbers(register[name][uid])

    return {
        "login": rendering.texts(register["login"][uid]),
        "accountId": rendering.texts(register["account_id"][uid]),
        "planId": rendering.texts(register["plan_id"][uid].astype(str)),
        "trader": rendering.texts(register["trader_id"][uid]),
        "status": rendering.numbers(status),
        "type": number("type"),
        "phase": number("phase"),
        "broker": number("broker"),
        "mt_version": number("platform"),
        "price_stream": number("price_stream"),
        "country": rendering.texts(register["country"][uid]),
    }


def balances(register: Columns, state: Columns) -> Rendered:
    """Balances and payouts of account days `state`, USD."""

    def money(name: str) -> list[bytes]:
        return rendering.numbers(state[name], 2)

    return {
        "approved_payouts": money("approved"),
        "pending_payouts": money("pending"),
        "startingBalance": rendering.numbers(register["starting_balance"][state["uid"]], 2),
        "priorDaysBalance": money("prior_balance"),
        "priorDaysEquity": money("prior_equity"),
        "currentBalance": money("balance"),
        "currentEquity": money("equity"),
    }


def payouts(state: Columns) -> Rendered:
    """Waiting time and the day's payout; null for accounts that have none."""
    wait = state["payout_wait"].astype(np.float64)
    return {
        "days_to_next_payout": _whole(np.where(wait < 0, np.nan, wait)),
        "todays_payouts": rendering.numbers(state["payout"], 2),
    }


def timeline(register: Columns, uid: Ints, day: NDArray[Any]) -> Rendered:
    """First trade and ages as of `day` (days since 1970-01-01, by row); null before the first trade."""
    first = register["first_trade"][uid]
    known = (first >= 0) & (first <= day)
    return {
        "firstTradeDate": rendering.days(np.where(known, first, -1)),
        "daysSinceInitialDeposit": rendering.numbers(day - register["opened"][uid]),
        "daysSinceFirstTrade": _whole(np.where(known, day - first, np.nan)),
    }


def trades_of(trades: Columns, register: Columns, group: Ints, count: int) -> Trades:
    """The statistics' input from a trade table, sorted by group and closing time."""
    order = np.lexsort((trades["position"], trades["close_ms"], group))
    chosen = {name: values[order] for name, values in trades.items()}
    margin = served_trades.margins(chosen, register["leverage"][chosen["uid"]])
    net = chosen["profit"] + chosen["commission"] + chosen["fee"] + chosen["swap"]
    price = chosen["open_price"]
    return Trades(
        by=seg.groups(group[order], count),
        net=np.round(net, 2),
        lots=chosen["lots"],
        volume=served_trades.volumes(chosen),
        opened=chosen["open_ms"] / HOUR_MS,
        closed=chosen["close_ms"] / HOUR_MS,
        stop=np.abs(chosen["stop_loss"] - price) / price,
        goal=np.abs(chosen["take_profit"] - price) / price,
        symbol=chosen["symbol"].astype(np.int64),
        account_margin=margin,
        firm_margin=margin * served_trades.FIRM_MARGIN_SHARE,
    )


def statistics(trades: Trades, start: Floats, capital: Floats, equity: Floats) -> Rendered:
    """Rendered statistics by group."""
    return write(metrics.all_fields(trades, start, capital, equity))


def write(fields: Fields) -> Rendered:
    """Statistics as JSON values: whole numbers, cents, the symbol's name, the rest to eight digits."""
    rendered: Rendered = {}
    for name, values in fields.items():
        if name == "mostTradedSymbol":
            codes = values.astype(np.int64).tolist()
            rendered[name] = rendering.texts([symbols.NAMES[code] if code >= 0 else None for code in codes])
        elif name in WHOLE_NUMBERS:
            rendered[name] = _whole(values)
        else:
            rendered[name] = rendering.numbers(values, 2 if name in CENTS else 8)
    return rendered


def _whole(values: Floats) -> list[bytes]:
    missing = np.isnan(values)
    written = rendering.numbers(np.where(missing, 0, values).astype(np.int64))
    if not missing.any():
        return written
    return [b"null" if none else text for text, none in zip(written, missing.tolist(), strict=True)]
