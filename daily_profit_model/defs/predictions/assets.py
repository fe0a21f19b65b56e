"""The prediction layer: rows frozen, scored by the champion of the day, calibrated by what was known by then."""

from collections.abc import Iterator
from datetime import date

import dagster as dg
import pyarrow as pa

from daily_profit_model.defs.calendars import day_before, look_back
from daily_profit_model.defs.models.registry import champion_inputs, champion_of, load_model
from daily_profit_model.defs.resources.lake_io import Made
from daily_profit_model.defs.table_asset import code_version_of, on, table_asset
from daily_profit_model.engine import Query, Source
from daily_profit_model.features import FEATURES_ACCOUNT_DAILY
from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS, snapshot_query
from daily_profit_model.lake import Lake, read
from daily_profit_model.modeling.contracts import MODEL_SCORES, MODELS_CHAMPION, MONITORING_CONFORMITY
from daily_profit_model.modeling.serving import serve
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY

CALIBRATION_DAYS = 120
"""Days of conformity that calibration may look at; it folds over fewer (IntervalSettings)."""

_EARLIER_CUT_OFFS = look_back(21, last=-2)


@table_asset(
    FEATURE_SNAPSHOTS,
    code_version=code_version_of(snapshot_query().sql),
    deps=[on(FEATURES_ACCOUNT_DAILY, day_before())],
    kinds=("duckdb", "parquet"),
)
def feature_snapshots() -> Query:
    return snapshot_query()


@table_asset(
    MODEL_SCORES,
    code_version="2",
    deps=[on(FEATURE_SNAPSHOTS), on(MODELS_CHAMPION, _EARLIER_CUT_OFFS)],
    kinds=("lightgbm", "parquet"),
    required_resource_keys={"lake", "settings"},
)
def model_scores(context: dg.AssetExecutionContext) -> Made:
    from daily_profit_model.modeling.scoring import score

    lake: Lake = context.resources.lake
    champions = {day: champion_of(lake, date.fromisoformat(day)) for day in context.partition_keys}

    def days() -> Iterator[tuple[str, pa.Table]]:
        for day, champion in champions.items():
            yield day, score(load_model(champion), read(lake, FEATURE_SNAPSHOTS, [day]))

    chosen = {day: champion_inputs(lake, champion, date.fromisoformat(day)) for day, champion in champions.items()}
    return Made(days(), [Source(FEATURE_SNAPSHOTS)], inputs=chosen)


@table_asset(
    PREDICTIONS_ACCOUNT_DAILY,
    code_version="2",
    deps=[
        on(FEATURE_SNAPSHOTS),
        on(MODEL_SCORES),
        on(MONITORING_CONFORMITY, look_back(CALIBRATION_DAYS, last=-1)),
    ],
    kinds=("lightgbm", "parquet"),
    required_resource_keys={"lake", "settings"},
)
def account_daily(context: dg.AssetExecutionContext) -> Made:
    lake: Lake = context.resources.lake
    sources = [
        Source(FEATURE_SNAPSHOTS),
        Source(MODEL_SCORES),
        Source(MONITORING_CONFORMITY, first=-CALIBRATION_DAYS, last=-1, optional=True),
    ]

    def days() -> Iterator[tuple[str, pa.Table]]:
        for day in context.partition_keys:
            model = load_model(champion_of(lake, date.fromisoformat(day)))
            known = read(lake, MONITORING_CONFORMITY, sources[2].days(day))
            yield day, serve(model, read(lake, FEATURE_SNAPSHOTS, [day]), read(lake, MODEL_SCORES, [day]), known)

    return Made(days(), sources)
