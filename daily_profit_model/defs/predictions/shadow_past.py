"""How far outcomes lay outside what a shadow deployment said of its own past days, by which its intervals are calibrated."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.defs.models.registry import Champion, cutoff_of
from daily_profit_model.engine import run
from daily_profit_model.lake import Lake, read
from daily_profit_model.modeling.shadow_contracts import SHADOW_SCORES
from daily_profit_model.modeling.shadows import Deployment
from daily_profit_model.monitoring.outcomes import scored_outcomes_query
from daily_profit_model.tables.raw import RAW_METRICS_DAILY

CALIBRATION_DAYS = 120
"""Days of its own past that a shadow's calibration may look at, as the champion's may."""

PAST_QUERY = scored_outcomes_query(SHADOW_SCORES)


class ShadowPast:
    """The settled past of all deployments, each day read once."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._settled = lru_cache(maxsize=CALIBRATION_DAYS + 1)(self._read)

    def conformity_of(self, name: str, days: Iterable[str]) -> pa.Table:
        """MONITORING_CONFORMITY of a deployment on those of `days` that it scored and whose outcomes are known."""
        from daily_profit_model.modeling.shadow_scoring import own_conformity

        known = [found for day in days if (found := self._settled(day)) is not None]
        parts = [own_conformity(of_deployment(scores, name), profits) for scores, profits in known]
        return pa.concat_tables([own_conformity(SHADOW_SCORES.schema().empty_table(), pa.table({})), *parts])

    def _read(self, day: str) -> tuple[pa.Table, pa.Table] | None:
        if any(self._lake.file(table.name, day) is None for table in (SHADOW_SCORES, RAW_METRICS_DAILY)):
            return None
        found = run(PAST_QUERY, self._lake, [day])
        # every deployment brings the account's outcome, and it is one
        once = found.group_by(["prediction_date", "account_id"]).aggregate([("net_profit", "min")])
        profits = once.rename_columns(["prediction_date", "account_id", "net_profit"])
        return read(self._lake, SHADOW_SCORES, [day]), profits


def of_deployment(rows: pa.Table, name: str) -> pa.Table:
    """The rows of one deployment."""
    return rows.filter(pc.equal(rows["deployment"], name))


def bundle_of(deployment: Deployment) -> Champion:
    """The version that a deployment runs, as the registry loads it."""
    return Champion(deployment.version, deployment.model_hash, cutoff_of(deployment.version))
