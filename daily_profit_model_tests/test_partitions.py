"""The calendars: days, weekly cut-offs and ranges of days."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from daily_profit_model.partitions import contiguous_ranges, correction_window, days_between, weekly_cut_offs

DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))
SPANS = st.integers(-40, 400)
FEW = settings(max_examples=60, derandomize=True, deadline=None)


@given(first=DAYS, span=SPANS)
@FEW
def test_days_between_are_all_days_once_with_both_ends(first: date, span: int) -> None:
    last = first + timedelta(days=span)
    days = days_between(first, last)
    assert len(days) == max(span + 1, 0)
    assert days == sorted(set(days))
    if days:
        assert (days[0], days[-1]) == (first.isoformat(), last.isoformat())


@given(first=DAYS, span=SPANS)
@FEW
def test_weekly_cut_offs_are_the_sundays_among_the_days(first: date, span: int) -> None:
    last = first + timedelta(days=span)
    sundays = [day for day in days_between(first, last) if date.fromisoformat(day).isoweekday() == 7]
    assert weekly_cut_offs(first, last) == sundays


@given(offsets=st.lists(st.integers(0, 60), max_size=30))
@FEW
def test_ranges_hold_exactly_the_given_days_and_are_as_long_as_can_be(offsets: list[int]) -> None:
    start = date(2024, 2, 20)  # a leap day lies within
    days = [(start + timedelta(days=offset)).isoformat() for offset in offsets]
    ranges = contiguous_ranges(days)
    bounds = [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in ranges]
    assert [day for first, last in bounds for day in days_between(first, last)] == sorted(set(days))
    for (_, last), (following, _) in pairwise(bounds):
        assert (following - last).days > 1


@given(newest=DAYS, count=st.integers(0, 30))
@FEW
def test_the_correction_window_is_the_days_before_the_newest_one(newest: date, count: int) -> None:
    window = correction_window(newest, count)
    assert len(window) == count
    assert [*window, newest.isoformat()] == days_between(newest - timedelta(days=count), newest)


def test_no_days_make_no_ranges() -> None:
    assert contiguous_ranges([]) == []


def test_a_leap_day_is_a_day() -> None:
    assert days_between(date(2024, 2, 28), date(2024, 3, 1)) == ["2024-02-28", "2024-02-29", "2024-03-01"]
