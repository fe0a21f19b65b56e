"""The monitoring layer: what came of each prediction, how well the models have done, and how well the feeds, by day."""

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.defs.calendars import look_back
from daily_profit_model.defs.models.registry import cutoff_of
from daily_profit_model.defs.predictions.lineage import model_behind
from daily_profit_model.defs.resources.lake_io import Made
from daily_profit_model.defs.resources.plots import plot_metadata
from daily_profit_model.defs.table_asset import code_version_of, on, table_asset
from daily_profit_model.engine import Source, run
from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.features.training_set import TRAINING_ACCOUNT_DAILY
from daily_profit_model.lake import Lake, read
from daily_profit_model.lake.staleness import HashLookup
from daily_profit_model.modeling.contracts import (
    MODEL_SCORES,
    MONITORING_CONFORMITY,
    MONITORING_INTERVAL_CALIBRATION,
)
from daily_profit_model.monitoring.feed_health import SQL as FEED_HEALTH_SQL
from daily_profit_model.monitoring.feed_health import feed_health as feed_health_of
from daily_profit_model.monitoring.outcomes import outcomes_query, scored_outcomes_query
from daily_profit_model.settings import Settings
from daily_profit_model.tables.monitoring import FEED_HEALTH, MODEL_PERFORMANCE, MONITORING_OUTCOMES
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model.tables.raw import RAW_METRICS_DAILY
from daily_profit_model.tables.segments import SEGMENT_PERFORMANCE, TRAILING_DAYS

CALIBRATION_DAYS = 120
"""Days of conformity that calibration may look at; it folds over fewer (IntervalSettings)."""

DRAWN_DAYS = 90
"""Days that the picture of calibration shows."""


@table_asset(
    MONITORING_CONFORMITY,
    code_version=code_version_of(scored_outcomes_query(MODEL_SCORES).code, "2"),
    deps=[on(MODEL_SCORES), on(RAW_METRICS_DAILY)],
    kinds=("duckdb", "parquet"),
    required_resource_keys={"lake"},
)
def conformity(context: dg.AssetExecutionContext) -> Made:
    from daily_profit_model.modeling.conformity import conformity as conformity_of

    lake: Lake = context.resources.lake
    query = scored_outcomes_query(MODEL_SCORES)

    def days() -> Iterator[tuple[str, pa.Table]]:
        for day in context.partition_keys:
            yield day, conformity_of(read(lake, MODEL_SCORES, [day]), run(query, lake, [day]))

    return Made(days(), query.sources)


@table_asset(
    MONITORING_INTERVAL_CALIBRATION,
    code_version="2",
    deps=[on(MODEL_SCORES), on(MONITORING_CONFORMITY, look_back(CALIBRATION_DAYS, last=-1))],
    required_resource_keys={"lake", "settings"},
)
def interval_calibration(context: dg.AssetExecutionContext) -> Made:
    """Stored, so that the intervals of a day can be made again when an outcome was corrected since."""
    from daily_profit_model.modeling.calibration import calibration_of

    lake: Lake = context.resources.lake
    settings: Settings = context.resources.settings
    metadata: dict[str, dict[str, object]] = {}
    past = Source(MONITORING_CONFORMITY, first=-CALIBRATION_DAYS, last=-1, optional=True)

    def days() -> Iterator[tuple[str, pa.Table]]:
        for day in context.partition_keys:
            scores = read(lake, MODEL_SCORES, [day])
            if not scores.num_rows:
                yield day, MONITORING_INTERVAL_CALIBRATION.schema().empty_table()
                continue
            rows = calibration_of(model_behind(scores), scores, read(lake, MONITORING_CONFORMITY, past.days(day)))
            metadata[day] = _of_calibration(rows)
            if day == context.partition_keys[-1]:  # one picture a run: it shows the days before, too
                metadata[day] |= _calibration_picture(lake, rows, day, settings)
            yield day, rows

    return Made(days(), [Source(MODEL_SCORES), past], metadata=metadata)


def _of_calibration(rows: pa.Table) -> dict[str, object]:
    """What the UI draws over time: levels, thresholds, misses and widths, by tail and group."""
    from daily_profit_model.modeling.calibration import WHOLE

    found: dict[str, object] = {"calibration_version": rows["calibration_version"][0].as_py()}
    for row in rows.to_pylist():
        if row["plan_type"] != WHOLE:
            continue
        tail, group = row["tail"], row["activity"]
        found |= {f"{tail}_level": row["level"], f"{tail}_threshold_{group}": row["threshold"]}
        found |= {f"{tail}_missed_{group}": row["window_miss_rate"], f"mean_width_{group}": row["mean_width"]}
    return {name: value for name, value in found.items() if value is not None}


def _calibration_picture(lake: Lake, rows: pa.Table, day: str, settings: Settings) -> dict[str, dg.MetadataValue]:
    from daily_profit_model.modeling.plots import plot_calibration

    before = Source(MONITORING_INTERVAL_CALIBRATION, first=1 - DRAWN_DAYS, last=-1).days(day)
    drawn = pa.concat_tables([read(lake, MONITORING_INTERVAL_CALIBRATION, before), rows])
    picture = settings.reports_dir / "interval_calibration" / f"{day}.png"
    return plot_metadata("calibration_over_time", plot_calibration(drawn), picture)


@table_asset(
    MONITORING_OUTCOMES,
    code_version=code_version_of(outcomes_query().code),
    deps=[on(PREDICTIONS_ACCOUNT_DAILY), on(RAW_METRICS_DAILY)],
    kinds=("duckdb", "parquet"),
    required_resource_keys={"lake", "settings"},
)
def outcomes(context: dg.AssetExecutionContext) -> Made:
    from daily_profit_model.modeling.plots import plot_outcomes

    lake: Lake = context.resources.lake
    settings: Settings = context.resources.settings
    query = outcomes_query()
    metadata: dict[str, dict[str, object]] = {}

    def days() -> Iterator[tuple[str, pa.Table]]:
        for day in context.partition_keys:
            rows = run(query, lake, [day])
            if rows.num_rows:
                picture = settings.reports_dir / "outcomes" / f"{day}.png"
                metadata[day] = dict(plot_metadata("predicted_against_actual", plot_outcomes(rows), picture))
                metadata[day]["coverage_90"] = _mean(rows["is_covered"])
            yield day, rows

    return Made(days(), query.sources, metadata=metadata)


@table_asset(
    MODEL_PERFORMANCE,
    code_version="1",
    deps=[on(MONITORING_OUTCOMES), on(FEATURE_SNAPSHOTS)],
    required_resource_keys={"lake"},
)
def model_performance(context: dg.AssetExecutionContext) -> Made:
    """A row a day and version that served; the numbers in its metadata are drawn over time by the UI."""
    from daily_profit_model.modeling.baselines import BaselineSettings, baseline_forecasts
    from daily_profit_model.monitoring.performance import day_performance

    lake: Lake = context.resources.lake
    inputs: dict[str, dict[str, str | None]] = {}
    metadata: dict[str, dict[str, object]] = {}
    columns = ["target_date", "profit_scale", "target_net_profit", "target_status", *BaselineSettings().columns]

    @lru_cache(maxsize=2)
    def past_of(cutoff: str) -> pa.Table:
        past = read(lake, TRAINING_ACCOUNT_DAILY, [cutoff], columns=columns)
        return past.filter(pc.is_valid(past["target_net_profit"]))

    def days() -> Iterator[tuple[str, pa.Table]]:
        hashes = HashLookup(lake)
        for day in context.partition_keys:
            settled = read(lake, MONITORING_OUTCOMES, [day])
            settled = settled.filter(pc.is_valid(settled["net_profit"])).sort_by("account_id")
            if not settled.num_rows:
                yield day, MODEL_PERFORMANCE.schema().empty_table()
                continue
            scored = read(lake, FEATURE_SNAPSHOTS, [day]).sort_by("account_id")
            scored = scored.append_column("target_date", scored["prediction_date"])
            versions = sorted(pc.unique(settled["model_version"]).to_pylist())
            inputs[day], metadata[day], rows = {}, {}, []
            for version in versions:  # one, but where shadow deployments serve a share of the accounts
                cutoff = cutoff_of(version).isoformat()
                inputs[day][f"{TRAINING_ACCOUNT_DAILY.name}@{cutoff}"] = hashes(TRAINING_ACCOUNT_DAILY.name, cutoff)
                own = settled.filter(pc.equal(settled["model_version"], version))
                known = scored.filter(pc.is_in(scored["account_id"], own["account_id"].combine_chunks()))
                row = day_performance(own, baseline_forecasts(past_of(cutoff), known, BaselineSettings()))
                rows.append(row)
                prefix = f"{version} " if len(versions) > 1 else ""
                figures = row.to_pylist()[0].items()
                metadata[day] |= {f"{prefix}{name}": value for name, value in figures if isinstance(value, float)}
            yield day, pa.concat_tables(rows)

    return Made(
        days(),
        [Source(MONITORING_OUTCOMES), Source(FEATURE_SNAPSHOTS, optional=True)],
        inputs=inputs,
        metadata=metadata,
    )


@table_asset(
    SEGMENT_PERFORMANCE,
    code_version="1",
    deps=[
        on(MONITORING_OUTCOMES, look_back(TRAILING_DAYS)),
        on(PREDICTIONS_ACCOUNT_DAILY, look_back(TRAILING_DAYS)),
        on(MODEL_SCORES, look_back(TRAILING_DAYS)),
    ],
    required_resource_keys={"lake"},
)
def segment_performance(context: dg.AssetExecutionContext) -> Made:
    """The rows of all accounts are drawn over time by the UI."""
    from daily_profit_model.monitoring.segments import WHOLE, segment_performance, segments_of

    lake: Lake = context.resources.lake
    metadata: dict[str, dict[str, object]] = {}
    own = [Source(table) for table in (MONITORING_OUTCOMES, PREDICTIONS_ACCOUNT_DAILY, MODEL_SCORES)]
    past = [Source(source.table, first=1 - TRAILING_DAYS, last=-1, optional=True) for source in own]

    @lru_cache(maxsize=TRAILING_DAYS)
    def of_day(day: str) -> dict[tuple[str, str], Any]:
        settled = read(lake, MONITORING_OUTCOMES, [day])
        plans = read(lake, PREDICTIONS_ACCOUNT_DAILY, [day], columns=["account_id", "plan_id"])
        types = read(lake, MODEL_SCORES, [day], columns=["account_id", "plan_type"])
        judged = settled.filter(pc.is_valid(settled["net_profit"]))
        return segments_of(judged.join(plans, "account_id").join(types, "account_id").sort_by("account_id"))

    def days() -> Iterator[tuple[str, pa.Table]]:
        for day in context.partition_keys:
            rows = segment_performance([of_day(each) for each in (*past[0].days(day), day)], date.fromisoformat(day))
            of_all = rows.filter(pc.equal(rows["segment_by"], WHOLE)).to_pylist()
            metadata[day] = {name: value for row in of_all for name, value in row.items() if isinstance(value, float)}
            yield day, rows

    return Made(days(), [*own, *past], metadata=metadata)


@table_asset(FEED_HEALTH, code_version=code_version_of(FEED_HEALTH_SQL, "1"), required_resource_keys={"lake"})
def feed_health(context: dg.AssetExecutionContext) -> Made:
    """Depends on no asset: a day on which the raw tables could not be filled is the one that it has to tell of."""
    lake: Lake = context.resources.lake
    metadata: dict[str, dict[str, object]] = {}

    def days() -> Iterator[tuple[str, pa.Table]]:
        for day in context.partition_keys:
            rows = feed_health_of(lake, day)
            metadata[day] = {name: pc.sum(rows[name]).as_py() for name in ("calls", "failures", "http_429", "retries")}
            yield day, rows

    return Made(days(), metadata=metadata)


def _mean(flags: pa.ChunkedArray) -> float | None:
    mean: float | None = pc.mean(flags.cast(pa.float64())).as_py()
    return mean
