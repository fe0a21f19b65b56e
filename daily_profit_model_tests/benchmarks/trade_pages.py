"""Closed trades by number: pages of JSON made at memory speed, the same ones whenever they are asked for.

Every row has all documented fields and ROW_BYTES bytes; what differs from row to row stands at fixed places, so
that a page is a copy of a block of rows with some digits set. No row is kept, so any number of rows costs nothing.
"""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

ROW_BYTES = 567
"""Of a row without the comma after it; the size of the real service's rows (BENCHMARKS)."""
BLOCK_ROWS = 1000
"""Rows with accounts, symbols and prices of their own; other rows share these and differ in digits."""
SYMBOLS = ("EURUSD", "GBPUSD", "USDJPY", "XAUUSD", "BTCUSD", "NDX100")
FIRST_POSITION = 400_000_000
POSITION_DIGITS = 9
MARK = "#"
"""Stands for a digit that is set by row."""
DIGITS_BANK = 4093
"""Different sets of digits; prime, so that they meet every row of a block."""
COMMENTS = ("", "[sl]", "[tp]")


class TradePages:
    """The trades of consecutive days, `rows_a_day` each; a row's number counts from the first day on."""

    def __init__(self, first: date, rows_a_day: int) -> None:
        self._first, self._rows_a_day = np.datetime64(first, "D"), rows_a_day
        dice = random.Random(1)
        rows = [_row(dice) for _ in range(BLOCK_ROWS)]
        block = np.frombuffer("".join(rows).encode(), np.uint8).reshape(BLOCK_ROWS, ROW_BYTES + 1).copy()
        template = rows[0]
        self._days = [slice(at, at + 10) for at in range(len(template)) if template.startswith("2000-01-01", at)]
        self._position = _slice_of(template, '"position":"', POSITION_DIGITS)
        self._ticket = _slice_of(template, '"ticket":"', POSITION_DIGITS)
        self._marks = np.flatnonzero(block[0] == ord(MARK))
        assert all(np.array_equal(np.flatnonzero(row == ord(MARK)), self._marks) for row in block)
        self._block = block
        bank = np.random.default_rng(2).integers(0, 10, (DIGITS_BANK, len(self._marks)))
        self._bank = (bank + ord("0")).astype(np.uint8)

    def rows(self, start: int, end: int) -> bytes:
        """Rows `start` … `end` (without it) as they stand in a JSON array, without its brackets."""
        numbers = np.arange(start, end)
        page = self._block[numbers % BLOCK_ROWS]
        page[:, self._marks] = self._bank[numbers % DIGITS_BANK]
        identity = _digits(numbers + FIRST_POSITION, POSITION_DIGITS)
        page[:, self._position] = identity
        page[:, self._ticket] = identity
        for day in range(start // self._rows_a_day, (end - 1) // self._rows_a_day + 1):
            text = np.frombuffer(str(self._first + day).encode(), np.uint8)
            of_day = slice(max(0, day * self._rows_a_day - start), (day + 1) * self._rows_a_day - start)
            for place in self._days:
                page[of_day, place] = text
        return page.tobytes()[:-1]

    def records(self, start: int, end: int) -> list[dict[str, Any]]:
        """The same rows as a client should read them."""
        found: list[dict[str, Any]] = orjson.loads(b"[" + self.rows(start, end) + b"]")
        return found


def _digits(numbers: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    powers = 10 ** np.arange(width - 1, -1, -1)
    return (numbers[:, None] // powers % 10 + ord("0")).astype(np.uint8)


def _slice_of(row: str, before: str, width: int) -> slice:
    start = row.index(before) + len(before)
    return slice(start, start + width)


def _row(dice: random.Random) -> str:
    """A row with MARK where digits go, the day 2000-01-01 where days go, and a comma after it."""
    symbol, side = dice.choice(SYMBOLS), dice.choice(("Buy", "Sell"))
    stop = dice.choice(("null", f"{dice.randint(1000, 9999)}.5"))
    head = (
        f'{{"tradeDate":"2000-01-01T00:00:00.000Z","broker":{dice.randint(1, 5)},"mngr":{dice.randint(1, 4)},'
        f'"platform":{dice.randint(4, 9)},"ticket":"{"0" * POSITION_DIGITS}","position":"{"0" * POSITION_DIGITS}",'
        f'"login":"{dice.randint(250_000, 252_999)}","trdSymbol":"{symbol}","stdSymbol":"{symbol}",'
        f'"lots":{dice.randint(1, 9)}.#,"contractSize":100000.0,"qtyInBaseCrncy":{dice.randint(1, 9)}####.0,'
        f'"volumeUSD":{dice.randint(1, 9)}####.##,"takeProfit":{dice.randint(1000, 9999)}.###,'
        f'"openTime":"2000-01-01T0{dice.randint(0, 9)}:{dice.randint(10, 59)}:1#.###Z",'
        f'"openPrice":{dice.randint(1000, 9999)}.####,'
        f'"closeTime":"2000-01-01T1{dice.randint(0, 9)}:{dice.randint(10, 59)}:2#.###Z",'
        f'"closePrice":{dice.randint(1000, 9999)}.####,"duration":{dice.randint(1, 9)}.####,'
        f'"profit":{dice.choice("-1")}{dice.randint(1, 9)}##.##,"commission":-{dice.randint(1, 9)}.##,'
        f'"fee":0,"swap":-{dice.randint(1, 9)}.#,"client_margin":{dice.randint(10, 99)}.##,'
        f'"firm_margin":{dice.randint(1, 9)}.##,'
    )
    tail = f'"stopLoss":{stop},"side":"{side}","comment":"{dice.choice(COMMENTS)}'
    return f"{head}{tail}".ljust(ROW_BYTES - 2, "x") + '"},'
