"""Who is told that a partition was stored, or how far a long one is. Runs show it; nothing depends on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[str, str, int], None]
"""Called with table, partition and rows."""

_listeners: list[Listener] = []
_readers: list[Callable[[str], None]] = []


def stored(table: str, partition: str, rows: int) -> None:
    for listener in _listeners:
        listener(table, partition, rows)


def say(line: str) -> None:
    """Tell in a line how far a partition is that takes long."""
    for reader in _readers:
        reader(line)


@contextmanager
def reading(reader: Callable[[str], None]) -> Iterator[None]:
    """`reader` gets every line that is told meanwhile."""
    _readers.append(reader)
    try:
        yield
    finally:
        _readers.remove(reader)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """`listener` hears of every partition that this process stores."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
