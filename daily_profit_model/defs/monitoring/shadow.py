"""How the shadow deployments do beside the champion, by day: paired losses, evidence, decision.

Days without an active deployment are made when asked for, and are empty.
"""

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.defs.calendars import look_back
from daily_profit_model.defs.models.shadows import SHADOWS, Active, know
from daily_profit_model.defs.predictions.shadow import DEPLOYED
from daily_profit_model.defs.resources.lake_io import Made
from daily_profit_model.defs.resources.plots import plot_metadata
from daily_profit_model.defs.table_asset import on, table_asset
from daily_profit_model.engine import Source
from daily_profit_model.lake import Lake, read
from daily_profit_model.lake.staleness import HashLookup
from daily_profit_model.modeling.contracts import MODEL_SCORES, MONITORING_INTERVAL_CALIBRATION
from daily_profit_model.modeling.shadow_contracts import PREDICTIONS_SHADOW, SHADOW_EVALUATION, SHADOW_LOSSES
from daily_profit_model.partitions import days_between
from daily_profit_model.settings import Settings
from daily_profit_model.tables.monitoring import MONITORING_OUTCOMES

LONGEST_DAYS = 500
"""Days before D on which a deployment that is judged on D may have begun, as the lineage shows it: twice the longest
plan, for days without an outcome."""

_OF_A_DAY = (MODEL_SCORES, MONITORING_INTERVAL_CALIBRATION, PREDICTIONS_SHADOW, MONITORING_OUTCOMES)


@table_asset(
    SHADOW_LOSSES,
    code_version="1",
    deps=[on(table) for table in _OF_A_DAY],
    required_resource_keys={"lake"},
)
def shadow_losses(context: dg.AssetExecutionContext) -> Made:
    """The champion's numbers are made again from its scores and its stored calibration, not read as served."""
    from daily_profit_model.modeling.calibration import levels_of
    from daily_profit_model.modeling.intervals import apply_levels
    from daily_profit_model.monitoring.shadow_evaluation import paired_losses

    lake: Lake = context.resources.lake

    def days() -> Iterator[tuple[str, pa.Table]]:
        for day in context.partition_keys:
            scores, calibration, shadow, outcomes = (read(lake, table, [day]) for table in _OF_A_DAY)
            if not (shadow.num_rows and scores.num_rows):
                yield day, SHADOW_LOSSES.schema().empty_table()
                continue
            champion = apply_levels(scores, levels_of(calibration))
            champion = champion.append_column("predicted_net_profit", champion["median"])
            yield day, paired_losses(champion, shadow, outcomes)

    return Made(days(), [Source(table) for table in _OF_A_DAY])


@table_asset(
    SHADOW_EVALUATION,
    code_version="1",
    deps=[on(SHADOW_LOSSES, look_back(LONGEST_DAYS)), DEPLOYED],
    required_resource_keys={"lake", "settings"},
)
def shadow_evaluation(context: dg.AssetExecutionContext) -> Made:
    """Made of the losses alone, so that a day's decision can be made again at any time."""
    from daily_profit_model.monitoring.shadow_evaluation import evaluation_row, plot_evidence

    lake: Lake = context.resources.lake
    settings: Settings = context.resources.settings
    active = Active(lake)
    hashes = HashLookup(lake)
    metadata: dict[str, dict[str, Any]] = {}
    inputs = {}
    for day in context.partition_keys:
        inputs[day] = active.inputs(day) | {
            f"{SHADOW_LOSSES.name}@{earlier}": hashes(SHADOW_LOSSES.name, earlier) for earlier in _since(active, day)
        }

    @lru_cache(maxsize=LONGEST_DAYS)
    def losses_of(day: str) -> pa.Table:
        return read(lake, SHADOW_LOSSES, [day])

    def days() -> Iterator[tuple[str, pa.Table]]:
        for day in context.partition_keys:
            parts = [SHADOW_EVALUATION.schema().empty_table()]
            metadata[day] = {}
            for one in active.on(date.fromisoformat(day)):
                known = pa.concat_tables([SHADOW_LOSSES.schema().empty_table(), *map(losses_of, _since(active, day))])
                known = known.filter(pc.equal(known["deployment"], one.name))
                row = evaluation_row(known, one, active.known, date.fromisoformat(day))
                parts.append(row)
                metadata[day] |= {f"{one.name} {name}": value for name, value in _figures(row).items()}
                if row.num_rows and day == context.partition_keys[-1]:  # one picture a run: it shows the days before
                    picture = settings.reports_dir / "shadow_evaluation" / one.name / f"{day}.png"
                    shown = plot_metadata("evidence_over_time", plot_evidence(known, one, active.known), picture)
                    metadata[day] |= {f"{one.name} {name}": value for name, value in shown.items()}
                    know(context.instance, [one.name])
                    context.log_event(
                        dg.AssetObservation(SHADOWS.key, partition=one.name, metadata={**_figures(row), **shown})
                    )
            yield day, pa.concat_tables(parts)

    return Made(days(), [Source(SHADOW_LOSSES)], inputs=inputs, metadata=metadata)


def _since(active: Active, day: str) -> list[str]:
    """The days of losses that the evaluation of a day reads."""
    first = min((one.from_day for one in active.on(date.fromisoformat(day))), default=None)
    return days_between(first, date.fromisoformat(day)) if first else []


def _figures(row: pa.Table) -> dict[str, Any]:
    """What the UI shows and draws over time."""
    names = ("decision", "rule", "days", "mean_difference", "evidence_better", "evidence_worse")
    return {name: row[name][0].as_py() for name in names} if row.num_rows else {}
