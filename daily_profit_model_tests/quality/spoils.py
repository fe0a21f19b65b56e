"""Ways to spoil a day of the small firm, and what a fault is. The faults themselves stand in `faults`. No tests here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from daily_profit_model_tests.quality.small_firm import Day, Spoil


@dataclass(frozen=True)
class Fault:
    """A spoiled day, and who must notice."""

    table: str
    rule: str
    says: str
    spoil: Spoil
    also: tuple[str, ...] = ()
    """Further rules that see it, each by a statement that others stand for."""


def changed(table: str, /, **values: object) -> Spoil:
    """The first row of `table` says something else."""

    def spoil(day: Day) -> None:
        day.rows[table][0] = {**day.rows[table][0], **values}

    return spoil


def all_changed(table: str, /, **values: object) -> Spoil:
    """Every row of `table` says something else."""

    def spoil(day: Day) -> None:
        day.rows[table] = [{**row, **values} for row in day.rows[table]]

    return spoil


def added(table: str, /, **values: object) -> Spoil:
    """One more row of `table`, with the standing of the first and otherwise empty."""

    def spoil(day: Day) -> None:
        first = day.rows[table][0]
        kept = ("date", "broker", "status", "phase", "plan_id", "starting_balance", "hour", "is_live")
        stranger = {"platform": 5, "login": "800", "account_id": "a8"}
        day.rows[table].append({name: first.get(name) for name in kept} | stranger | values)

    return spoil


def both(*spoils: Spoil) -> Spoil:
    """Several at once."""

    def spoil(day: Day) -> None:
        for each in spoils:
            each(day)

    return spoil


def removed(table: str) -> Spoil:
    """The last row of `table` is gone."""

    def spoil(day: Day) -> None:
        day.rows[table].pop()

    return spoil


def shifted(table: str, column: str, /, **by: float) -> Spoil:
    """An instant of the first row lies earlier or later."""

    def spoil(day: Day) -> None:
        row = day.rows[table][0]
        day.rows[table][0] = {**row, column: row[column] + timedelta(**by)}

    return spoil


def repeated(table: str) -> Spoil:
    """The first row of `table` is there twice."""

    def spoil(day: Day) -> None:
        day.rows[table].append(day.rows[table][0])
        day.facts[table] = {}

    return spoil


def counted(table: str, **facts: object) -> Spoil:
    """The footer of `table` says something else."""

    def spoil(day: Day) -> None:
        day.facts[table] = dict(facts)

    return spoil
