"""A future that is nothing like the true one: rows that are valid, and absurd. Where they appear belongs to `view`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.features.audit.logins import ACCOUNT

LINKS = frozenset({
    "date", "hour", "account_id", "login", "platform", "broker", "plan_id", "trader_id", "first_seen_date",
    "position", "ticket",
})  # fmt: skip
"""Columns by which rows are joined over days and tables: they stay, so that whoever looks for later rows finds them."""

ABSURD = 7_654_321.0
STRANGERS = 3
"""Rows that are added, of accounts (or plans, logins) that there never were."""
LOST = 3
"""One row in so many is gone; a table with no more rows than that keeps them."""
MOVED_MS = 86_400_000
"""Times move by a day."""


def poisoned(rows: pa.Table) -> pa.Table:
    """`rows` as they never were: other numbers, texts, flags and times, a third of the rows gone, strangers added.

    Every value is of its column's type, also where there was none.
    """
    changed = _absurd_rows(rows)
    strange = _strangers(changed)
    if rows.num_rows > LOST:
        changed = changed.filter(pa.array(np.arange(rows.num_rows) % LOST != 0))
    return pa.concat_tables([changed, strange])


def poisoned_identities(rows: pa.Table, are_asked: npt.NDArray[np.bool_]) -> pa.Table:
    """`rows` of a later snapshot poisoned, less what may be learnt of it: whose the logins are that `are_asked`.

    Of the others every other one is gone and the next one's login is its account's, so that neither accounts nor
    logins, nor how many there are, is as it was.
    """
    gone, left = _parted(are_asked)
    changed = _absurd_rows(rows)
    if ACCOUNT in rows.column_names:
        owners = np.arange(rows.num_rows)
        owners[left] = gone[: len(left)]
        changed = changed.set_column(
            rows.column_names.index(ACCOUNT), rows.schema.field(ACCOUNT), rows[ACCOUNT].take(owners)
        )
    return _exchanged(changed, gone)


def thinned(rows: pa.Table, are_asked: npt.NDArray[np.bool_]) -> pa.Table:
    """`rows` of a day's own snapshot that was taken later: every other one for which nobody asks is gone.

    The others are as they were: who owns a login on the day may be told by other rows of the day too.
    """
    gone, _ = _parted(are_asked)
    return _exchanged(rows, gone)


def identities(rows: pa.Table, names: tuple[str, ...]) -> pa.Table:
    """`rows` with the columns `names` alone; all else is null."""
    return pa.table(
        [
            rows[field.name] if field.name in names else pa.nulls(rows.num_rows, field.type).cast(field.type)
            for field in rows.schema
        ],
        schema=rows.schema,
    )


def _absurd_rows(rows: pa.Table) -> pa.Table:
    return pa.table([_absurd(rows[name], name) for name in rows.column_names], schema=rows.schema)


def _absurd(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray | pa.Array:
    if name in LINKS:
        return column
    for is_kind, change in _CHANGES:
        if is_kind(column.type):
            return change(column).cast(column.type)
    return column


def _numbers(column: pa.ChunkedArray) -> pa.Array:
    return pa.array(np.where(_is_even(column), ABSURD, -ABSURD) + np.arange(len(column)))


def _counts(column: pa.ChunkedArray) -> pa.Array:
    """Every other one is another: were all of them, a status that all have would look like one that none has."""
    known = np.asarray(pc.fill_null(column, 0))
    # 1, 2 and 3 change places: they are the phases and the statuses that the service knows
    turned = np.where(known == 3, 1, np.where((known == 1) | (known == 2), known + 1, known + 1000))
    return pa.array(np.where(_is_even(column), turned, known))


def _flags(column: pa.ChunkedArray) -> pa.Array:
    return pa.array(_is_even(column) ^ np.asarray(pc.fill_null(column, False)))


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """Every value replaced by the next of those that occur, so that it stays one that may occur."""
    values = sorted(value for value in pc.unique(column).to_pylist() if value is not None)
    if len(values) < 2:
        return pa.repeat(pa.scalar("poisoned", column.type), len(column))
    place = pc.index_in(column, pa.array(values, column.type))
    following = pa.array([*values[1:], values[0]], column.type)
    return pc.take(following, pc.fill_null(place, 0))


def _nested(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Everybody's is that of the next row."""
    return pc.take(column, pa.array(np.roll(np.arange(len(column)), -1)))


def _moments(column: pa.ChunkedArray) -> pa.ChunkedArray:
    as_ms = column.cast(pa.timestamp("ms")).cast(pa.int64())
    return pc.add(pc.fill_null(as_ms, 0), MOVED_MS).cast(pa.timestamp("ms"))


def _instants(column: pa.ChunkedArray) -> pa.ChunkedArray:
    as_ms = column.cast(pa.timestamp("ms", tz="UTC")).cast(pa.int64())
    return pc.add(pc.fill_null(as_ms, 0), MOVED_MS).cast(pa.timestamp("ms", tz="UTC"))


def _is_even(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    is_even: npt.NDArray[np.bool_] = np.arange(len(column)) % 2 == 0
    return is_even


def _is_instant(kind: pa.DataType) -> bool:
    return pa.types.is_timestamp(kind) and kind.tz is not None


Change = Callable[[pa.ChunkedArray], pa.ChunkedArray | pa.Array]
_CHANGES: tuple[tuple[Callable[[pa.DataType], bool], Change], ...] = (
    (pa.types.is_floating, _numbers),
    (pa.types.is_integer, _counts),
    (pa.types.is_boolean, _flags),
    (pa.types.is_string, _texts),
    (pa.types.is_nested, _nested),
    (_is_instant, _instants),
    (pa.types.is_temporal, _moments),
)


def _parted(are_asked: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Places of the rows that go and of those that stay, by turns, among those for which nobody asks."""
    others = np.flatnonzero(~are_asked)
    return others[::2], others[1::2]


def _exchanged(rows: pa.Table, gone: npt.NDArray[np.intp]) -> pa.Table:
    """`rows` without those at the places `gone`, with strangers, and not as many as before."""
    stays = np.ones(rows.num_rows, dtype=bool)
    stays[gone] = False
    strange = _strangers(rows)
    return pa.concat_tables([rows.filter(pa.array(stays)), strange.slice(int(strange.num_rows == len(gone)))])


def _strangers(rows: pa.Table) -> pa.Table:
    """Rows like the first ones, under names that nobody has; none where no text names a row."""
    named = [field.name for field in rows.schema if field.name in LINKS and pa.types.is_string(field.type)]
    first = rows.slice(0, STRANGERS if named else 0)
    for name in named:
        strange = pa.array([f"stranger-{place}" for place in range(first.num_rows)], first.schema.field(name).type)
        first = first.set_column(first.column_names.index(name), first.schema.field(name), strange)
    return first
