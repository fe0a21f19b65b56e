"""What the active shadow deployments predict of a day, beside the champion and from the same frozen rows.

Days without an active deployment are made when asked for, and are empty. The champion's own path: `assets`.
"""

from collections.abc import Iterator
from datetime import date

import dagster as dg
import pyarrow as pa

from daily_profit_model.defs.calendars import look_back
from daily_profit_model.defs.models.registry import load_model
from daily_profit_model.defs.models.shadows import SHADOWS, Active
from daily_profit_model.defs.predictions.shadow_past import (
    CALIBRATION_DAYS,
    PAST_QUERY,
    ShadowPast,
    bundle_of,
    of_deployment,
)
from daily_profit_model.defs.resources.lake_io import Made
from daily_profit_model.defs.table_asset import code_version_of, on, table_asset
from daily_profit_model.engine import Source
from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.lake import Lake, read
from daily_profit_model.modeling.contracts import MODELS_CHAMPION, MODELS_TRANSITIONS
from daily_profit_model.modeling.shadow_contracts import PREDICTIONS_SHADOW, PREDICTIONS_TRAFFIC, SHADOW_SCORES
from daily_profit_model.modeling.shadows import Deployment
from daily_profit_model.tables.raw import RAW_METRICS_DAILY

_EARLIER_CUT_OFFS = look_back(21, last=-2)
DEPLOYED = dg.AssetDep(SHADOWS.key, partition_mapping=dg.AllPartitionMapping())


@table_asset(
    SHADOW_SCORES,
    code_version="1",
    deps=[on(FEATURE_SNAPSHOTS), DEPLOYED, on(MODELS_CHAMPION, _EARLIER_CUT_OFFS), on(MODELS_TRANSITIONS)],
    kinds=("lightgbm", "parquet"),
    required_resource_keys={"lake", "settings"},
)
def shadow_scores(context: dg.AssetExecutionContext) -> Made:
    from daily_profit_model.modeling.shadow_scoring import shadow_scores as scores_of

    lake: Lake = context.resources.lake
    active = Active(lake)

    def days() -> Iterator[tuple[str, pa.Table]]:
        for day in context.partition_keys:
            deployed = active.on(date.fromisoformat(day))
            snapshot = read(lake, FEATURE_SNAPSHOTS, [day]) if deployed else None
            parts = [scores_of(one.name, load_model(bundle_of(one)), snapshot) for one in deployed]
            yield day, pa.concat_tables([SHADOW_SCORES.schema().empty_table(), *parts])

    return Made(days(), [Source(FEATURE_SNAPSHOTS)], inputs={day: active.inputs(day) for day in context.partition_keys})


@table_asset(
    PREDICTIONS_SHADOW,
    code_version=code_version_of(PAST_QUERY.code, "1"),
    deps=[
        on(PREDICTIONS_TRAFFIC),
        on(SHADOW_SCORES, look_back(CALIBRATION_DAYS + 1)),
        on(RAW_METRICS_DAILY, look_back(CALIBRATION_DAYS, last=-1)),
    ],
    required_resource_keys={"lake", "settings"},
)
def shadow(context: dg.AssetExecutionContext) -> Made:
    """Nothing is shared with the champion's calibration: a shadow is as sure as its own past allows. What it serves is
    calibrated before, in predictions/traffic, and is not calibrated in another way here."""
    from daily_profit_model.modeling.shadow_scoring import shadow_calibration, shadow_predictions
    from daily_profit_model.modeling.traffic import calibration_of as stored_calibration

    lake: Lake = context.resources.lake
    active = Active(lake)
    past = ShadowPast(lake)
    scored = Source(SHADOW_SCORES, first=-CALIBRATION_DAYS, last=-1, optional=True)
    outcomes = Source(RAW_METRICS_DAILY, first=-CALIBRATION_DAYS, last=-1, optional=True)

    def calibration_of(one: Deployment, day: str, scores: pa.Table, stored: pa.Table) -> pa.Table:
        for row in of_deployment(stored, one.name).to_pylist():
            if row["failure"] is None:
                return stored_calibration(row)
        return shadow_calibration(load_model(bundle_of(one)), scores, past.conformity_of(one.name, scored.days(day)))

    def days() -> Iterator[tuple[str, pa.Table]]:
        for day in context.partition_keys:
            scores, stored = (read(lake, table, [day]) for table in (SHADOW_SCORES, PREDICTIONS_TRAFFIC))
            parts = [
                shadow_predictions(own, calibration_of(one, day, own, stored))
                for one in active.on(date.fromisoformat(day))
                if (own := of_deployment(scores, one.name)).num_rows
            ]
            yield day, pa.concat_tables([PREDICTIONS_SHADOW.schema().empty_table(), *parts])

    return Made(days(), [Source(SHADOW_SCORES), Source(PREDICTIONS_TRAFFIC, optional=True), scored, outcomes])
