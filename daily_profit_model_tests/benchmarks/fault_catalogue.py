"""The form of a planted fault, and all of them. Those of the raw tables stand in `fault_catalogue_raw`, those of what is
made from them in `fault_catalogue_made`; how rows are spoiled stands in `fault_kinds`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from daily_profit_model_tests.benchmarks.fault_kinds import Kind

ONE = 1
FIFTH, PART, HALF, ALL = 0.2, 0.3, 0.5, 1.0


@dataclass(frozen=True)
class Fault:
    """One way to spoil a table's day, and what a rule must name that sees it."""

    table: str
    kind: str
    """Name of the kind, as the figures are told by it."""
    column: str
    """The column that is wrong; empty: rows or footers are."""
    size: str
    spoil: Kind
    names: tuple[str, ...] = ()
    """Other words for the column."""


def of(table: str, kind: str, *faults: tuple[str, float | str, Kind], names: Iterable[str] = ()) -> list[Fault]:
    """Faults of one kind: column, size and how it is planted."""
    return [Fault(table, kind, column, _size(size), spoil, tuple(names)) for column, size, spoil in faults]


def _size(size: float | str) -> str:
    if isinstance(size, str):
        return size
    return f"{size} row" if isinstance(size, int) else f"{size:.0%} of rows"
