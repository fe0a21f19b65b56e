"""The shadow deployments that serve a share of the accounts: predictions/traffic, and the rows of the day that are theirs.

This is on the path that serves, so nothing of a shadow may stop it: what fails is told in the log and in the rows, and
the champion serves. What all active deployments predict, and how they do, is made elsewhere (`shadow`).
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.defs.calendars import look_back
from daily_profit_model.defs.models.registry import Champion, cutoff_of, load_model
from daily_profit_model.defs.models.shadows import TRAFFIC, Active
from daily_profit_model.defs.predictions.shadow import DEPLOYED
from daily_profit_model.defs.predictions.shadow_past import CALIBRATION_DAYS, PAST_QUERY, ShadowPast, bundle_of
from daily_profit_model.defs.resources.lake_io import Made
from daily_profit_model.defs.table_asset import code_version_of, on, table_asset
from daily_profit_model.engine import Source
from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.lake import Lake, LakeError, read
from daily_profit_model.modeling.contracts import MODELS_CHAMPION, MODELS_TRANSITIONS, MONITORING_CONFORMITY
from daily_profit_model.modeling.serving import Telemetry
from daily_profit_model.modeling.shadow_contracts import PREDICTIONS_TRAFFIC, SHADOW_SCORES
from daily_profit_model.modeling.shadows import Deployment
from daily_profit_model.partitions import days_between
from daily_profit_model.quality.judge import UNREADABLE, content_of
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model.tables.raw import RAW_METRICS_DAILY

_EARLIER_CUT_OFFS = look_back(21, last=-2)


@table_asset(
    PREDICTIONS_TRAFFIC,
    code_version=code_version_of(PAST_QUERY.code, "1"),
    deps=[
        on(FEATURE_SNAPSHOTS),
        DEPLOYED,
        on(MODELS_CHAMPION, _EARLIER_CUT_OFFS),
        on(MODELS_TRANSITIONS),
        on(SHADOW_SCORES, look_back(CALIBRATION_DAYS, last=-1)),
        on(MONITORING_CONFORMITY, look_back(CALIBRATION_DAYS, last=-1)),
        on(RAW_METRICS_DAILY, look_back(CALIBRATION_DAYS, last=-1)),
    ],
    required_resource_keys={"lake", "settings"},
)
def traffic(context: dg.AssetExecutionContext) -> Made:
    """Stored as the champion's calibration is, so that what was served can be made again."""
    lake: Lake = context.resources.lake
    past = ShadowPast(lake)
    # what cannot be read is a failure of the deployment that needs it, so it must not raise here
    contents = {table.name: content_of(lake, table) for table in (SHADOW_SCORES, MONITORING_CONFORMITY)}
    serving = _serving(context, lake)
    inputs: dict[str, dict[str, str | None]] = {}
    for day, deployed in serving.items():
        inputs[day] = {
            f"{name}@{earlier}": content(earlier)
            for earlier in _past_days(day, deployed[0])
            for name, content in contents.items()
        }
        inputs[day][f"{TRAFFIC}@{day}"] = deployed[1]

    def days() -> Iterator[tuple[str, pa.Table]]:
        for day, (deployed, _) in serving.items():
            snapshot = read(lake, FEATURE_SNAPSHOTS, [day]) if deployed else None
            # conformity is there where the outcomes of a day were complete and good
            settled = [
                earlier for earlier in _past_days(day, deployed) if lake.file(MONITORING_CONFORMITY.name, earlier)
            ]
            rows = [
                _row(context, one, day, snapshot, past, settled) for one in deployed if snapshot and snapshot.num_rows
            ]
            yield day, pa.Table.from_pylist(rows, schema=PREDICTIONS_TRAFFIC.schema())

    return Made(days(), [Source(FEATURE_SNAPSHOTS)], inputs=inputs)


Serving = tuple[list[Deployment], str]
"""Who is to serve a day, and the hash of it."""


def _serving(context: dg.AssetExecutionContext, lake: Lake) -> dict[str, Serving]:
    """By day of the run; where nobody can say who serves, nobody but the champion does."""
    try:
        active = Active(lake)
    except LakeError as error:
        context.log.error(f"the champion serves every account: {error}")
        return {day: ([], UNREADABLE) for day in context.partition_keys}
    days = {day: date.fromisoformat(day) for day in context.partition_keys}
    return {name: (active.serving(day), active.traffic_hash(day)) for name, day in days.items()}


def _past_days(day: str, deployed: list[Deployment]) -> list[str]:
    """The days before, of which any of `deployed` may have scores."""
    if not deployed:
        return []
    last = date.fromisoformat(day) - timedelta(days=1)
    first = max(min(one.from_day for one in deployed), last - timedelta(days=CALIBRATION_DAYS - 1))
    return days_between(first, last)


def _row(
    context: dg.AssetExecutionContext,
    one: Deployment,
    day: str,
    snapshot: pa.Table,
    past: ShadowPast,
    settled: list[str],
) -> dict[str, Any]:
    from daily_profit_model.modeling.calibration import version_of
    from daily_profit_model.modeling.scoring import score
    from daily_profit_model.modeling.shadow_scoring import shadow_calibration
    from daily_profit_model.modeling.traffic import text_of

    known = {name: getattr(one, name) for name in ("number", "traffic", "model_hash")}
    known |= {"prediction_date": date.fromisoformat(day), "deployment": one.name, "model_version": one.version}
    try:
        model = load_model(bundle_of(one))
        calibration = shadow_calibration(model, score(model, snapshot), past.conformity_of(one.name, settled))
        return known | {"calibration_version": version_of(calibration), "calibration": text_of(calibration)}
    except Exception as error:
        context.log.error(f"{one.name} serves nobody on {day}, the champion does: {error}")
        return known | {"failure": type(error).__name__}


def shared_out(
    context: dg.AssetExecutionContext, day: str, rows: pa.Table, snapshot: pa.Table, telemetry: Telemetry
) -> pa.Table:
    """`rows`, the champion's of a whole day, those of the accounts in a shadow's traffic replaced by the shadow's."""
    from daily_profit_model.modeling.traffic import assigned, served_by

    deployed = read(context.resources.lake, PREDICTIONS_TRAFFIC, [day]).sort_by("number").to_pylist()
    if not deployed:
        return rows
    accounts = rows["account_id"].to_pylist()
    servers = assigned(accounts, [(row["deployment"], row["traffic"]) for row in deployed])
    made, is_made = [], pa.repeat(False, len(servers))
    for row in (row for row in deployed if row["failure"] is None):
        own = pc.equal(pa.array(servers, pa.string()), row["deployment"])
        try:
            model = load_model(Champion(row["model_version"], row["model_hash"], cutoff_of(row["model_version"])))
            told = replace(telemetry, served_by=row["deployment"])
            made.append(served_by(row, model, snapshot, rows["account_id"].filter(own), told))
        except Exception as error:
            context.log.error(f"{row['deployment']} serves nobody on {day}, the champion does: {error}")
        else:
            is_made = pc.or_(is_made, own)
    schema = PREDICTIONS_ACCOUNT_DAILY.schema()
    return pa.concat_tables([part.cast(schema) for part in (rows.filter(pc.invert(is_made)), *made)])
