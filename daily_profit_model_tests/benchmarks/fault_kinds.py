"""What happens to feeds: ways to spoil the rows of a table's day. Where each is planted stands in `fault_catalogue`."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

Rows = list[dict[str, Any]]
Where = Callable[[Mapping[str, Any]], object]

PAGE = 1 / 3
"""Share of a day's rows in one page of the service, as it cuts a day of this size into three."""

NEARLY_ALL = 0.97


class NothingToSpoil(Exception):
    """The day has no row that the fault could be planted in."""


@dataclass
class Spoiled:
    """A day of a table while it is spoiled: its rows, those of the day before, and counts that its footer will claim
    beside the true ones."""

    day: date
    rows: Rows
    before: Rows
    draw: random.Random
    facts: dict[str, Any] = field(default_factory=dict)
    received: int = 0
    """What the footer says was received, before."""


Kind = Callable[[Spoiled], None]
"""Spoils the day that it is handed. Raises NothingToSpoil."""


def chosen(spoiled: Spoiled, size: float, where: Where) -> list[int]:
    """Places of the rows that a fault of `size` hits: so many rows (int), or the share (float) of those `where`."""
    places = [place for place, row in enumerate(spoiled.rows) if where(row)]
    count = size if isinstance(size, int) else max(1, round(size * len(places)))
    if len(places) < count:
        raise NothingToSpoil
    return sorted(spoiled.draw.sample(places, int(count)))


def anything(_: Mapping[str, Any]) -> bool:
    """Any row."""
    return True


def has(column: str) -> Where:
    """Rows in which the column is a number other than zero, or a text."""
    return lambda row: bool(row[column])


def changed(size: float, change: Callable[[dict[str, Any]], Mapping[str, Any]], where: Where = anything) -> Kind:
    """So many of the rows `where` say what `change` returns of them."""

    def kind(spoiled: Spoiled) -> None:
        for place in chosen(spoiled, size, where):
            row = spoiled.rows[place]
            spoiled.rows[place] = {**row, **change(row)}

    return kind


def said(column: str, value: object, size: float, where: Where = anything) -> Kind:
    """The column holds one value."""
    return changed(size, lambda _: {column: value}, where)


def nulled(column: str, size: float) -> Kind:
    """The column is null."""
    return said(column, None, size, lambda row: row[column] is not None)


def scaled(column: str, factor: float, size: float) -> Kind:
    """The column is in another unit, or has the other sign."""
    return changed(size, lambda row: {column: row[column] * factor}, has(column))


def added(column: str, amount: Any, size: float, where: Where | None = None) -> Kind:
    """The column is off by an amount: a number, or a time."""
    return changed(size, lambda row: {column: row[column] + amount}, where or (lambda row: row[column] is not None))


def swapped(one: str, other: str, size: float) -> Kind:
    """Two columns stand in one another's place."""
    return changed(size, lambda row: {one: row[other], other: row[one]}, lambda row: row[one] != row[other])


def respelt(column: str, size: float, spell: Callable[[str], str] = str.lower) -> Kind:
    """A label is written in another way."""
    return changed(
        size, lambda row: {column: spell(row[column])}, lambda row: row[column] and spell(row[column]) != row[column]
    )


def constant(column: str) -> Kind:
    """The column says of all rows what it says of one."""

    def kind(spoiled: Spoiled) -> None:
        values = sorted({row[column] for row in spoiled.rows if row[column] is not None})
        said(column, values[len(values) // 2], 1.0, lambda row: row[column] is not None)(spoiled)

    return kind


def lost(size: float, where: Where = anything) -> Kind:
    """Rows are gone, and the service says that there are no more."""

    def kind(spoiled: Spoiled) -> None:
        gone = set(chosen(spoiled, size, where))
        spoiled.rows = [row for place, row in enumerate(spoiled.rows) if place not in gone]

    return kind


def page_lost(order: str, size: float = PAGE) -> Kind:
    """A page is gone: rows that stand together in `order`."""

    def kind(spoiled: Spoiled) -> None:
        rows = sorted(spoiled.rows, key=lambda row: str(row[order]))
        if len(rows) < 3:
            raise NothingToSpoil
        first = len(rows) // 3
        spoiled.rows = rows[:first] + rows[first + round(size * len(rows)) :]

    return kind


def twice(size: float, **differing: object) -> Kind:
    """Rows are there once more, but for what differs."""

    def kind(spoiled: Spoiled) -> None:
        again = [{**spoiled.rows[place], **differing} for place in chosen(spoiled, size, anything)]
        spoiled.rows = [*spoiled.rows, *again]

    return kind


def frozen(day_column: str, moved: Sequence[str] = ()) -> Kind:
    """Yesterday once more under today's date; `moved`: days and instants that are today's."""

    def kind(spoiled: Spoiled) -> None:
        if not spoiled.before:
            raise NothingToSpoil
        spoiled.rows = [
            {
                **row,
                day_column: spoiled.day,
                **{name: row[name] + timedelta(days=1) for name in moved if row[name] is not None},
            }
            for row in spoiled.before
        ]

    return kind


def new_row(**values: object) -> Kind:
    """One more row, which is another's but for `values`."""
    return twice(1, **values)


def counted(**facts: object) -> Kind:
    """The footer claims other counts than the file has."""
    return lambda spoiled: spoiled.facts.update(facts)


def uncounted(size: float) -> Kind:
    """Rows are gone between the answer and the file: the footer counts them as received."""

    def kind(spoiled: Spoiled) -> None:
        spoiled.facts["received"] = spoiled.received
        lost(size)(spoiled)

    return kind


def swollen(share: float) -> Kind:
    """So many of the received rows were rejected, and are counted as such."""

    def kind(spoiled: Spoiled) -> None:
        lost(share)(spoiled)
        spoiled.facts["quarantined"] = max(1, round(share * len(spoiled.rows) / (1 - share)))

    return kind
