"""How many values JSON lines hold, by counting tokens: ten times faster than parsing them.

With it `decode` knows that nothing was left out of what it read: an unknown field, a text where a number belongs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BLOCK = 2**16
"""Bytes that are looked at together: they and what is computed from them stay in the processor's cache."""
QUOTE, COLON, SPACE, NULL, TRUE, FALSE = (ord(character) for character in '": ntf')


def values_in(lines: bytes) -> int | None:
    """How many fields of the records in JSON lines hold a value other than null; None where that takes parsing.

    It is right where keys and colons stand together, no text holds a quote, and no value is true or false.
    """
    if b"\\" in lines:
        return None
    text = np.frombuffer(lines, np.uint8)
    values = 0
    last = max(0, len(text) - 3)  # a key's last quote has at least a colon, a value and a brace after it
    for start in range(0, last, BLOCK):
        found = _values_of_block(text[start : min(start + BLOCK, last) + 3])
        if found is None:
            return None
        values += found
    return values


def _values_of_block(text: npt.NDArray[np.uint8]) -> int | None:
    """Values whose key's last quote lies in the block, but not in the three bytes that stand behind it."""
    quote, after = text[:-3] == QUOTE, text[1:-2]
    if np.any(quote & (after <= SPACE)):
        return None
    colons = np.flatnonzero(quote & (after == COLON)) + 1
    first = text[colons + 1]
    spaces = first == SPACE
    if spaces.any():
        if not spaces.all():
            return None
        first = text[colons + 2]
    if np.any((first == TRUE) | (first == FALSE) | (first <= SPACE)):
        return None
    return len(colons) - int(np.count_nonzero(first == NULL))
