"""Which days teach, which stop, which calibrate and which judge a model.

Here: splits and walk-forward folds over *target dates*, never over rows (PITFALLS L7). What happens on
the days of a split belongs to training and evaluation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

Days = tuple[date, ...]


@dataclass(frozen=True)
class SplitSettings:
    """Sizes in days that have targets. A history too short for them is divided by the shares instead."""

    train_days: int | None = None
    """The most recent days to learn from; None: all that remain."""
    validation_days: int = 14
    calibration_days: int = 28
    test_days: int = 28
    embargo_days: int = 1
    """Days left out on both sides of validation. A row of target day T has features of T-1, so one
    day already puts every feature of a later part after every target of the earlier one; more days
    also separate what late corrections and slow streaks would tie together."""
    smallest_train_days: int = 21
    smallest_part_days: int = 7
    """At least one whole week to stop, to calibrate and to judge on: days of a week differ."""
    validation_share: float = 0.12
    calibration_share: float = 0.12
    test_share: float = 0.12

    @property
    def days_needed(self) -> int:
        return self.smallest_train_days + 3 * self.smallest_part_days + 2 * self.embargo_days


@dataclass(frozen=True)
class Split:
    """Target dates by use, each sorted and disjoint: train | embargo | validation | embargo | rest."""

    train: Days
    validation: Days
    calibration: Days
    test: Days
    embargo: Days = ()


@dataclass(frozen=True)
class Fold:
    """One walk-forward step: learn on `train`, judge on `test`, which lies wholly after it."""

    train: Days
    test: Days
    embargo: Days = ()


def split_by_date(dates: Iterable[date], settings: SplitSettings) -> Split:
    """The split of the distinct target `dates`, newest days last.

    Raises ValueError in one line that says how many days are needed when there are too few.
    """
    days = sorted(set(dates))
    if len(days) < settings.days_needed:
        raise ValueError(
            f"{len(days)} days with targets are too few to train on: "
            f"{settings.days_needed} are needed ({settings.smallest_train_days} to train, "
            f"3 x {settings.smallest_part_days} to stop, calibrate and test, "
            f"2 x {settings.embargo_days} embargo)"
        )
    gap = settings.embargo_days
    validation_days, calibration_days, test_days = _sizes(len(days) - 2 * gap, settings)
    test_from = len(days) - test_days
    calibration_from = test_from - calibration_days
    validation_to = calibration_from - gap
    validation_from = validation_to - validation_days
    train_to = validation_from - gap
    train_from = 0 if settings.train_days is None else max(0, train_to - settings.train_days)
    return Split(
        train=tuple(days[train_from:train_to]),
        validation=tuple(days[validation_from:validation_to]),
        calibration=tuple(days[calibration_from:test_from]),
        test=tuple(days[test_from:]),
        embargo=tuple(days[train_to:validation_from] + days[validation_to:calibration_from]),
    )


def _sizes(days: int, settings: SplitSettings) -> list[int]:
    """The days of validation, calibration and test.

    As wanted, but at most their shares of a short history, at least a week, and never so much that
    training falls below its least.
    """
    least = settings.smallest_part_days
    spare = days - settings.smallest_train_days - 3 * least
    wanted = (settings.validation_days, settings.calibration_days, settings.test_days)
    shares = (settings.validation_share, settings.calibration_share, settings.test_share)
    return [
        max(least, min(size, int(share * days), least + int(spare * share / sum(shares))))
        for size, share in zip(wanted, shares, strict=True)
    ]


def walk_forward(dates: Iterable[date], folds: int, embargo_days: int = 1, test_days: int | None = None) -> list[Fold]:
    """`folds` growing training windows, each followed by an embargo and its own test days, oldest first.

    Test parts are disjoint and adjacent; each holds `test_days` (default: the history divided by
    folds + 1). Raises ValueError when there are too few days.
    """
    days = sorted(set(dates))
    size = test_days if test_days is not None else len(days) // (folds + 1)
    needed = folds * size + embargo_days + 1
    if folds < 1 or size < 1 or len(days) < needed:
        raise ValueError(
            f"{len(days)} days are too few for {folds} walk-forward folds: {max(needed, folds + 1)} are needed"
        )
    steps = []
    for number in range(folds):
        test_from = len(days) - (folds - number) * size
        train_to = test_from - embargo_days
        steps.append(
            Fold(
                train=tuple(days[:train_to]),
                test=tuple(days[test_from : test_from + size]),
                embargo=tuple(days[train_to:test_from]),
            )
        )
    return steps
