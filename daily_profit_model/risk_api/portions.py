"""Which rows are read together: pages cut into parts when they cannot be read whole, doubtful rows in portions.

How rows are read belongs to `first_look` and `second_look`; `decode` leads from one to the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from daily_profit_model.risk_api.envelope import rows_in
from daily_profit_model.risk_api.first_look import Part, Place

BYTES_LOOKED_AT = 2 * 2**20
"""JSON that is read field by field at once: enough to be worth the planning, little enough for memory."""
PART_ROWS = 50
"""Rows of a part of a page, when the page cannot be read at once."""

Doubtful = tuple[Place, bytes]
"""Where a row stands, and the row."""


def divided(page: Part) -> list[Part]:
    """The parts of a page of which each is tried; none where that is not worth it."""
    number, _, lines = page
    rows = lines.splitlines(keepends=True)
    if len(rows) <= PART_ROWS:
        return []
    return [(number, at, b"".join(rows[at : at + PART_ROWS])) for at in range(0, len(rows), PART_ROWS)]


def rows_of(part: Part) -> list[Doubtful]:
    """The rows of a part, each with its place."""
    page, first, lines = part
    return [((page, place), row) for place, row in enumerate(rows_in(lines), start=first + 1)]


def portions(doubtful: Sequence[Doubtful]) -> Iterator[list[Doubtful]]:
    """Doubtful rows, so many at a time that reading them fits into memory."""
    portion: list[Doubtful] = []
    size = 0
    for place, row in doubtful:
        portion.append((place, row))
        size += len(row)
        if size >= BYTES_LOOKED_AT:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion
