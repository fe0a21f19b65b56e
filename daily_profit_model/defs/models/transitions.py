"""models/transitions in the graph: an asset that no run makes. Each act is told to the event log, so that the UI shows
who did what; the lake alone decides who serves.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from daily_profit_model.defs.table_asset import OWNERS, asset_key, column_schema
from daily_profit_model.modeling.contracts import MODELS_TRANSITIONS

TRANSITIONS = dg.AssetSpec(
    key=asset_key(MODELS_TRANSITIONS),
    description=MODELS_TRANSITIONS.description,
    group_name=MODELS_TRANSITIONS.name.split("/")[0],
    owners=OWNERS,
    kinds={"parquet"},
    metadata={
        "dagster/column_schema": column_schema(MODELS_TRANSITIONS),
        "dagster/table_name": MODELS_TRANSITIONS.name,
        "contract_version": MODELS_TRANSITIONS.version,
        "key": ", ".join(MODELS_TRANSITIONS.key),
    },
)

_TOLD = ("number", "alias", "version", "previous_version", "reason", "author")


def tell(instance: dg.DagsterInstance, act: Mapping[str, Any]) -> None:
    """Record an act in the event log, as a materialisation that belongs to no run."""
    metadata = {name: act[name] for name in _TOLD if act[name] is not None}
    metadata["in_force_from"] = act["in_force_from"].isoformat()
    instance.report_runless_asset_event(
        dg.AssetMaterialization(TRANSITIONS.key, description=f"{act['author']}: {act['reason']}", metadata=metadata)
    )
