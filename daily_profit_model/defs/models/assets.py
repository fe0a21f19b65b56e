"""The model layer: one content-addressed version a weekly cut-off, and who is in force from which day."""

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.cache import Cache
from daily_profit_model.defs.calendars import cut_off_before
from daily_profit_model.defs.models.designs import kept_design
from daily_profit_model.defs.models.registry import transitions
from daily_profit_model.defs.resources.lake_io import Made
from daily_profit_model.defs.resources.plots import plot_metadata
from daily_profit_model.defs.table_asset import on, table_asset
from daily_profit_model.engine import Source
from daily_profit_model.features import CATALOGUE
from daily_profit_model.features.training_set import TRAINING_ACCOUNT_DAILY
from daily_profit_model.lake import Lake, read
from daily_profit_model.lake.staleness import HashLookup
from daily_profit_model.modeling.contracts import MODELS_CHAMPION, MODELS_NET_PROFIT
from daily_profit_model.modeling.matrix import FeatureKind, ModelFeature
from daily_profit_model.settings import Settings

MODEL_CODE_VERSION = "2"
"""Raise it when the same training set would give another model."""

_KINDS: dict[str, FeatureKind] = {"number": "numeric", "count": "numeric", "category": "category", "flag": "flag"}
MODEL_FEATURES = tuple(ModelFeature(feature.name, _KINDS[feature.kind]) for feature in CATALOGUE)


@table_asset(
    MODELS_NET_PROFIT,
    code_version=MODEL_CODE_VERSION,
    deps=[on(TRAINING_ACCOUNT_DAILY)],
    kinds=("lightgbm",),
    required_resource_keys={"lake", "settings"},
)
def net_profit(context: dg.AssetExecutionContext) -> Made:
    from daily_profit_model.modeling.bundle import save
    from daily_profit_model.modeling.plots import plot_test_days
    from daily_profit_model.modeling.registry import version_row
    from daily_profit_model.modeling.training import TrainSettings, train_on

    lake: Lake = context.resources.lake
    settings: Settings = context.resources.settings
    metadata: dict[str, dict[str, dg.MetadataValue]] = {}
    parameters = TrainSettings()

    def days() -> Iterator[tuple[str, pa.Table]]:
        hashes = HashLookup(lake)
        for cutoff in context.partition_keys:
            trained = train_on(
                kept_design(lake, Cache(settings.cache_dir), cutoff, MODEL_FEATURES, parameters),
                settings=parameters,
                data_versions={
                    f"{TRAINING_ACCOUNT_DAILY.name}@{cutoff}": hashes(TRAINING_ACCOUNT_DAILY.name, cutoff) or ""
                },
                code_version=MODEL_CODE_VERSION,
            )
            save(trained.model, settings.models_dir)
            plot = plot_test_days(trained.test_predictions)
            metadata[cutoff] = {
                **plot_metadata("test_days", plot, settings.reports_dir / "models" / f"{trained.model.version}.png"),
                "version": dg.MetadataValue.text(trained.model.version),
                "skill": dg.MetadataValue.float(trained.evaluation.skill.value),
                "coverage_90": dg.MetadataValue.float(trained.evaluation.coverage_90),
                "scores": dg.MetadataValue.json(trained.evaluation.as_dict()),
            }
            yield cutoff, version_row(trained.model)

    return Made(days(), [Source(TRAINING_ACCOUNT_DAILY)], metadata=metadata)


@table_asset(
    MODELS_CHAMPION,
    code_version=MODEL_CODE_VERSION,
    deps=[on(MODELS_NET_PROFIT), on(MODELS_CHAMPION, cut_off_before())],
    required_resource_keys={"lake", "settings"},
)
def champion(context: dg.AssetExecutionContext) -> Made:
    """The decision on each cut-off's version, by its own test days, knowing the decisions before it."""
    from daily_profit_model.modeling.bundle import load
    from daily_profit_model.modeling.registry import DAYS_FROM_CUTOFF_TO_SERVICE, decide, in_force, transitions_table

    lake: Lake = context.resources.lake
    settings: Settings = context.resources.settings
    inputs: dict[str, dict[str, str | None]] = {}

    def days() -> Iterator[tuple[str, pa.Table]]:
        for cutoff in context.partition_keys:
            version = read(lake, MODELS_NET_PROFIT, [cutoff]).to_pylist()[0]
            manifest = load(settings.models_dir / version["folder"]).manifest
            known = transitions(lake)
            earlier = known.filter(pc.less(known["cutoff"], pa.scalar(date.fromisoformat(cutoff), pa.date32())))
            before = (date.fromisoformat(cutoff) - timedelta(days=7)).isoformat()
            hashes = HashLookup(lake)
            inputs[cutoff] = {f"{MODELS_CHAMPION.name}@{before}": hashes(MODELS_CHAMPION.name, before)}
            start = date.fromisoformat(cutoff) + timedelta(days=DAYS_FROM_CUTOFF_TO_SERVICE)
            yield cutoff, transitions_table([decide(manifest, champion=in_force(earlier, start))])

    return Made(days(), [Source(MODELS_NET_PROFIT)], inputs=inputs)
