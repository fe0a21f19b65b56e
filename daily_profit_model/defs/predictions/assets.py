"""The prediction layer: rows frozen, scored by the champion of the day, calibrated by what was known by then.

What was served stays: how a partition that others have acted on may still change is told in `lake.served`.
"""

from collections.abc import Iterator
from datetime import date

import dagster as dg
import pyarrow as pa

from daily_profit_model.defs.calendars import day_before, look_back
from daily_profit_model.defs.models.registry import champion_inputs, champion_of, known_changes, load_model
from daily_profit_model.defs.predictions.lineage import model_behind, version_used
from daily_profit_model.defs.predictions.traffic import shared_out
from daily_profit_model.defs.resources.lake_io import Made
from daily_profit_model.defs.table_asset import code_version_of, on, table_asset
from daily_profit_model.engine import Query, Source
from daily_profit_model.features import FEATURES_ACCOUNT_DAILY
from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS, snapshot_query
from daily_profit_model.lake import Lake, read
from daily_profit_model.modeling.contracts import (
    MODEL_SCORES,
    MODELS_CHAMPION,
    MODELS_TRANSITIONS,
    MONITORING_INTERVAL_CALIBRATION,
)
from daily_profit_model.modeling.portfolio import EVIDENCE_DAYS, portfolio_query
from daily_profit_model.modeling.serving import Telemetry, serve
from daily_profit_model.modeling.shadow_contracts import PREDICTIONS_TRAFFIC
from daily_profit_model.modeling.telemetry import SERVING_VERSION, code_version
from daily_profit_model.tables.predictions import PORTFOLIO_DAILY, PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model.tables.raw import RAW_METRICS_DAILY

_EARLIER_CUT_OFFS = look_back(21, last=-2)


@table_asset(
    FEATURE_SNAPSHOTS,
    code_version=code_version_of(snapshot_query().code),
    deps=[on(FEATURES_ACCOUNT_DAILY, day_before())],
    kinds=("duckdb", "parquet"),
)
def feature_snapshots() -> Query:
    return snapshot_query()


@table_asset(
    MODEL_SCORES,
    code_version="3",
    deps=[on(FEATURE_SNAPSHOTS), on(MODELS_CHAMPION, _EARLIER_CUT_OFFS), on(MODELS_TRANSITIONS)],
    kinds=("lightgbm", "parquet"),
    required_resource_keys={"lake", "settings"},
)
def model_scores(context: dg.AssetExecutionContext) -> Made:
    from daily_profit_model.modeling.scoring import score

    lake: Lake = context.resources.lake
    known = known_changes(lake)
    champions = {day: champion_of(lake, date.fromisoformat(day), known) for day in context.partition_keys}

    def days() -> Iterator[tuple[str, pa.Table]]:
        for day, champion in champions.items():
            yield day, score(load_model(champion), read(lake, FEATURE_SNAPSHOTS, [day]))

    chosen = {day: champion_inputs(lake, champion, date.fromisoformat(day)) for day, champion in champions.items()}
    return Made(days(), [Source(FEATURE_SNAPSHOTS)], inputs=chosen)


@table_asset(
    PREDICTIONS_ACCOUNT_DAILY,
    code_version=SERVING_VERSION,
    deps=[on(FEATURE_SNAPSHOTS), on(MODEL_SCORES), on(MONITORING_INTERVAL_CALIBRATION), on(PREDICTIONS_TRAFFIC)],
    kinds=("lightgbm", "parquet"),
    required_resource_keys={"lake", "settings"},
)
def account_daily(context: dg.AssetExecutionContext) -> Made:
    """The stored calibration applied to the stored scores; nothing is estimated here. Accounts in the traffic of a shadow
    deployment are served its numbers, calibrated by what predictions/traffic has stored."""
    lake: Lake = context.resources.lake

    def days() -> Iterator[tuple[str, pa.Table]]:
        for day in context.partition_keys:
            snapshot_hash = version_used(lake, MODEL_SCORES, FEATURE_SNAPSHOTS, day)
            version_used(lake, MONITORING_INTERVAL_CALIBRATION, MODEL_SCORES, day)
            snapshot, scores, calibration = (
                read(lake, table, [day]) for table in (FEATURE_SNAPSHOTS, MODEL_SCORES, MONITORING_INTERVAL_CALIBRATION)
            )
            if not scores.num_rows:
                yield day, PREDICTIONS_ACCOUNT_DAILY.schema().empty_table()
                continue
            telemetry = Telemetry(snapshot_hash, code_version())
            rows = serve(model_behind(scores), snapshot, scores, calibration, telemetry)
            yield day, shared_out(context, day, rows, snapshot, telemetry)

    sources = (FEATURE_SNAPSHOTS, MODEL_SCORES, MONITORING_INTERVAL_CALIBRATION)
    return Made(days(), [*(Source(table) for table in sources), Source(PREDICTIONS_TRAFFIC, optional=True)])


@table_asset(
    PORTFOLIO_DAILY,
    code_version=code_version_of(portfolio_query([]).code),
    deps=[
        on(PREDICTIONS_ACCOUNT_DAILY, look_back(EVIDENCE_DAYS + 1)),
        on(RAW_METRICS_DAILY, look_back(EVIDENCE_DAYS, last=-1)),
    ],
    kinds=("duckdb", "parquet"),
    required_resource_keys={"lake"},
)
def portfolio_daily(context: dg.AssetExecutionContext) -> Query:
    lake: Lake = context.resources.lake
    return portfolio_query(lake.partitions(RAW_METRICS_DAILY.name))
