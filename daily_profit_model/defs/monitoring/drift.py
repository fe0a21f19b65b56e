"""The monitoring layer, on drift: each morning's features and predictions against what the champion learnt from."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import dagster as dg
import pyarrow as pa

from daily_profit_model.cache import Cache, CacheKey
from daily_profit_model.defs.calendars import day_before
from daily_profit_model.defs.models.registry import cutoff_of
from daily_profit_model.defs.predictions.lineage import model_behind
from daily_profit_model.defs.resources.lake_io import Made
from daily_profit_model.defs.resources.plots import plot_metadata
from daily_profit_model.defs.table_asset import on, table_asset
from daily_profit_model.engine import Source
from daily_profit_model.features import catalogue_hash
from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.features.training_set import TRAINING_ACCOUNT_DAILY
from daily_profit_model.lake import Lake, read
from daily_profit_model.lake.staleness import HashLookup
from daily_profit_model.modeling.contracts import MODEL_SCORES
from daily_profit_model.settings import Settings
from daily_profit_model.tables.drift import MONITORING_DRIFT
from daily_profit_model.tables.monitoring import MONITORING_OUTCOMES

DRAWN_DAYS = 60
"""Days that the picture of drift shows."""

BLAMED = 10
"""Features that the metadata list."""


@table_asset(
    MONITORING_DRIFT,
    code_version="1",
    deps=[
        on(FEATURE_SNAPSHOTS),
        on(MODEL_SCORES),
        on(MONITORING_OUTCOMES, day_before()),
        on(MONITORING_DRIFT, day_before()),
    ],
    required_resource_keys={"lake", "settings"},
)
def drift(context: dg.AssetExecutionContext) -> Made:
    from daily_profit_model.monitoring.drift_table import drift_rows, version_of

    lake: Lake = context.resources.lake
    settings: Settings = context.resources.settings
    inputs: dict[str, dict[str, str | None]] = {}
    metadata: dict[str, dict[str, object]] = {}
    past = OwnPast(lake)

    def days() -> Iterator[tuple[str, pa.Table]]:
        hashes = HashLookup(lake)
        for day in context.partition_keys:
            scores = read(lake, MODEL_SCORES, [day])
            if not scores.num_rows:
                yield day, MONITORING_DRIFT.schema().empty_table()
                continue
            model = model_behind(scores)
            watched, inputs[day] = kept_watched(lake, Cache(settings.cache_dir), model, hashes)
            before, own = past.before(day, watched, model.hash)
            inputs[day] |= own
            rows = drift_rows(
                date.fromisoformat(day), rows_of_day(lake, day, scores), watched, version_of(model), before
            )
            metadata[day] = _of_drift(rows)
            if day == context.partition_keys[-1]:  # one picture a run: it shows the days before, too
                metadata[day] |= _picture(lake, rows, day, settings)
            yield day, rows

    sources = [
        Source(FEATURE_SNAPSHOTS),
        Source(MODEL_SCORES),
        Source(MONITORING_OUTCOMES, first=-1, last=-1, optional=True),
        Source(MONITORING_DRIFT, first=-1, last=-1, is_own_past=True),
    ]
    return Made(days(), sources, inputs=inputs, metadata=metadata)


def rows_of_day(lake: Lake, day: str, scores: pa.Table) -> dict[str, pa.Table | None]:
    """What is watched of a predicted day, by kind."""
    from daily_profit_model.monitoring.drift_reference import prediction_columns, target_column

    yesterday = (date.fromisoformat(day) - timedelta(days=1)).isoformat()
    settled = None
    if lake.file(MONITORING_OUTCOMES.name, yesterday) is not None:
        settled = target_column(read(lake, MONITORING_OUTCOMES, [yesterday], columns=["net_profit"])["net_profit"])
    return {
        "feature": read(lake, FEATURE_SNAPSHOTS, [day]),
        "prediction": prediction_columns(scores),
        "target": settled,
    }


def kept_watched(lake: Lake, cache: Cache, model: Any, hashes: HashLookup) -> tuple[Any, dict[str, str | None]]:
    """What is watched of a model, simulated once a version, and the inputs that it rests on beside the bundle."""
    from daily_profit_model.monitoring import drift_detection
    from daily_profit_model.monitoring.drift_reference import CODE_VERSION, watched_of, watched_table

    cutoff = cutoff_of(model.version).isoformat()
    inputs = {f"{TRAINING_ACCOUNT_DAILY.name}@{cutoff}": hashes(TRAINING_ACCOUNT_DAILY.name, cutoff)}
    configuration = {"model_hash": model.hash, "replays": drift_detection.REPLAYS}
    key = CacheKey(inputs, CODE_VERSION, catalogue_hash(), configuration)
    table = cache.get_or_compute(key, lambda: watched_table(model, read(lake, TRAINING_ACCOUNT_DAILY, [cutoff])))
    return watched_of(table), inputs


class OwnPast:
    """Days of monitoring/drift before those of a run, and those that the run stores; each is read once."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._known: dict[str, tuple[str, Any]] = {}

    def before(self, day: str, watched: Any, model_hash: str) -> tuple[list[Any], dict[str, str | None]]:
        """The days before `day` since the version began to serve, ascending, and their content hashes as inputs."""
        from daily_profit_model.monitoring.drift_table import PAST_DAYS

        first = (date.fromisoformat(day) - timedelta(days=PAST_DAYS)).isoformat()
        found: list[Any] = []
        inputs: dict[str, str | None] = {}
        for earlier in reversed([name for name in self._lake.partitions(MONITORING_DRIFT.name) if first <= name < day]):
            content_hash, own = self._day(earlier, watched, model_hash)
            inputs[f"{MONITORING_DRIFT.name}@{earlier}"] = content_hash
            if own is None:
                break
            found.append(own)
        return found[::-1], inputs

    def _day(self, day: str, watched: Any, model_hash: str) -> tuple[str, Any]:
        from daily_profit_model.monitoring.drift_table import PAST_COLUMNS, past_day

        key = f"{day} {model_hash}"
        if key not in self._known:
            file = self._lake.describe(MONITORING_DRIFT.name, day)
            rows = read(self._lake, MONITORING_DRIFT, [day], columns=PAST_COLUMNS)
            self._known[key] = (file.content_hash if file else "", past_day(rows, watched, model_hash))
        return self._known[key]


def _of_drift(rows: pa.Table) -> dict[str, Any]:
    """What the UI draws over time, and the features to blame as a table."""
    from daily_profit_model.monitoring.drift_table import blamed, summary

    listed = [dg.TableRecord(dict(row)) for row in blamed(rows, BLAMED)]
    return {**summary(rows), **({"blame": dg.MetadataValue.table(listed)} if listed else {})}


def _picture(lake: Lake, rows: pa.Table, day: str, settings: Settings) -> Mapping[str, dg.MetadataValue]:
    from daily_profit_model.monitoring.drift_plots import plot_drift

    columns = ["prediction_date", "column_name", "statistic", "rise", "is_alarm"]
    first = (date.fromisoformat(day) - timedelta(days=DRAWN_DAYS - 1)).isoformat()
    before = [name for name in lake.partitions(MONITORING_DRIFT.name) if first <= name < day]
    drawn = pa.concat_tables([read(lake, MONITORING_DRIFT, before, columns=columns), rows.select(columns)])
    return plot_metadata("drift_over_time", plot_drift(drawn), settings.reports_dir / "drift" / f"{day}.png")
