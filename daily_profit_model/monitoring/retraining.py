"""When the champion is to be trained anew, and what a person is told of drift and degradation.

Here: conditions as functions of the rows of monitoring/drift and monitoring/degradation and of days; no clock is read,
days are predicted days. Who asks when belongs to the graph.

A confirmed alarm is a row with `is_alarm`: a cumulative sum above a threshold that days without a change cross with a
known small chance over all columns together. Of features only those count that move predictions and are no function of
the date: a model of less than a year meets its first October as something new. A hard break does not count: a column in
another unit asks for a repair, and a model that has learnt it would be wrong twice.

Cut-offs are weekly. A training follows an alarm if its cut-off does not lie before the alarm's first day; so an alarm of
a Wednesday waits for the cut-off of the coming Sunday and is followed on Monday. While it stands another training
follows after each cool-down, since the first may not have brought a better version.

Limit: a version's newest days judge and calibrate it (`modeling.splits`, up to ten weeks of a long history), and its
boosters learn from those before. A version trained soon after a change knows it from its calibration alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import pyarrow as pa

from daily_profit_model.features.families.calendar import CALENDAR
from daily_profit_model.monitoring.drift_table import alarmed_columns

Source = Literal["drift", "degradation"]

OF_THE_DATE = frozenset(feature.name for feature in CALENDAR)
"""Features that the calendar alone decides: no training makes them other than they are."""

LEAST_IMPORTANCE = 0.0
"""Share in the importance of all features; one that has none moves no prediction, so its drift does no harm."""


@dataclass(frozen=True)
class Alarm:
    """A confirmed alarm that stands on its `day`."""

    source: Source
    day: date
    first_day: date
    """Since when, without a break."""
    kind: str
    """`feature`, `prediction`, `target`; of degradation `loss`."""
    name: str
    """Column and statistic, or the measure."""
    version: str
    """The model that scored the day, whose alarm it is."""
    model_hash: str

    @property
    def words(self) -> str:
        """For a tag or a reason: since when, and what."""
        return f"{self.first_day} {self.kind} {self.name}"


@dataclass(frozen=True)
class Retraining:
    """A cut-off to be trained, and the alarms for which."""

    cutoff: str
    alarms: tuple[Alarm, ...]


def confirmed_drift(rows: pa.Table) -> list[Alarm]:
    """The standing alarms of a day of monitoring/drift that `count`, one a column, named by the statistic that rose most
    and dated by the one that alarmed first; the longest alarm comes first."""
    since: dict[tuple[str, str], date] = {}
    for row in rows.filter(rows["is_alarm"]).to_pylist():
        column, first = (row["kind"], row["column_name"]), row["first_alarm_day"]
        since[column] = min(first, since.get(column, first))
    found = [row for row in alarmed_columns(rows) if counts(row)]
    dated = [{**row, "first_alarm_day": since[row["kind"], row["column_name"]]} for row in found]
    return sorted((_alarm("drift", row, row["kind"], _statistic(row)) for row in dated), key=_by_first_day)


def counts(row: Mapping[str, Any]) -> bool:
    """Whether a row of monitoring/drift asks for a training: a confirmed alarm of a prediction, of the target, or of a
    feature that moves predictions; neither broken, nor a function of the date."""
    if not row["is_alarm"] or row["hard_break"] is not None:
        return False
    return row["kind"] != "feature" or (row["importance"] > LEAST_IMPORTANCE and row["column_name"] not in OF_THE_DATE)


def confirmed_degradation(rows: pa.Table) -> list[Alarm]:
    """The standing alarms of a day of monitoring/degradation, one a measure: that since when, first."""
    found = rows.filter(rows["is_alarm"]).to_pylist()
    return sorted((_alarm("degradation", row, "loss", row["measure"]) for row in found), key=_by_first_day)


def retraining_for(
    alarms: Sequence[Alarm],
    *,
    cut_offs: Sequence[str],
    trained: Collection[str],
    asked: str | None,
    cooldown_days: int,
) -> Retraining | str:
    """The newest cut-off to be trained for what stands, or in one line why none is.

    `cut_offs`: those whose outcomes are known, ascending; `trained`: those with a version, or with one on its way;
    `asked`: the newest that was asked for because of an alarm and has not failed. Between two such cut-offs lie `cooldown_days` at least;
    0: never ask.
    """
    if cooldown_days == 0:
        return "training because of alarms is switched off: DPM_RETRAIN_COOLDOWN_DAYS is 0"
    if not alarms:
        return "no alarm of drift or degradation stands"
    newest = max(cut_offs, default="")
    seen = tuple(alarm for alarm in alarms if alarm.first_day.isoformat() <= newest)
    if not seen:
        return f"no cut-off since the alarm of {alarms[0].words} is known yet: the newest is {newest or 'none'}"
    if newest in trained:
        return f"the version of {newest} is there or on its way, and there is no newer cut-off yet"
    if asked is not None and newest < (until := _plus(asked, cooldown_days)):
        return f"cool-down: {asked} was trained because of an alarm, the next such cut-off is that of {until} or later"
    return Retraining(newest, seen)


def _alarm(source: Source, row: dict[str, object], kind: str, name: str) -> Alarm:
    day, first = row["prediction_date"], row["first_alarm_day"]
    assert isinstance(day, date)
    assert isinstance(first, date)  # the tables' rules hold it where there is an alarm
    return Alarm(source, day, first, kind, name, str(row["model_version"]), str(row["model_hash"]))


def _statistic(row: dict[str, object]) -> str:
    return f"{row['column_name']} {row['statistic']}"


def _by_first_day(alarm: Alarm) -> tuple[date, str, str]:
    return alarm.first_day, alarm.kind, alarm.name


def _plus(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
