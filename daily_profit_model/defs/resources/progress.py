"""Who is told that a partition was stored. Long runs show it; nothing depends on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[str, str, int], None]
"""Called with table, partition and rows."""

_listeners: list[Listener] = []


def stored(table: str, partition: str, rows: int) -> None:
    for listener in _listeners:
        listener(table, partition, rows)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """`listener` hears of every partition that this process stores."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
