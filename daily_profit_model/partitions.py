"""The calendars: which days and cut-offs exist. Dagster's partition definitions are made from them in defs."""

from __future__ import annotations

from datetime import date, timedelta

WEEKLY_CUT_OFF_WEEKDAY = 6
"""Sunday: a weekly cut-off closes the ISO week, so that training has every day of it."""


def days_between(first: date, last: date) -> list[str]:
    """Every day from `first` to `last`, both included, as ISO texts; empty when last < first."""
    return [(first + timedelta(days=offset)).isoformat() for offset in range((last - first).days + 1)]


def weekly_cut_offs(first: date, last: date) -> list[str]:
    """The Sundays from `first` to `last`, both included, as ISO texts."""
    ahead = (WEEKLY_CUT_OFF_WEEKDAY - first.weekday()) % 7
    start = first + timedelta(days=ahead)
    return [day for index, day in enumerate(days_between(start, last)) if index % 7 == 0]


def first_cut_off(start: date, training_days: int) -> date:
    """The first weekly cut-off that has `training_days` days of history from `start` on before it."""
    earliest = start + timedelta(days=training_days)
    return date.fromisoformat(weekly_cut_offs(earliest, earliest + timedelta(days=6))[0])


def correction_window(newest: date, days: int) -> list[str]:
    """The `days` days before the newest complete one, as ISO texts: what the service says of them may still change."""
    return days_between(newest - timedelta(days=days), newest - timedelta(days=1))


def contiguous_ranges(days: list[str]) -> list[tuple[str, str]]:
    """The given days (any order) as maximal runs of consecutive days, ascending, ends included."""
    ranges: list[tuple[str, str]] = []
    for day in sorted(set(days)):
        if ranges and date.fromisoformat(ranges[-1][1]) + timedelta(days=1) == date.fromisoformat(day):
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return ranges
