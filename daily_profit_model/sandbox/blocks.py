"""Ready-made rows: what each endpoint holds for a day, rendered once and kept.

A block is a day's rows (or all accounts') as JSON text beside the columns that requests filter by.
Rows lie in a fixed pseudo-random order, since the service promises none.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from daily_profit_model.sandbox import lifetime, plan_book, rendering, served_metrics, served_trades
from daily_profit_model.sandbox.clock import Clock
from daily_profit_model.sandbox.records import HOUR_MS
from daily_profit_model.sandbox.segments import Ints
from daily_profit_model.sandbox.world import World

Columns = dict[str, NDArray[Any]]
#: Bytes of rendered rows that are kept; hourly metrics of a large firm take 45 MB a day.
KEPT_BYTES: Final = 200_000_000


@dataclass(frozen=True)
class Block:
    """Rendered rows and, for each, the columns to filter by."""

    rows: list[bytes]
    keys: Columns

    @property
    def size(self) -> int:
        """Bytes of the rows."""
        return sum(map(len, self.rows))


class Blocks:
    """The world by day, and the blocks rendered so far (thread-safe through the caller's lock)."""

    def __init__(self, world: World) -> None:
        self.settings = world.settings
        self.register = _register(world)
        self.trades = _columns(world.trades)
        self.open_trades = _columns(world.open_trades)
        self.account_days = _columns(world.account_days)
        self.days = np.unique(self.account_days["day"]).astype(np.int64)
        self._kept: OrderedDict[tuple[Any, ...], Block] = OrderedDict()
        self._bytes = 0

    def _keep(self, key: tuple[Any, ...], make: Callable[[], Block]) -> Block:
        if key not in self._kept:
            self._kept[key] = block = make()
            self._bytes += block.size
            while self._bytes > KEPT_BYTES and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= oldest.size
        self._kept.move_to_end(key)
        return self._kept[key]

    def closed(self, day: int) -> Block:
        """Trades that closed on `day`."""
        return self._keep(("closed", day), lambda: self._trades(self.trades, day, served_trades.closed))

    def opened(self, day: int) -> Block:
        """Positions open at the end of `day`."""
        return self._keep(("open", day), lambda: self._trades(self.open_trades, day, served_trades.opened))

    def daily(self, day: int, clock: Clock) -> Block:
        """Daily metrics of `day` as they stand at the clock."""
        version = clock.corrections_of(day)
        return self._keep(("daily", day, version), lambda: self._daily(day, version))

    def hourly(self, day: int) -> Block:
        """Hourly metrics of `day`."""
        return self._keep(("hourly", day), lambda: self._hourly(day))

    def alltime(self, clock: Clock) -> Block:
        """Every account's life up to the clock."""
        return self._keep(("alltime", clock.last_day), lambda: self._alltime(clock.last_day))

    def accounts(self, clock: Clock) -> Block:
        """Every account's state at the clock: identity and balances."""
        return self._keep(("accounts", clock.last_day), lambda: self._accounts(clock.last_day))

    def _order(self, day: int, count: int, kind: int) -> Ints:
        return np.random.default_rng([self.settings.seed, 6, kind, day]).permutation(count)

    def _trades(self, table: Columns, day: int, render: Callable[[Columns, Columns, Ints], list[bytes]]) -> Block:
        trades = _of_day(table, day)
        order = self._order(day, len(trades["uid"]), 1)
        uid = trades["uid"][order]
        keys = {
            "login": self.register["login"][uid],
            "symbol": trades["symbol"][order],
            "open_day": trades["open_ms"][order] // rendering.MS_A_DAY,
        }
        return Block(render(trades, self.register, order), keys)

    def _daily(self, day: int, version: int) -> Block:
        state = _of_day(self.account_days, day)
        state = {name: values[state["shown"]] for name, values in state.items()}
        # Until a row is corrected it overlooks the day's data fee.
        early = np.where(state["lag"] > version, state["fee"], 0.0)
        state |= {"balance": state["balance"] - early, "equity": state["equity"] - early}
        trades = _of_day(self.trades, day)
        group = np.searchsorted(state["uid"], trades["uid"])
        trades["fee"] = np.where(early[group] != 0, 0.0, trades["fee"])
        return self._metrics_block(day, state, trades, group, {}, 2)

    def _hourly(self, day: int) -> Block:
        trades, state = _of_day(self.trades, day), _of_day(self.account_days, day)
        hour = trades["close_ms"] % rendering.MS_A_DAY // HOUR_MS
        code, group = np.unique(trades["uid"].astype(np.int64) * 24 + hour, return_inverse=True)
        rows = np.searchsorted(state["uid"], code // 24)
        state = {name: values[rows] for name, values in state.items()}
        extra = {"hour": code % 24}
        return self._metrics_block(day, state, trades, group, extra, 3)

    def _metrics_block(
        self, day: int, state: Columns, trades: Columns, group: Ints, extra: Columns, kind: int
    ) -> Block:
        uid, register = state["uid"], self.register
        day_column = np.full(len(uid), day)
        columns = served_metrics.identity(register, uid, state["status"])
        columns["date"] = rendering.days(day_column)
        if extra:
            instant = day_column * rendering.MS_A_DAY + extra["hour"] * HOUR_MS
            columns["datetime"] = rendering.moments(instant)
            columns["hour"] = rendering.numbers(extra["hour"])
        columns |= served_metrics.balances(register, state) | served_metrics.payouts(state)
        columns |= served_metrics.timeline(register, uid, day_column)
        columns |= served_metrics.statistics(
            served_metrics.trades_of(trades, register, group, len(uid)),
            register["starting_balance"][uid],
            state["prior_balance"],
            state["prior_equity"],
        )
        return self._block(columns, uid, extra, self._order(day, len(uid), kind))

    def _state_at(self, last_day: int) -> Columns:
        """The last account day up to `last_day` of every account opened by then."""
        seen = int(np.searchsorted(self.account_days["day"], last_day, side="right"))
        uid = self.account_days["uid"][:seen]
        last = np.full(len(self.register["login"]), -1)
        last[uid] = np.arange(seen)
        return {name: values[last[last >= 0]] for name, values in self.account_days.items()}

    def _alltime(self, last_day: int) -> Block:
        state, register = self._state_at(last_day), self.register
        uid, start = state["uid"], register["starting_balance"][state["uid"]]
        stop = int(np.searchsorted(self.trades["day"], last_day, side="right"))
        trades = {name: values[:stop] for name, values in self.trades.items()}
        inputs = served_metrics.trades_of(trades, register, np.searchsorted(uid, trades["uid"]), len(uid))
        seen = int(np.searchsorted(self.account_days["day"], last_day, side="right"))
        by_account = np.argsort(self.account_days["uid"][:seen], kind="stable")
        history = {name: values[:seen][by_account] for name, values in self.account_days.items()}
        columns = served_metrics.identity(register, uid, state["status"])
        columns |= served_metrics.balances(register, state)
        columns |= served_metrics.timeline(register, uid, state["day"])
        columns |= lifetime.times(inputs, register["opened"][uid], last_day)
        columns |= served_metrics.statistics(inputs, start, start, state["equity"])
        columns |= served_metrics.write(lifetime.fields(history, uid, start))
        return self._block(columns, uid, {}, self._order(last_day, len(uid), 4))

    def _accounts(self, last_day: int) -> Block:
        state = self._state_at(last_day)
        columns = served_metrics.identity(self.register, state["uid"], state["status"])
        columns |= served_metrics.balances(self.register, state)
        return self._block(columns, state["uid"], {}, self._order(last_day, len(state["uid"]), 5))

    def _block(self, columns: dict[str, list[bytes]], uid: Ints, extra: Columns, order: Ints) -> Block:
        rows = rendering.rows(columns)
        names = ("login", "account_id", "type", "phase", "broker", "platform", "trader_id")
        keys = {name: self.register[name][uid] for name in names} | extra
        return Block([rows[at] for at in order.tolist()], {name: key[order] for name, key in keys.items()})


def _columns(table: pa.Table) -> Columns:
    return {name: table[name].to_numpy() for name in table.column_names}


def _of_day(table: Columns, day: int) -> Columns:
    """The rows of one day; tables lie in order of days."""
    begin, end = np.searchsorted(table["day"], [day, day + 1])
    return {name: values[begin:end] for name, values in table.items()}


def _register(world: World) -> Columns:
    """The register as columns, with what other endpoints look up beside it."""
    table = world.accounts
    names = (
        "login",
        "platform",
        "broker",
        "mngr",
        "type",
        "phase",
        "price_stream",
        "country",
        "starting_balance",
        "plan_id",
    )
    register: Columns = {name: table[name].to_numpy(zero_copy_only=False) for name in names}
    register["account_id"] = np.array(table["account_id"].to_pylist(), dtype=object)
    traders = [f"T{trader:06d}" for trader in table["trader"].to_pylist()]
    register["trader_id"] = np.array(traders, dtype=object)
    register["opened"] = table["opened"].cast(pa.int32()).to_numpy().astype(np.int64)
    leverage = np.array([plan.leverage for plan in plan_book.book()], dtype=np.float64)
    register["leverage"] = leverage[table["plan_row"].to_numpy()]
    first = np.full(table.num_rows, np.iinfo(np.int64).max)
    uid, day = world.trades["uid"].to_numpy(), world.trades["open_ms"].to_numpy() // rendering.MS_A_DAY
    np.minimum.at(first, uid, day)
    register["first_trade"] = np.where(first == np.iinfo(np.int64).max, -1, first)
    return register
