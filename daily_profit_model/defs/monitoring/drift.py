"""The monitoring layer, on drift: each morning's features and predictions against what the champion learnt from, and
its newest losses against those of the days that it was judged on.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache, partial
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.cache import Cache
from daily_profit_model.defs.calendars import day_before, look_back
from daily_profit_model.defs.monitoring.own_past import Inputs, Kept, OwnPast
from daily_profit_model.defs.monitoring.report import report_path, windows, write_html
from daily_profit_model.defs.monitoring.watched_days import YESTERDAY, DaysBeforeService, rows_of_day
from daily_profit_model.defs.predictions.lineage import model_behind
from daily_profit_model.defs.resources.lake_io import Made
from daily_profit_model.defs.resources.plots import plot_metadata
from daily_profit_model.defs.table_asset import on, table_asset
from daily_profit_model.engine import Source
from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.lake import Lake, read
from daily_profit_model.modeling.contracts import MODEL_SCORES
from daily_profit_model.modeling.shadow_contracts import SHADOW_SCORES
from daily_profit_model.monitoring.drift_table import EARLIER_DAYS
from daily_profit_model.settings import Settings
from daily_profit_model.tables import Table
from daily_profit_model.tables.drift import MONITORING_DEGRADATION, MONITORING_DRIFT
from daily_profit_model.tables.monitoring import MONITORING_OUTCOMES
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY

DRAWN_DAYS = 60
"""Days that the picture of drift shows."""

REPORTED_DAYS = 28
"""Days before that Evidently's page draws a day against: four whole weeks."""

BLAMED = 10
"""Columns that the metadata list."""

BLAME_COLUMNS = (
    *("kind", "column_name", "statistic", "rise", "first_alarm_day", "hard_break"),
    *("recent_shift", "importance", "blame_rank"),
)

EXPECTING_DAYS = 60
"""Before D, whose errors and widths tell the error to be expected: two months, as long as markets stay alike."""


def _own_past(table: Table) -> Source:
    """The day before, by which a blocked day blocks the next; the inputs name every day that was read."""
    return Source(table, first=-1, last=-1, is_own_past=True)


@table_asset(
    MONITORING_DRIFT,
    code_version="3",
    deps=[
        on(FEATURE_SNAPSHOTS, look_back(EARLIER_DAYS + 1)),
        on(MODEL_SCORES, look_back(EARLIER_DAYS + 1)),
        on(SHADOW_SCORES, look_back(EARLIER_DAYS, last=-1)),
        on(MONITORING_OUTCOMES, look_back(EARLIER_DAYS + 1, last=-1)),
        on(MONITORING_DRIFT, day_before()),
    ],
    required_resource_keys={"lake", "settings"},
)
def drift(context: dg.AssetExecutionContext) -> Made:
    from daily_profit_model.monitoring.drift_reference import CODE_VERSION, watched_of, watched_table
    from daily_profit_model.monitoring.drift_table import (
        PAST_COLUMNS,
        PAST_DAYS,
        KnownDay,
        drift_rows,
        past_day,
        version_of,
    )

    lake: Lake = context.resources.lake
    settings: Settings = context.resources.settings
    inputs: dict[str, Inputs] = {}
    metadata: dict[str, dict[str, object]] = {}
    past: OwnPast[KnownDay] = OwnPast(lake, MONITORING_DRIFT, PAST_COLUMNS, PAST_DAYS)
    unserved = DaysBeforeService(lake)
    watched_by = Kept(lake, Cache(settings.cache_dir), watched_table, watched_of, CODE_VERSION)

    def days() -> Iterator[tuple[str, pa.Table]]:
        for day in context.partition_keys:
            scores = read(lake, MODEL_SCORES, [day])
            if not scores.num_rows:
                yield day, MONITORING_DRIFT.schema().empty_table()
                continue
            model = model_behind(scores)
            watched, rests_on = watched_by(model)
            before, own = past.before(day, model.hash, partial(past_day, watched=watched, model_hash=model.hash))
            inputs[day] = rests_on | own
            if not before:
                before, looked_at = unserved.before(day, version_of(model), watched)
                inputs[day] |= looked_at
            today = rows_of_day(lake, day, scores)
            rows = drift_rows(date.fromisoformat(day), today, watched, version_of(model), before)
            metadata[day] = _of_drift(rows)
            if day == context.partition_keys[-1]:  # one picture a run: it shows the days before, too
                metadata[day] |= _picture(lake, rows, day, settings)
                metadata[day] |= _report(context, lake, rows, day, settings)
            yield day, rows

    sources = [Source(FEATURE_SNAPSHOTS), Source(MODEL_SCORES), YESTERDAY, _own_past(MONITORING_DRIFT)]
    return Made(days(), sources, inputs=inputs, metadata=metadata)


def _of_drift(rows: pa.Table) -> dict[str, Any]:
    """What the UI draws over time, and the columns to blame as a table."""
    from daily_profit_model.monitoring.drift_table import alarmed_columns, summary

    listed = [
        dg.TableRecord({name: str(row[name]) if isinstance(row[name], date) else row[name] for name in BLAME_COLUMNS})
        for row in alarmed_columns(rows)[:BLAMED]
    ]
    return {**summary(rows), **({"blame": dg.MetadataValue.table(listed)} if listed else {})}


def _picture(lake: Lake, rows: pa.Table, day: str, settings: Settings) -> Mapping[str, dg.MetadataValue]:
    from daily_profit_model.monitoring.drift_plots import plot_drift

    columns = ["prediction_date", "column_name", "statistic", "rise", "is_alarm"]
    first = (date.fromisoformat(day) - timedelta(days=DRAWN_DAYS - 1)).isoformat()
    before = [name for name in lake.partitions(MONITORING_DRIFT.name) if first <= name < day]
    drawn = pa.concat_tables([read(lake, MONITORING_DRIFT, before, columns=columns), rows.select(columns)])
    return plot_metadata("drift_over_time", plot_drift(drawn), settings.reports_dir / "drift" / f"{day}.png")


def _report(
    context: dg.AssetExecutionContext, lake: Lake, rows: pa.Table, day: str, settings: Settings
) -> dict[str, dg.MetadataValue]:
    """On an alarm Evidently's page of the columns concerned; without Evidently a line in the log, as nothing rests on it."""
    from daily_profit_model.monitoring.drift_report import ReportNotInstalled
    from daily_profit_model.monitoring.drift_table import alarmed_columns

    named = [row["column_name"] for row in alarmed_columns(rows) if row["kind"] == "feature"][:BLAMED]
    path = report_path(settings, day)
    try:
        current, reference = windows(lake, day, window_days=1, reference_days=REPORTED_DAYS)
        if not named or not reference:
            return {}
        write_html(lake, current, reference, path, named)
    except ReportNotInstalled as missing:
        context.log.info(str(missing))
        return {}
    return {"report": dg.MetadataValue.path(str(path))}


@table_asset(
    MONITORING_DEGRADATION,
    code_version="2",
    deps=[
        on(PREDICTIONS_ACCOUNT_DAILY),
        on(MODEL_SCORES, look_back(2)),
        on(MONITORING_OUTCOMES, look_back(EXPECTING_DAYS, last=-1)),
        on(MONITORING_DEGRADATION, day_before()),
    ],
    required_resource_keys={"lake", "settings"},
)
def degradation(context: dg.AssetExecutionContext) -> Made:
    from daily_profit_model.monitoring.degradation import (
        CODE_VERSION,
        PAST_COLUMNS,
        PastLosses,
        degradation_rows,
        expected_of,
        past_losses,
        usual_losses,
    )
    from daily_profit_model.monitoring.drift_table import PAST_DAYS

    lake: Lake = context.resources.lake
    settings: Settings = context.resources.settings
    inputs: dict[str, Inputs] = {}
    metadata: dict[str, dict[str, object]] = {}
    past: OwnPast[PastLosses] = OwnPast(lake, MONITORING_DEGRADATION, PAST_COLUMNS, PAST_DAYS)
    usual_of = Kept(lake, Cache(settings.cache_dir), usual_losses, lambda rows: rows, CODE_VERSION)
    settled = Source(MONITORING_OUTCOMES, first=-EXPECTING_DAYS, last=-1, optional=True)

    @lru_cache(maxsize=2 * EXPECTING_DAYS)
    def outcomes_of(day: str) -> pa.Table:
        return read(lake, MONITORING_OUTCOMES, [day], columns=["lower_90", "upper_90", "absolute_error"])

    def days() -> Iterator[tuple[str, pa.Table]]:
        for day in context.partition_keys:
            served = read(lake, PREDICTIONS_ACCOUNT_DAILY, [day], columns=["lower_90", "upper_90"])
            if not served.num_rows:
                yield day, MONITORING_DEGRADATION.schema().empty_table()
                continue
            model = model_behind(read(lake, MODEL_SCORES, [day]))
            usual, rests_on = usual_of(model)
            before, own = past.before(day, model.hash, partial(past_losses, model_hash=model.hash))
            inputs[day] = rests_on | own
            known = [name for name in settled.days(day) if lake.file(MONITORING_OUTCOMES.name, name) is not None]
            width = pc.mean(pc.subtract(served["upper_90"], served["lower_90"])).as_py()
            rows = degradation_rows(
                date.fromisoformat(day),
                _newest_losses(lake, day, model.hash),
                usual,
                {"model_version": model.version, "model_hash": model.hash},
                before,
                expected_of(width, [outcomes_of(name) for name in known]),
            )
            metadata[day] = _of_degradation(rows)
            yield day, rows

    sources = [
        Source(PREDICTIONS_ACCOUNT_DAILY),
        Source(MODEL_SCORES, first=-1, last=0, optional=True),
        settled,
        _own_past(MONITORING_DEGRADATION),
    ]
    return Made(days(), sources, inputs=inputs, metadata=metadata)


def _newest_losses(lake: Lake, day: str, model_hash: str) -> Any:
    """The losses of the day before, if the version scored it and its outcomes are known; else none."""
    from daily_profit_model.monitoring.degradation import day_losses

    yesterday = date.fromisoformat(day) - timedelta(days=1)
    name = yesterday.isoformat()
    scores = read(lake, MODEL_SCORES, [name] if lake.file(MODEL_SCORES.name, name) else [])
    settled = read(lake, MONITORING_OUTCOMES, [name] if lake.file(MONITORING_OUTCOMES.name, name) else [])
    return day_losses(yesterday, scores.filter(pc.equal(scores["model_hash"], model_hash)), settled)


def _of_degradation(rows: pa.Table) -> dict[str, Any]:
    """What the UI draws over time."""
    found: dict[str, Any] = {"alarms": 0}
    for row in rows.to_pylist():
        found["alarms"] += row["is_alarm"]
        if row["threshold"] is not None:
            found[f"{row['measure']}_rise"] = row["sum_up"] / row["threshold"]
        found |= {name: row[name] for name in ("expected_error", "usual_error") if row[name] is not None}
    return found
