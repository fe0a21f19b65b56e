"""Single values of files (plans, regimes) from their text: instants, numbers, flags.

For the few records of files; the many rows of the API are read set-based by `rows_sql`.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta

from daily_profit_model.risk_api.rows_sql import LARGEST, LARGEST_INT

CUTOFF = time(6, 0, tzinfo=UTC)
"""When a day's knowledge ends, on the next day (DESIGN.md)."""

_FORMS = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y", "%Y%m%d%H%M%S", "%Y%m%d")


class UnreadableValue(ValueError):
    """A value that is there but is not what its column says."""


def cutoff(day: date) -> datetime:
    """The last instant whose knowledge counts for `day`: 06:00 UTC of the next day."""
    return datetime.combine(day + timedelta(days=1), CUTOFF)


def instant(value: object) -> datetime | None:
    """A UTC instant from any documented form; null for a blank."""
    text = _text(value)
    if text is None:
        return None
    for form in _FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UnreadableValue(text) from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def number(value: object) -> float | None:
    """A finite number of a size that makes sense, from a number or its text; null for a blank."""
    text = _text(value)
    if text is None:
        return None
    try:
        found = float(text)
    except ValueError:
        raise UnreadableValue(text) from None
    if not math.isfinite(found) or abs(found) > LARGEST:
        raise UnreadableValue(text)
    return found


def whole(value: object) -> int | None:
    """A whole number, also when written with zeros after the point."""
    found = number(value)
    if found is None:
        return None
    if found != math.floor(found) or abs(found) > LARGEST_INT:
        raise UnreadableValue(str(value))
    return int(found)


def flag(value: object) -> bool | None:
    """0 or 1, also as decimals or in words; null for a blank."""
    text = _text(value)
    if text is None:
        return None
    words = {"true": True, "false": False, "yes": True, "no": False}
    if text.lower() in words:
        return words[text.lower()]
    found = number(text)
    if found not in (0.0, 1.0):
        raise UnreadableValue(text)
    return found == 1.0


def label(value: object) -> str | None:
    """Text with single spaces and none around it; null for a blank."""
    text = _text(value)
    return None if text is None else " ".join(text.split())


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, dict | list):
        raise UnreadableValue(str(value)[:100])
    text = str(value).strip()
    return text or None
