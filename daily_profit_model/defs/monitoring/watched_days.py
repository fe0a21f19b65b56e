"""What is watched of predicted days, read from the lake: of a day that is judged, and of those that a version could have
served and did not, as it was a shadow then, or another served in between.

What becomes of them is `monitoring.drift_table`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.defs.monitoring.own_past import Inputs
from daily_profit_model.engine import Source
from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.lake import Lake, read
from daily_profit_model.lake.staleness import HashLookup
from daily_profit_model.modeling.contracts import MODEL_SCORES
from daily_profit_model.modeling.shadow_contracts import SHADOW_SCORES
from daily_profit_model.modeling.shadows import first_day_of
from daily_profit_model.monitoring.drift_reference import Watched, prediction_columns, target_column
from daily_profit_model.monitoring.drift_table import EARLIER_DAYS, KnownDay, Version, earlier_day
from daily_profit_model.partitions import days_between
from daily_profit_model.tables import Table
from daily_profit_model.tables.monitoring import MONITORING_OUTCOMES

YESTERDAY = Source(MONITORING_OUTCOMES, first=-1, last=-1, optional=True)
"""Whose outcomes are what is known of the target."""

Rows = Mapping[str, pa.Table | None]
"""By kind; None: nothing is known."""


def rows_of_day(lake: Lake, day: str, scores: pa.Table | None) -> Rows:
    """What is watched of a predicted day, by kind: its features, the version's `scores` (None: it did not score the day),
    and what came of the day before."""
    settled = [name for name in YESTERDAY.days(day) if lake.file(MONITORING_OUTCOMES.name, name) is not None]
    return {
        "feature": read(lake, FEATURE_SNAPSHOTS, [day]),
        "prediction": None if scores is None else prediction_columns(scores),
        "target": target_column(read(lake, MONITORING_OUTCOMES, settled)["net_profit"]) if settled else None,
    }


class DaysBeforeService:
    """The days between a version's cut-off and the first of a stretch of days that it served."""

    def __init__(self, lake: Lake) -> None:
        self._lake, self._hashes = lake, HashLookup(lake)

    def before(self, day: str, version: Version, watched: Watched) -> tuple[list[KnownDay], Inputs]:
        """Those before `day`, of which the version served none just before it: from the first that it could have served,
        EARLIER_DAYS ago at most, or the first after a day without a snapshot; ascending, with the content hashes of all
        that was looked at. Days on which nobody was predicted are passed over: their snapshot may be a blocked one.
        """
        if watched.calibration is None:  # there are no sums
            return [], {}
        last = date.fromisoformat(day) - timedelta(days=1)
        first = max(first_day_of(version.version), last - timedelta(days=EARLIER_DAYS - 1))
        found: list[KnownDay] = []
        inputs: Inputs = {}
        for name in reversed(days_between(first, last)):
            if not self._is_there(FEATURE_SNAPSHOTS, name, inputs):
                break
            served = self._scores(MODEL_SCORES, name, inputs)
            if not served.num_rows:
                continue
            scores = self._scores_of(version.model_hash, name, served, inputs)
            for eve in YESTERDAY.days(name):
                self._is_there(MONITORING_OUTCOMES, eve, inputs)
            found.append(earlier_day(date.fromisoformat(name), rows_of_day(self._lake, name, scores), watched))
        return found[::-1], inputs

    def _scores_of(self, model_hash: str, day: str, served: pa.Table, inputs: Inputs) -> pa.Table | None:
        """What the version said of a day: `served` is its own, or it ran as a shadow; None: it said nothing."""
        own = served.filter(pc.equal(served["model_hash"], model_hash))
        if own.num_rows:
            return own
        shadows = self._scores(SHADOW_SCORES, day, inputs)
        own = shadows.filter(pc.equal(shadows["model_hash"], model_hash))
        # two deployments of one version say the same
        return own.filter(pc.equal(own["deployment"], pc.min(own["deployment"]))) if own.num_rows else None

    def _scores(self, table: Table, day: str, inputs: Inputs) -> pa.Table:
        return read(self._lake, table, [day] if self._is_there(table, day, inputs) else [])

    def _is_there(self, table: Table, day: str, inputs: Inputs) -> bool:
        """Also, `inputs` tell that it was looked at."""
        found = self._hashes(table.name, day)
        inputs[f"{table.name}@{day}"] = found
        return found is not None
