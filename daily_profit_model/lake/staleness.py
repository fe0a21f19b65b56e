"""Whether a partition still says what its inputs say now. Deciding what to run belongs to the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from daily_profit_model.lake.footer_hash import content_hash_of
from daily_profit_model.lake.lake import AsKnown, Lake, PartitionFile

Derived = Callable[[str], str | None]
"""Answers, for a partition, the hash of an input that is no one file."""


@dataclass(frozen=True)
class Change:
    """One input (or the code) of a partition that is not what it was when the partition was written."""

    what: str
    then: str | None
    now: str | None


def changes_since_written(
    file: PartitionFile, current_hash: Callable[[str, str], str | None], code_version: str
) -> list[Change]:
    """What differs from when `file` was written; an empty list means it is up to date.

    `current_hash(table, partition)` answers an input's content hash now (None: it is absent).
    """
    changes = []
    if file.code_version != code_version:
        changes.append(Change("code", file.code_version, code_version))
    for name, then in file.inputs.items():
        table, _, partition = name.rpartition("@")
        now = current_hash(table, partition)
        if now != then:
            changes.append(Change(name, then, now))
    return changes


def input_table(table: str, as_known: AsKnown) -> str:
    """How a footer names the table of an input, with the choice of revision where it matters."""
    if as_known == "cut-off":
        return table
    return f"{table}#{as_known.isoformat() if isinstance(as_known, datetime) else as_known}"


def _as_known(choice: str) -> AsKnown:
    if not choice:
        return "cut-off"
    return "newest" if choice == "newest" else datetime.fromisoformat(choice)


class HashLookup:
    """Content hashes by (table, partition), each footer read once.

    `derived`: inputs that are no one file, such as who is in force on a day, by the name that footers have for them
    (`table#choice`); each answers its own hash for a partition.
    """

    def __init__(self, lake: Lake, derived: Mapping[str, Derived] | None = None) -> None:
        self._lake = lake
        self._derived = derived or {}
        self._known: dict[tuple[str, str], str | None] = {}

    def learn(self, table: str, partition: str, content_hash: str) -> None:
        """Take over the hash of a partition that was just written."""
        self._known[(table, partition)] = content_hash

    def __call__(self, table: str, partition: str) -> str | None:
        name, _, choice = table.partition("#")
        key = (table, partition)
        if key not in self._known and table in self._derived:
            self._known[key] = self._derived[table](partition)
        elif key not in self._known:
            path = self._lake.file(name, partition, _as_known(choice))
            self._known[key] = None if path is None else content_hash_of(path, name, partition)
        return self._known[key]
