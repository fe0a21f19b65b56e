"""Make the next thing while the present one is used. What is made is the caller's."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def one_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, each made in a thread of its own while the one before is used: two of them are there at once.

    What making an item raises is raised where the item would have come.
    """
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, items, _END)
        while not isinstance(item := coming.result(), _End):
            coming = pool.submit(next, items, _END)
            yield item


class _End:
    """Stands after the last item."""


_END = _End()
