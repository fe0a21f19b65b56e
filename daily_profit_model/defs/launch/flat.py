"""Nested values as lines for people: the names on the way to each single value, and the value in a cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

LISTED = 12
"""More values than this are told as their number; --json has them all."""


def flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The values in nested mappings, by the names on the way to them."""
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from flat(below, f"{name} {key}".strip())
    else:
        yield name, value


def cell(value: Any) -> str:
    """A value as text; of a list of many, or of mappings, how many there are."""
    if value is None:
        return "–"
    if isinstance(value, list) and (len(value) > LISTED or any(isinstance(item, Mapping) for item in value)):
        return f"{len(value)} of them: --json"
    if isinstance(value, list):
        return ", ".join(map(cell, value))
    return f"{value:,.4f}" if isinstance(value, float) else str(value)
