"""A day of a column in a few numbers: where its values lie in the reference, how many are null, zero, new.

Here: the profile of a column from the sketch that a model bundle stores (`modeling.reference`), and the statistics of a
day against it, one pass over the day's rows. Which statistics of which days are too far off is `drift_detection`'s
business, which are broken on the day itself `drift_breaks`', who is to blame `drift_blame`'s.

A number is read as its place in the reference: the cell between two percentiles (or the tie on one) that it falls into.
All statistics of places are functions of the counts of cells, so a day is sorted once, as float32, and then 101
percentiles are looked up in it instead of a million values among percentiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.matrix import EncodedFeature, FeatureKind, Floats, encoded_column
from daily_profit_model.modeling.reference import LEVELS, share_distance

OF_NUMBERS = ("location", "scale", "lower_tail", "upper_tail", "null_share", "zero_share")
"""Mean place minus a half (-0.5 to 0.5); mean distance of places from the day's own mean place (0 to 0.5, 0.25 where the
day is like the reference and has no ties); shares of known values below the 5th and above the 95th percentile, of nulls
among rows, of zeros among known values."""

OF_CATEGORIES = ("null_share", "new_share")
"""Shares of nulls among rows and of unknown categories among known values, before a share for each of MOST_CATEGORIES."""

MOST_CATEGORIES = 10
"""The commonest categories have a statistic of their own; a shift among rarer ones shows in theirs together."""

TAIL = 0.05
"""Of the reference, on each side."""

THREADS = 2
"""Sorting lets other threads run; more than the two cores of a small worker gain nothing."""


@dataclass(frozen=True)
class Profile:
    """What a column looked like while the model learnt."""

    feature: str
    kind: FeatureKind
    type: str = "double"
    """Arrow type, as in the model's encoding."""
    quantiles: tuple[float, ...] = ()
    """At `reference.LEVELS`; of a category none."""
    categories: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    missing_share: float = 0.0

    @cached_property
    def knots(self) -> Floats:
        """Distinct percentiles, ascending; 2 x knots + 1 cells lie below, on and between them, and above."""
        return np.unique(np.array(self.quantiles))

    @cached_property
    def cell_shares(self) -> Floats:
        """Of the reference's known values. A tie holds the percentiles that it spans, each gap one of them."""
        ties = np.unique(np.array(self.quantiles), return_counts=True)[1]
        cells = np.zeros(2 * len(ties) + 1)
        cells[1::2] = (ties - 1) / (len(LEVELS) - 1)
        cells[2:-1:2] = 1 / (len(LEVELS) - 1)
        return cells

    @cached_property
    def cell_places(self) -> Floats:
        """The place of a cell's values: half of the cell included, as `reference.ranks` counts ties."""
        upto = np.cumsum(self.cell_shares)
        places: Floats = upto - self.cell_shares / 2
        return places

    @cached_property
    def commonest(self) -> tuple[int, ...]:
        """Codes of the categories that have a statistic of their own."""
        order = np.argsort(-np.array(self.shares), kind="stable")[:MOST_CATEGORIES]
        return tuple(int(code) for code in np.sort(order))

    @property
    def statistics(self) -> tuple[str, ...]:
        """Names of the statistics of a day, in the order of `DayStatistics.values`."""
        if self.kind != "category":
            return OF_NUMBERS
        return (*OF_CATEGORIES, *(f"share of {self.categories[code]}" for code in self.commonest))

    @cached_property
    def row_variances(self) -> Floats:
        """Of a single row's contribution to each statistic; NaN for a share, where it follows from the share itself."""
        found = np.full(len(self.statistics), np.nan)
        if self.kind != "category":
            shares, places = self.cell_shares, self.cell_places
            for at, values in enumerate((places, np.abs(places - 0.5))):
                found[at] = shares @ values**2 - (shares @ values) ** 2
        return found


@dataclass(frozen=True)
class DayStatistics:
    """A column on one day."""

    feature: str
    rows: int
    known: int
    values: Floats
    """As `Profile.statistics` names them; NaN where no value is known."""
    distance: float
    """From the reference, 0 equal to 1 apart: the largest difference of the two distribution functions
    (Kolmogorov-Smirnov), of a category half the sum of the absolute differences of shares. To look at: on one day a
    market alone moves it."""
    negative_share: float = np.nan
    """Of known values that are not zero; NaN without any."""
    magnitude: float = np.nan
    """The larger absolute value of the 10 and 90 % quantiles of values that are not zero."""
    is_constant: bool = False
    """All known values, at least two, are one and the same."""


def profiles(reference: pa.Table, encoding: Sequence[EncodedFeature]) -> list[Profile]:
    """A profile a feature from a bundle's sketch (`reference.SCHEMA`) and encoding, both in the model's order."""
    return [
        Profile(
            feature=row["feature"],
            kind=feature.kind,
            type=feature.type,
            quantiles=tuple(row["quantiles"]),
            categories=feature.categories,
            shares=tuple(row["shares"]),
            missing_share=row["missing_share"],
        )
        for row, feature in zip(reference.to_pylist(), encoding, strict=True)
    ]


def profile_of_numbers(feature: str, values: npt.NDArray[np.float32]) -> Profile:
    """The profile of a column that no bundle holds (predictions, outcomes) from its values on reference days."""
    known = values[~np.isnan(values)].astype(np.float64)
    quantiles = tuple(np.quantile(known, LEVELS)) if len(known) else ()
    missing = 1 - len(known) / len(values) if len(values) else 0.0
    return Profile(feature, "numeric", "float", quantiles, missing_share=missing)


def day_statistics(rows: pa.Table, wanted: Sequence[Profile]) -> list[DayStatistics]:
    """The statistics of one day's rows (a column a profile), in the order of `wanted`; at least one row.

    Raises ValueError without rows, ModelMismatchError or KeyError when a column is missing.
    """
    if not rows.num_rows:
        raise ValueError("a day without rows has no statistics")

    def of(profile: Profile) -> DayStatistics:
        return (
            _of_category(rows[profile.feature], profile) if profile.kind == "category" else _of_numbers(rows, profile)
        )

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(of, wanted))


def _of_numbers(rows: pa.Table, profile: Profile) -> DayStatistics:
    feature = EncodedFeature(profile.feature, profile.kind, profile.type)
    ordered = np.sort(encoded_column(rows, feature))
    known = ordered[: len(ordered) - int(np.isnan(ordered).sum())]
    if not len(known) or not len(profile.knots):
        values = np.full(len(OF_NUMBERS), np.nan)
        values[OF_NUMBERS.index("null_share")] = 1 - len(known) / len(ordered)
        return DayStatistics(profile.feature, len(ordered), len(known), values, np.nan)
    counts = cell_counts(known, profile)
    below_zero, upto_zero = (int(np.searchsorted(known, np.float32(0), side=side)) for side in ("left", "right"))
    zeros = upto_zero - below_zero
    other = len(known) - zeros
    shares = counts / len(known)
    return DayStatistics(
        feature=profile.feature,
        rows=len(ordered),
        known=len(known),
        values=statistics_of_counts(counts, len(ordered), zeros, profile),
        distance=float(np.abs(np.cumsum(shares - profile.cell_shares)).max()),
        negative_share=below_zero / other if other else np.nan,
        magnitude=_magnitude(known, below_zero, zeros),
        is_constant=len(known) > 1 and bool(known[0] == known[-1]),
    )


def cell_counts(ordered: npt.NDArray[np.float32], profile: Profile) -> npt.NDArray[np.int64]:
    """How many of the known values (ascending) fall into each of the profile's cells."""
    knots = profile.knots.astype(np.float32)
    edges = np.empty(2 * len(knots) + 2, dtype=np.int64)
    edges[0], edges[-1] = 0, len(ordered)
    edges[1:-1:2] = np.searchsorted(ordered, knots, side="left")
    edges[2:-1:2] = np.searchsorted(ordered, knots, side="right")
    return np.diff(edges)


def statistics_of_counts(
    counts: npt.NDArray[np.int64], rows: npt.ArrayLike, zeros: npt.ArrayLike, profile: Profile
) -> Floats:
    """... x OF_NUMBERS from ... x cells (known values, at least one), rows with nulls, and zeros."""
    known = counts.sum(axis=-1)
    shares = counts / known[..., None]
    places = profile.cell_places
    centre = shares @ places
    found = (
        centre - 0.5,
        (shares * np.abs(places - centre[..., None])).sum(axis=-1),
        shares @ (places < TAIL),
        shares @ (places > 1 - TAIL),
        1 - known / np.asarray(rows),
        np.asarray(zeros) / known,
    )
    return np.stack(np.broadcast_arrays(*found), axis=-1)


def _magnitude(ordered: npt.NDArray[np.float32], below_zero: int, zeros: int) -> float:
    other = len(ordered) - zeros
    if not other:
        return float("nan")
    places = (np.array([0.1, 0.9]) * (other - 1)).astype(np.int64)
    ends = ordered[np.where(places < below_zero, places, places + zeros)]
    return float(np.abs(ends).max())


def _of_category(column: pa.ChunkedArray, profile: Profile) -> DayStatistics:
    known = len(column) - column.null_count
    codes = pc.index_in(column.cast(pa.string()), value_set=pa.array(profile.categories, pa.string()), skip_nulls=True)
    seen = codes.drop_null().to_numpy()
    counts = np.bincount(seen, minlength=len(profile.categories)).astype(np.float64)
    shares = counts / known if known else np.full(len(counts), np.nan)
    values = [1 - known / len(column), 1 - len(seen) / known if known else np.nan, *shares[list(profile.commonest)]]
    with_new = np.append(shares, values[1])
    distance = share_distance(with_new, np.append(np.array(profile.shares), 0.0))
    return DayStatistics(profile.feature, len(column), known, np.array(values), distance)
