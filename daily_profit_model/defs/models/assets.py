"""The model layer: one content-addressed version a weekly cut-off, and who is in force from which day."""

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg
import pyarrow as pa

from daily_profit_model.cache import Cache
from daily_profit_model.defs.calendars import cut_off_before
from daily_profit_model.defs.models.designs import kept_design
from daily_profit_model.defs.models.report import model_report, report_folder, write_decided_cards
from daily_profit_model.defs.resources.lake_io import Made
from daily_profit_model.defs.resources.plots import plot_metadata
from daily_profit_model.defs.table_asset import on, table_asset
from daily_profit_model.engine import Source
from daily_profit_model.features import CATALOGUE
from daily_profit_model.features.training_set import TRAINING_ACCOUNT_DAILY
from daily_profit_model.lake import Lake
from daily_profit_model.lake.staleness import HashLookup
from daily_profit_model.modeling.contracts import MODELS_CHAMPION, MODELS_NET_PROFIT
from daily_profit_model.modeling.matrix import FeatureKind, ModelFeature
from daily_profit_model.settings import Settings

MODEL_CODE_VERSION = "5"
"""Raise it when the same training set would give another model."""

GATE_CODE_VERSION = "3"
"""Raise it when the same version would be decided on otherwise."""

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
            design = kept_design(lake, Cache(settings.cache_dir), cutoff, MODEL_FEATURES, parameters)
            trained = train_on(
                design,
                settings=parameters,
                data_versions={
                    f"{TRAINING_ACCOUNT_DAILY.name}@{cutoff}": hashes(TRAINING_ACCOUNT_DAILY.name, cutoff) or ""
                },
                code_version=MODEL_CODE_VERSION,
            )
            save(trained.model, settings.models_dir)
            plot = plot_test_days(trained.test_predictions)
            picture = report_folder(settings, trained.model.version) / "test_days.png"
            metadata[cutoff] = {
                **plot_metadata("test_days", plot, picture),
                **model_report(lake, settings, trained.model, design),
                "version": dg.MetadataValue.text(trained.model.version),
                "skill": dg.MetadataValue.float(trained.evaluation.skill.value),
                "coverage_90": dg.MetadataValue.float(trained.evaluation.coverage_90),
                "scores": dg.MetadataValue.json(trained.evaluation.as_dict()),
            }
            yield cutoff, version_row(trained.model)

    return Made(days(), [Source(TRAINING_ACCOUNT_DAILY)], metadata=metadata)


@table_asset(
    MODELS_CHAMPION,
    code_version=GATE_CODE_VERSION,
    deps=[on(TRAINING_ACCOUNT_DAILY), on(MODELS_NET_PROFIT), on(MODELS_CHAMPION, cut_off_before())],
    required_resource_keys={"lake", "settings"},
)
def champion(context: dg.AssetExecutionContext) -> Made:
    """The gate's decision on each cut-off's version, knowing the decisions before it; a baseline where none may serve."""
    from daily_profit_model.defs.models.gate import pass_gate

    lake: Lake = context.resources.lake
    settings: Settings = context.resources.settings
    inputs: dict[str, dict[str, str | None]] = {}
    metadata: dict[str, dict[str, dg.MetadataValue]] = {}

    def days() -> Iterator[tuple[str, pa.Table]]:
        for cutoff in context.partition_keys:
            decisions = pass_gate(lake, settings, cutoff, MODEL_FEATURES, MODEL_CODE_VERSION)
            write_decided_cards(lake, settings, decisions)
            before = (date.fromisoformat(cutoff) - timedelta(days=7)).isoformat()
            inputs[cutoff] = {f"{MODELS_CHAMPION.name}@{before}": HashLookup(lake)(MODELS_CHAMPION.name, before)}
            metadata[cutoff] = {
                row["version"]: dg.MetadataValue.text(f"{row['decision']}: {row['reason']}")
                for row in decisions.to_pylist()
            }
            yield cutoff, decisions

    return Made(days(), [Source(TRAINING_ACCOUNT_DAILY), Source(MODELS_NET_PROFIT)], inputs=inputs, metadata=metadata)
