"""monitoring/drift: a day's statistics against the reference, with the sums that earlier days of the version left.

Here: from a day's rows and the table's own earlier rows to its rows. What is watched stands in `drift_reference`, how
sums and thresholds come about in `drift_detection`, whose course is drawn anew over all days since the version began to
serve: a day's rows hold its statistics, and nothing else of an earlier day is needed. The first of these days alone has
its sums from before: on it the days go into them that the version could have served and did not (`EARLIER_DAYS`), of
which no row is stored.

A column that is broken on a day is told as such, and says nothing of drift on that day: else the sums of what was
mended since would alarm for weeks.

Limits: the shifts of days that the version did not serve are known on its first day alone, so from the second on a
column is blamed by its shift since the version served. Columns of long memory have no sums (`drift_detection`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.matrix import Floats, floats
from daily_profit_model.monitoring.drift import DayStatistics, Profile
from daily_profit_model.monitoring.drift_blame import Blame, blame, importances
from daily_profit_model.monitoring.drift_breaks import hard_break
from daily_profit_model.monitoring.drift_detection import HORIZON_DAYS, Course, course
from daily_profit_model.monitoring.drift_reference import Watched, group_of, statistics_of, values_of
from daily_profit_model.tables.drift import MONITORING_DRIFT

PAST_DAYS = HORIZON_DAYS - 1
"""Earlier days that a sum goes back to at most: thresholds are made for a course of so many days."""

EARLIER_DAYS = 60
"""Days before the first that a version served that go into its sums at most: as many as a shadow is compared on by
default. What has lasted for two months is in the sums by then, however long ago the reference ended, and what came and
went before is no drift; and each of these days is read anew, which takes tenths of a second."""

PAST_COLUMNS = (
    "prediction_date",
    "kind",
    "column_name",
    "statistic",
    "model_hash",
    "known_rows",
    "value",
    "hard_break",
    "sum_up",
    "sum_down",
    "first_alarm_day",
)
"""What is read of earlier days."""


@dataclass(frozen=True)
class Version:
    """Who scored the day, and what its predictions rest on (the manifest's `mean_absolute_usd`)."""

    version: str
    model_hash: str
    mean_absolute_usd: Mapping[str, float]


def version_of(model: Model) -> Version:
    """As a bundle tells it; a baseline's predictions rest on no feature."""
    return Version(model.version, model.hash, model.manifest["importance"]["mean_absolute_usd"])


@dataclass(frozen=True)
class Left:
    """What a stored day has left to those after it, in the order of `Watched.charts`."""

    up: Floats
    down: Floats
    """The sums after it."""
    first_alarm_days: npt.NDArray[np.datetime64]
    """Since when an alarm stands on it; NaT: none does."""


@dataclass(frozen=True)
class KnownDay:
    """Statistics and known rows of the charts on a day, in the order of `Watched.charts`."""

    day: date
    values: Floats
    """NaN where the day knows nothing: no value, or one of a broken column."""
    rows: Floats
    left: Left | None = None
    """None: there were no thresholds, or the day is no stored one."""


def past_day(rows: pa.Table, watched: Watched, model_hash: str) -> KnownDay | None:
    """An earlier day from its PAST_COLUMNS; None: another version scored it, or other charts were watched."""
    if not rows.num_rows or rows["model_hash"][0].as_py() != model_hash:
        return None
    ordered = rows.sort_by([(name, "ascending") for name in MONITORING_DRIFT.key])
    places = _by_key(watched)
    charts = watched.charts
    stored = zip(*(ordered[name].to_pylist() for name in ("kind", "column_name", "statistic")), strict=True)
    if list(stored) != [charts[place] for place in places]:
        return None
    values, known = np.empty(len(charts)), np.empty(len(charts))
    broken = pc.is_valid(ordered["hard_break"]).to_numpy()
    values[places] = np.where(broken, np.nan, floats(ordered["value"]))
    known[places] = floats(ordered["known_rows"])
    return KnownDay(ordered["prediction_date"][0].as_py(), values, known, _left(ordered, places))


def earlier_day(day: date, rows: Mapping[str, pa.Table | None], watched: Watched) -> KnownDay:
    """A day that the version did not serve, from its rows by kind: what `past_day` gives of one that it served."""
    found = statistics_of(rows, _wanted(watched))
    return _known_day(day, found, _statistics(found, watched))


def drift_rows(
    day: date, rows: Mapping[str, pa.Table | None], watched: Watched, version: Version, past: Sequence[KnownDay]
) -> pa.Table:
    """MONITORING_DRIFT of `day` from its rows by kind and the `past` days of the version, ascending: those that it served,
    or, on the first that it serves, those before it."""
    today = statistics_of(rows, _wanted(watched))
    columns = {"prediction_date": day, "model_version": version.version, "model_hash": version.model_hash}
    told = _statistics(today, watched)
    charted = _charted(_known_day(day, today, told), watched, version, past)
    found = [{**columns, **row, **chart} for row, chart in zip(told, charted, strict=True)]
    made = pa.Table.from_pylist(found, schema=MONITORING_DRIFT.schema())
    return made.sort_by([(name, "ascending") for name in MONITORING_DRIFT.key])


def alarms(rows: pa.Table) -> pa.Table:
    """Rows with an alarm or a hard break, by blame, then by rise."""
    hit = pc.or_(rows["is_alarm"], pc.is_valid(rows["hard_break"]))
    order = [("blame_rank", "ascending"), ("rise", "descending"), ("column_name", "ascending")]
    return rows.filter(hit).sort_by([*order, ("statistic", "ascending")])


def alarmed_columns(rows: pa.Table) -> list[dict[str, Any]]:
    """Columns with an alarm or a hard break, a record each with the row of the statistic that rose most: features by
    blame, then predictions and target."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in alarms(rows).to_pylist():
        found.setdefault((row["kind"], row["column_name"]), row)
    return list(found.values())


def summary(rows: pa.Table) -> dict[str, Any]:
    """Numbers of the day: alarms, columns broken, and the highest sum by its threshold (absent: no threshold)."""
    highest = pc.max(rows["rise"]).as_py()
    broken = rows.filter(pc.is_valid(rows["hard_break"]))
    if not rows.num_rows:
        return {"alarms": 0, "alarmed_columns": 0, "hard_breaks": 0}
    return {
        "alarms": pc.sum(rows["is_alarm"].cast(pa.int64())).as_py() or 0,
        "alarmed_columns": len(set(rows.filter(rows["is_alarm"])["column_name"].to_pylist())),
        "hard_breaks": len(set(broken["column_name"].to_pylist())),
        "model_version": rows["model_version"][0].as_py(),
        **({} if highest is None else {"largest_rise": highest}),
    }


def _wanted(watched: Watched) -> dict[str, list[Profile]]:
    """The columns by kind."""
    return {kind: watched.of_kind(kind) for kind in dict.fromkeys(watched.kinds)}


def _known_day(day: date, found: Sequence[DayStatistics], told: Sequence[Mapping[str, Any]]) -> KnownDay:
    """`told`: the same statistics as rows, which know what is broken."""
    values, known = values_of([found])
    values[0, [row["hard_break"] is not None for row in told]] = np.nan
    return KnownDay(day, values[0], known[0])


def _left(ordered: pa.Table, places: npt.NDArray[np.int64]) -> Left | None:
    """Of a stored day whose rows are those of the charts at `places`."""
    if ordered["sum_up"].null_count:
        return None
    up, down = np.empty(len(places)), np.empty(len(places))
    since = np.empty(len(places), dtype="datetime64[D]")
    up[places], down[places] = floats(ordered["sum_up"]), floats(ordered["sum_down"])
    since[places] = ordered["first_alarm_day"].to_numpy()
    return Left(up, down, since)


def _left_by(past: Sequence[KnownDay], today: date) -> Left | None:
    """The sums of the first of `past`, which may hold days before it; None: they would go back too far for thresholds."""
    if not past or (today - past[0].day).days > PAST_DAYS - EARLIER_DAYS:
        return None
    return past[0].left


def _statistics(today: Sequence[DayStatistics], watched: Watched) -> list[dict[str, Any]]:
    found = []
    for kind, profile, usual, column in zip(watched.kinds, watched.profiles, watched.usual_breaks, today, strict=True):
        broken = hard_break(column, profile) if column.rows else None
        for name, value in zip(profile.statistics, column.values, strict=True):
            found.append(
                {
                    "kind": kind,
                    "column_name": profile.feature,
                    "statistic": name,
                    "rows": column.rows,
                    "known_rows": column.known,
                    "value": _known(value),
                    "hard_break": None if broken in usual else broken,
                    "distance": _known(column.distance),
                }
            )
    return found


def _charted(today: KnownDay, watched: Watched, version: Version, past: Sequence[KnownDay]) -> list[dict[str, Any]]:
    features = watched.of_kind("feature")
    weights = dict(zip([f.feature for f in features], importances(version.mean_absolute_usd, features), strict=True))
    owners = [(kind, column) for kind, column, _ in watched.charts]
    if watched.calibration is None:
        return [
            {"is_alarm": False, "importance": float(weights[column]) if kind == "feature" else None}
            for kind, column in owners
        ]
    days = [*(each.day for each in past), today.day]
    left = _left_by(past, today.day)
    charts = course(
        watched.calibration.standard,
        np.stack([each.values for each in (*past, today)]),
        np.stack([each.rows for each in (*past, today)]),
        np.array([group_of(each) for each in days]),
        None if left is None else (left.up, left.down),
    )
    rises = np.maximum(charts.up, charts.down) / watched.calibration.thresholds
    blamed = _blamed(watched, version, charts)
    found: list[dict[str, Any]] = []
    for place, owner in enumerate(owners):
        since = alarm_since(rises[:, place] > 1)
        found.append(
            {
                "shift": None if np.isnan(today.values[place]) else charts.shift[-1, place],
                "sum_up": charts.up[-1, place],
                "sum_down": charts.down[-1, place],
                "threshold": watched.calibration.thresholds[place],
                "rise": rises[-1, place],
                "is_alarm": since is not None,
                "first_alarm_day": None if since is None else _first_alarm_day(days, since, left, place),
                **blamed[owner],
            }
        )
    return found


def _blamed(watched: Watched, version: Version, charts: Course) -> dict[tuple[str, str], dict[str, Any]]:
    """By column. Features are ranked; a prediction or target that has moved is what they are to be blamed for."""
    assert watched.calibration is not None
    weights = importances(version.mean_absolute_usd, watched.profiles)
    last = len(charts.shift) - 1
    listed = blame(watched.profiles, weights, watched.calibration, charts, last)
    kinds = {profile.feature: kind for kind, profile in zip(watched.kinds, watched.profiles, strict=True)}
    features = [column for column in listed if kinds[column.feature] == "feature"]
    ranks = {column.feature: place for place, column in enumerate(features, start=1)}
    return {(kinds[column.feature], column.feature): _said(column, ranks.get(column.feature)) for column in listed}


def _said(column: Blame, rank: int | None) -> dict[str, Any]:
    said: dict[str, Any] = {"recent_shift": column.shift}
    return (
        said
        if rank is None
        else said | {"importance": column.importance, "blame_score": column.score, "blame_rank": rank}
    )


def alarm_since(above: npt.NDArray[np.bool_]) -> int | None:
    """The place of the first of the days up to the last that are above without a break; None: the last is not."""
    if not above[-1]:
        return None
    below = np.flatnonzero(~above)
    return int(below[-1]) + 1 if len(below) else 0


def _first_alarm_day(days: Sequence[date], since: int, left: Left | None, place: int) -> date:
    """The day at `since`; what stood on the first of `days` may have stood before it."""
    before: date | None = None if left is None or since else left.first_alarm_days[place].item()
    return before or days[since]


def _by_key(watched: Watched) -> npt.NDArray[np.int64]:
    """Places of the charts in the order in which the table stores them."""
    charts = watched.charts
    return np.array(sorted(range(len(charts)), key=lambda place: charts[place]), dtype=np.int64)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
