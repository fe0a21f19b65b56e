"""Splits are by target date, disjoint, in order, with an embargo on both sides of validation."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daily_profit_model.modeling.splits import SplitSettings, split_by_date, walk_forward

DAYS = [date(2024, 1, 1) + timedelta(days=i) for i in range(400)]


def test_no_date_lies_in_two_splits_and_features_never_reach_into_the_next_split_L7() -> None:
    rows = [day for day in DAYS[:120] for _ in range(7)]  # seven accounts a day, in any order
    split = split_by_date(rows[::-1], SplitSettings())
    parts = (split.train, split.validation, split.calibration, split.test)
    everything = [day for part in (*parts, split.embargo) for day in part]
    assert sorted(everything) == DAYS[:120]
    assert len(set(everything)) == len(everything)
    for earlier, later in pairwise(parts):
        assert max(earlier) < min(later)
    for earlier, later in ((split.train, split.validation), (split.validation, split.calibration)):
        first_feature_day = min(later) - timedelta(days=1)
        assert first_feature_day > max(earlier), "a feature day of the later part is a target day of the earlier"


def test_too_few_days_are_refused_with_the_number_that_is_needed() -> None:
    settings = SplitSettings()
    with pytest.raises(ValueError, match=f"43 days.*{settings.days_needed} are needed"):
        split_by_date(DAYS[:43], settings)
    assert len(split_by_date(DAYS[: settings.days_needed], settings).test) == settings.smallest_part_days


def test_a_long_history_gets_the_sizes_asked_for_and_the_newest_training_days() -> None:
    split = split_by_date(DAYS, SplitSettings(train_days=200, embargo_days=5))
    assert [len(p) for p in (split.train, split.validation, split.calibration, split.test)] == [
        200,
        14,
        28,
        28,
    ]
    assert len(split.embargo) == 10
    assert split.train[-1] == DAYS[400 - 28 - 28 - 5 - 14 - 5 - 1]


@given(st.integers(20, 400), st.integers(0, 10), st.integers(1, 90), st.integers(1, 5))
def test_every_split_is_ordered_disjoint_and_whole(days: int, embargo: int, least: int, step: int) -> None:
    settings = SplitSettings(embargo_days=embargo, smallest_train_days=least)
    dates = DAYS[:days:step]  # with holes
    if len(dates) < settings.days_needed:
        with pytest.raises(ValueError, match="are needed"):
            split_by_date(dates, settings)
        return
    split = split_by_date(dates, settings)
    joined = [*split.train, *split.validation, *split.calibration, *split.test]
    assert joined == sorted(set(joined))
    assert sorted([*joined, *split.embargo]) == sorted(dates)
    assert len(split.embargo) == 2 * embargo
    assert min(map(len, (split.validation, split.calibration, split.test))) >= settings.smallest_part_days
    assert len(split.train) >= settings.smallest_train_days


@given(st.integers(30, 200), st.integers(1, 6), st.integers(0, 5))
def test_walk_forward_tests_each_day_once_and_after_its_training(days: int, folds: int, embargo: int) -> None:
    if days < folds * (days // (folds + 1)) + embargo + 1:
        with pytest.raises(ValueError, match="are needed"):
            walk_forward(DAYS[:days], folds, embargo)
        return
    steps = walk_forward(DAYS[:days], folds, embargo)
    tested = [day for step in steps for day in step.test]
    assert tested == DAYS[days - len(tested) : days]
    for step in steps:
        assert (min(step.test) - max(step.train)).days == embargo + 1
        assert step.train[0] == DAYS[0]


def test_walk_forward_refuses_more_folds_than_days() -> None:
    with pytest.raises(ValueError, match="4 days are too few for 5 walk-forward folds: 6 are needed"):
        walk_forward(DAYS[:4], 5, 0)
