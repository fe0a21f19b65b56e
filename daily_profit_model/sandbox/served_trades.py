"""The fields of a trade as the service names and types them.

Derives what the world's compact table leaves out: volumes, margins, durations, comments, identities.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from daily_profit_model.sandbox import rendering as json
from daily_profit_model.sandbox import symbols
from daily_profit_model.sandbox.records import HOUR_MS
from daily_profit_model.sandbox.segments import Floats, Ints

Columns = dict[str, NDArray[Any]]
#: The firm hedges at a tenth of the trader's margin.
FIRM_MARGIN_SHARE: Final = 0.1
COMMENTS: Final = ("", "[sl]", "[tp]")


def volumes(trades: Columns) -> Floats:
    """USD volume at the closing price."""
    return np.round(symbols.volume_usd(trades["symbol"], trades["lots"], trades["close_price"]), 2)


def margins(trades: Columns, leverage: Floats) -> Floats:
    """USD margin of each trade at its account's leverage."""
    return np.round(symbols.volume_usd(trades["symbol"], trades["lots"], trades["open_price"]) / leverage, 2)


def comments(trades: Columns) -> Ints:
    """Index into COMMENTS: what closed the trade."""
    hit_stop = trades["close_price"] == trades["stop_loss"]
    hit_goal = trades["close_price"] == trades["take_profit"]
    return np.select([hit_stop, hit_goal], [1, 2], 0)


def closed(trades: Columns, register: Columns, order: Ints) -> list[bytes]:
    """JSON of closed trades at `order`."""
    chosen = {name: values[order] for name, values in trades.items()}
    columns = _shared(chosen, register)
    hours = (chosen["close_ms"] - chosen["open_ms"]) / HOUR_MS
    columns |= {
        "closeTime": json.moments(chosen["close_ms"]),
        "closePrice": json.numbers(chosen["close_price"]),
        "duration": json.numbers(hours, 6),
        "comment": json.texts([COMMENTS[code] or None for code in comments(chosen).tolist()]),
    }
    return json.rows(columns)


def opened(trades: Columns, register: Columns, order: Ints) -> list[bytes]:
    """JSON of open trades at `order`, as at the end of their snapshot's day."""
    chosen = {name: values[order] for name, values in trades.items()}
    columns = _shared(chosen, register)
    hours = ((chosen["day"].astype(np.int64) + 1) * 24 * HOUR_MS - chosen["open_ms"]) / HOUR_MS
    columns |= {"duration": json.numbers(hours, 6), "comment": json.constant(None, len(order))}
    return json.rows(columns)


def _shared(trades: Columns, register: Columns) -> dict[str, list[bytes]]:
    uid, symbol = trades["uid"], trades["symbol"]
    names = np.array(symbols.NAMES)[symbol]
    margin = margins(trades, register["leverage"][uid])
    # A ticket and a position are mostly text; one in eight is a bare number.
    bare = trades["ticket"] // 10 % 8 == 0
    return {
        "tradeDate": json.days(trades["day"]),
        "broker": json.numbers(register["broker"][uid]),
        "mngr": json.numbers(register["mngr"][uid]),
        "platform": json.numbers(register["platform"][uid]),
        "ticket": _identifiers(trades["ticket"], bare),
        "position": _identifiers(trades["position"], bare),
        "login": json.texts(register["login"][uid]),
        "trdSymbol": json.texts(np.char.add(names, np.where(register["price_stream"][uid] == 2, ".x", ""))),
        "stdSymbol": json.texts(names),
        "side": json.texts(np.where(trades["side"] > 0, "Buy", "Sell")),
        "lots": json.numbers(trades["lots"], 2),
        "contractSize": json.numbers(symbols.CONTRACT_SIZE[symbol]),
        "qtyInBaseCrncy": json.numbers(trades["lots"] * symbols.CONTRACT_SIZE[symbol], 6),
        "volumeUSD": json.numbers(volumes(trades)),
        "stopLoss": json.numbers(trades["stop_loss"]),
        "takeProfit": json.numbers(np.where(np.isnan(trades["take_profit"]), 0.0, trades["take_profit"])),
        "openTime": json.moments(trades["open_ms"]),
        "openPrice": json.numbers(trades["open_price"]),
        "profit": json.numbers(trades["profit"], 2),
        "commission": json.numbers(trades["commission"], 2),
        "fee": json.numbers(trades["fee"], 2),
        "swap": json.numbers(trades["swap"], 2),
        "client_margin": json.numbers(margin, 2),
        "firm_margin": json.numbers(margin * FIRM_MARGIN_SHARE, 2),
    }


def _identifiers(values: NDArray[Any], bare: NDArray[np.bool_]) -> list[bytes]:
    return [
        b"%d" % value if plain else b'"%d"' % value for value, plain in zip(values.tolist(), bare.tolist(), strict=True)
    ]
