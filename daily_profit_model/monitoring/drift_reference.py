"""What is watched for a version: its columns, and how their statistics vary from day to day while nothing drifts.

Here: the columns (features, predictions, target), the statistics of the days that the version was trained from, and
the thresholds that follow, as one table that can be kept. The days that are judged stand in `drift_table`.

Percentiles of a feature are the bundle's (learning days). How much days differ is taken from all days of the version's
training set, which end before it serves. Predictions are compared with those on its held-out days: on days that it
learnt from it says other things.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.cache import source_version
from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.matrix import Floats, floats
from daily_profit_model.modeling.scoring import score
from daily_profit_model.monitoring.drift import (
    DayStatistics,
    Profile,
    day_statistics,
    profile_of_numbers,
    profiles,
)
from daily_profit_model.monitoring.drift_breaks import Break, hard_break
from daily_profit_model.monitoring.drift_detection import FEWEST_DAYS, Calibration, calibrate
from daily_profit_model.monitoring.drift_standard import Groups, Standard

CODE_VERSION = source_version(__name__, np.__version__, pa.__version__)
"""Of everything that `watched_table` runs. Taken at import: a file edited later is not the code that runs."""

PREDICTED = ("predicted_median", "predicted_mean", "predicted_width", "predicted_probability_trade")
"""Of the uncalibrated scores, which the version alone decides; width is that of its 90 % interval. USD but the last."""

TARGET = "target_net_profit"

KINDS_OF_DAYS = (3, 0, 0, 0, 0, 1, 2)
"""Group of a predicted day, by its weekday from Monday: working days after one, Saturday, Sunday, and Monday, whose
features are Sunday's. What is usual on one kind is none on another."""

Columns = Mapping[str, Sequence[Profile]]
"""By kind (`feature`, `prediction`, `target`)."""


@dataclass(frozen=True)
class Watched:
    """The columns of a version, features first, and their charts: one a statistic, column after column."""

    kinds: tuple[str, ...]
    profiles: tuple[Profile, ...]
    usual_breaks: tuple[frozenset[Break], ...]
    """What no break of a column is, since days of the reference had it: a market's feature is constant every day."""
    calibration: Calibration | None
    """None: below drift_detection.FEWEST_DAYS reference days."""

    @property
    def charts(self) -> list[tuple[str, str, str]]:
        """(kind, column, statistic) of each chart."""
        found = zip(self.kinds, self.profiles, strict=True)
        return [(kind, profile.feature, name) for kind, profile in found for name in profile.statistics]

    def of_kind(self, kind: str) -> list[Profile]:
        return [profile for own, profile in zip(self.kinds, self.profiles, strict=True) if own == kind]


def group_of(day: date) -> int:
    return KINDS_OF_DAYS[day.weekday()]


def prediction_columns(scores: pa.Table) -> pa.Table:
    """PREDICTED from rows of predictions/model_scores."""
    width = floats(scores["q95"]) - floats(scores["q05"])
    values = (scores["median"], scores["mean"], pa.array(width), scores["probability_trade"])
    return pa.table(dict(zip(PREDICTED, values, strict=True)))


def target_column(net_profit: pa.ChunkedArray) -> pa.Table:
    """TARGET from the net profits of a day, without those that are not known."""
    return pa.table({TARGET: net_profit.drop_null()})


def statistics_of(rows: Mapping[str, pa.Table | None], columns: Columns) -> list[DayStatistics]:
    """The statistics of a day, kind by kind; of a kind without rows they are not known."""
    found: list[DayStatistics] = []
    for kind, wanted in columns.items():
        own = rows.get(kind)
        found += day_statistics(own, wanted) if own is not None and own.num_rows else map(_unknown, wanted)
    return found


def values_of(days: Sequence[Sequence[DayStatistics]]) -> tuple[Floats, Floats]:
    """Values and known rows of days in order, days x charts."""
    values = np.array([np.concatenate([column.values for column in day]) for day in days])
    rows = np.array([np.concatenate([np.full(len(c.values), float(c.known)) for c in day]) for day in days])
    return values, rows


def watched_table(model: Model, training: pa.Table) -> pa.Table:
    """What `watched_of` reads: a row a chart. `training`: training/account_daily of the model's cut-off.

    Seeded: equal inputs give equal bits. Takes seconds: thresholds are simulated (`drift_detection`).
    """
    held_out = date.fromisoformat(model.manifest["split"]["calibration"]["from"])
    rows = training.sort_by([("target_date", "ascending"), ("account_id", "ascending")])
    scored = score(model, rows.filter(pc.greater_equal(rows["target_date"], pa.scalar(held_out, pa.date32()))))
    columns = _columns(model, scored, rows)
    by_day = dict(_by_day(rows, "target_date"))
    scored_by_day = dict(_by_day(scored, "prediction_date"))
    days = sorted(by_day)
    made = [_reference_day(day, by_day, scored_by_day, columns) for day in days]
    wanted = [profile for of_kind in columns.values() for profile in of_kind]
    calibration = None
    if len(days) >= FEWEST_DAYS:
        variances = np.concatenate([profile.row_variances for profile in wanted])
        groups: Groups = np.array([group_of(day) for day in days])
        calibration = calibrate(*values_of(made), variances, groups, alike(made, wanted))
    kinds = tuple(kind for kind, of_kind in columns.items() for _ in of_kind)
    usual = tuple(
        frozenset(found for day in made if (found := hard_break(day[place], profile)))
        for place, profile in enumerate(wanted)
    )
    return _table(Watched(kinds, tuple(wanted), usual, calibration))


def alike(days: Sequence[Sequence[DayStatistics]], profiles: Sequence[Profile]) -> Groups:
    """A number of each chart, its own but for columns that have one value on most days, as a market's: whether that lies
    in a tail is all or none, and tells nothing of how slowly it moves."""
    numbers: list[int] = []
    for place, profile in enumerate(profiles):
        constant = sum(hard_break(day[place], profile) == "constant" for day in days)
        first = max(numbers, default=-1) + 1
        own = [first] if 2 * constant > len(days) else range(first, first + len(profile.statistics))
        numbers += np.resize(own, len(profile.statistics)).tolist()
    return np.array(numbers)


def _columns(model: Model, scored: pa.Table, rows: pa.Table) -> Columns:
    predicted = prediction_columns(scored)
    target = target_column(rows["target_net_profit"])
    return {
        "feature": profiles(model.table("reference"), model.encoding),
        "prediction": [_profile(name, predicted) for name in PREDICTED],
        "target": [_profile(TARGET, target)],
    }


def _profile(name: str, rows: pa.Table) -> Profile:
    return profile_of_numbers(name, floats(rows[name]).astype(np.float32))


def _reference_day(
    day: date, rows: Mapping[date, pa.Table], scored: Mapping[date, pa.Table], columns: Columns
) -> list[DayStatistics]:
    before = rows.get(day - timedelta(days=1))
    own = {
        "feature": rows[day],
        "prediction": prediction_columns(scored[day]) if day in scored else None,
        "target": None if before is None else target_column(before["target_net_profit"]),
    }
    return statistics_of(own, columns)


def _unknown(profile: Profile) -> DayStatistics:
    return DayStatistics(profile.feature, 0, 0, np.full(len(profile.statistics), np.nan), np.nan)


def _by_day(rows: pa.Table, column: str) -> Iterator[tuple[date, pa.Table]]:
    """Rows that are sorted by day, day by day."""
    days: npt.NDArray[np.int32] = rows[column].cast(pa.int32()).to_numpy()
    found, first = np.unique(days, return_index=True)
    for day, start, end in zip(found, first, [*first[1:], len(days)], strict=True):
        yield date(1970, 1, 1) + timedelta(days=int(day)), rows.slice(start, end - start)


_NUMBERS = pa.list_(pa.float64())
CALIBRATION_FIELDS = (
    ("threshold", pa.float64()),
    ("mean", _NUMBERS),
    ("between", _NUMBERS),
    ("row_variance", pa.float64()),
    ("is_share", pa.bool_()),
    ("correlation", pa.float64()),
)
"""A chart's threshold and standard (`mean` and `between` by group of days); all null: too few reference days."""
SCHEMA = pa.schema(
    [
        ("kind", pa.string()),
        ("column_name", pa.string()),
        ("statistic", pa.string()),
        ("feature_kind", pa.string()),
        ("type", pa.string()),
        ("quantiles", _NUMBERS),
        ("categories", pa.list_(pa.string())),
        ("shares", _NUMBERS),
        ("missing_share", pa.float64()),
        ("usual_breaks", pa.list_(pa.string())),
        *CALIBRATION_FIELDS,
    ]
)
"""Of `watched_table`: a row a chart, in the charts' order; what is a column's stands in each of its rows."""


def _table(watched: Watched) -> pa.Table:
    rows: list[dict[str, Any]] = []
    for kind, profile, usual in zip(watched.kinds, watched.profiles, watched.usual_breaks, strict=True):
        for name in profile.statistics:
            rows.append(
                {
                    "kind": kind,
                    "column_name": profile.feature,
                    "statistic": name,
                    "feature_kind": profile.kind,
                    "type": profile.type,
                    "quantiles": profile.quantiles,
                    "categories": profile.categories,
                    "shares": profile.shares,
                    "missing_share": profile.missing_share,
                    "usual_breaks": sorted(usual),
                }
            )
    if watched.calibration is not None:
        for row, told in zip(rows, calibration_records(watched.calibration), strict=True):
            row |= told
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def calibration_records(calibration: Calibration) -> list[dict[str, Any]]:
    """CALIBRATION_FIELDS of each chart."""
    standard = calibration.standard
    return [
        {
            "threshold": threshold,
            "mean": standard.mean[:, 0, place],
            "between": standard.between[:, 0, place],
            "row_variance": standard.row_variance[place],
            "is_share": bool(standard.is_share[place]),
            "correlation": standard.correlation[0, place],
        }
        for place, threshold in enumerate(calibration.thresholds)
    ]


def watched_of(table: pa.Table) -> Watched:
    """What `watched_table` holds."""
    kinds, found, usual = [], [], []
    last = None
    for row in table.to_pylist():
        if (row["kind"], row["column_name"]) == last:
            continue
        last = (row["kind"], row["column_name"])
        kinds.append(row["kind"])
        usual.append(frozenset(row["usual_breaks"]))
        found.append(
            Profile(
                row["column_name"],
                row["feature_kind"],
                row["type"],
                tuple(row["quantiles"]),
                tuple(row["categories"]),
                tuple(row["shares"]),
                row["missing_share"],
            )
        )
    return Watched(tuple(kinds), tuple(found), tuple(usual), calibration_of(table))


def calibration_of(table: pa.Table) -> Calibration | None:
    """What CALIBRATION_FIELDS hold, a row a chart; None: nothing."""
    if not table.num_rows or table["threshold"].null_count:
        return None
    mean, between = (np.array(table[name].to_pylist(), dtype=np.float64).T[:, None, :] for name in ("mean", "between"))
    standard = Standard(
        mean,
        between,
        floats(table["row_variance"]),
        table["is_share"].to_numpy(),
        floats(table["correlation"])[None, :],
    )
    return Calibration(standard, floats(table["threshold"]))
