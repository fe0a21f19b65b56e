"""What the active shadow deployments predict of a day, beside the champion and from the same frozen rows.

Days without an active deployment are made when asked for, and are empty. The champion's own path: `assets`.
"""

from collections.abc import Iterator
from datetime import date
from functools import lru_cache

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.defs.calendars import look_back
from daily_profit_model.defs.models.registry import Champion, cutoff_of, load_model
from daily_profit_model.defs.models.shadows import SHADOWS, Active
from daily_profit_model.defs.resources.lake_io import Made
from daily_profit_model.defs.table_asset import code_version_of, on, table_asset
from daily_profit_model.engine import Source, run
from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.lake import Lake, read
from daily_profit_model.modeling.contracts import MODELS_CHAMPION, MODELS_TRANSITIONS
from daily_profit_model.modeling.shadow_contracts import PREDICTIONS_SHADOW, SHADOW_SCORES
from daily_profit_model.modeling.shadows import Deployment
from daily_profit_model.monitoring.outcomes import scored_outcomes_query
from daily_profit_model.tables.raw import RAW_METRICS_DAILY

CALIBRATION_DAYS = 120
"""Days of its own past that a shadow's calibration may look at, as the champion's may."""

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
            parts = [scores_of(one.name, load_model(_bundle(one)), snapshot) for one in deployed]
            yield day, pa.concat_tables([SHADOW_SCORES.schema().empty_table(), *parts])

    return Made(days(), [Source(FEATURE_SNAPSHOTS)], inputs={day: active.inputs(day) for day in context.partition_keys})


@table_asset(
    PREDICTIONS_SHADOW,
    code_version=code_version_of(scored_outcomes_query(SHADOW_SCORES).code, "1"),
    deps=[
        on(SHADOW_SCORES, look_back(CALIBRATION_DAYS + 1)),
        on(RAW_METRICS_DAILY, look_back(CALIBRATION_DAYS, last=-1)),
    ],
    required_resource_keys={"lake", "settings"},
)
def shadow(context: dg.AssetExecutionContext) -> Made:
    """Nothing is shared with the champion's calibration: a shadow is as sure as its own past allows."""
    from daily_profit_model.modeling.shadow_scoring import own_conformity, shadow_predictions

    lake: Lake = context.resources.lake
    active = Active(lake)
    past = Source(SHADOW_SCORES, first=-CALIBRATION_DAYS, last=-1, optional=True)
    outcomes = Source(RAW_METRICS_DAILY, first=-CALIBRATION_DAYS, last=-1, optional=True)
    query = scored_outcomes_query(SHADOW_SCORES)

    @lru_cache(maxsize=CALIBRATION_DAYS + 1)
    def settled(day: str) -> tuple[pa.Table, pa.Table] | None:
        if lake.file(RAW_METRICS_DAILY.name, day) is None:
            return None
        found = run(query, lake, [day])
        # every deployment brings the account's outcome, and it is one
        once = found.group_by(["prediction_date", "account_id"]).aggregate([("net_profit", "min")])
        return read(lake, SHADOW_SCORES, [day]), once.rename_columns(["prediction_date", "account_id", "net_profit"])

    def conformity_of(name: str, day: str) -> pa.Table:
        known = [found for earlier in past.days(day) if lake.file(SHADOW_SCORES.name, earlier)
                 if (found := settled(earlier)) is not None]  # fmt: skip
        parts = [own_conformity(_of(scores, name), profits) for scores, profits in known]
        return pa.concat_tables([own_conformity(SHADOW_SCORES.schema().empty_table(), pa.table({})), *parts])

    def days() -> Iterator[tuple[str, pa.Table]]:
        for day in context.partition_keys:
            scores = read(lake, SHADOW_SCORES, [day])
            parts = [
                shadow_predictions(load_model(_bundle(one)), _of(scores, one.name), conformity_of(one.name, day))
                for one in active.on(date.fromisoformat(day))
            ]
            yield day, pa.concat_tables([PREDICTIONS_SHADOW.schema().empty_table(), *parts])

    return Made(days(), [Source(SHADOW_SCORES), past, outcomes])


def _of(rows: pa.Table, deployment: str) -> pa.Table:
    return rows.filter(pc.equal(rows["deployment"], deployment))


def _bundle(deployment: Deployment) -> Champion:
    return Champion(deployment.version, deployment.model_hash, cutoff_of(deployment.version))
