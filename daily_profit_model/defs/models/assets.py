"""The model layer: one content-addressed version a weekly cut-off, and who is in force from which day."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from functools import partial

import dagster as dg
import pyarrow as pa
from pydantic import Field

from daily_profit_model.cache import Cache
from daily_profit_model.defs.calendars import cut_off_before, cut_offs_up_to
from daily_profit_model.defs.models.designs import kept_design
from daily_profit_model.defs.models.report import model_report, report_folder, write_decided_cards
from daily_profit_model.defs.models.tunings import settings_of, tuned_settings, tuning_in_use, tuning_inputs
from daily_profit_model.defs.resources import progress
from daily_profit_model.defs.resources.lake_io import Made
from daily_profit_model.defs.resources.plots import plot_metadata
from daily_profit_model.defs.table_asset import on, table_asset
from daily_profit_model.engine import Source
from daily_profit_model.features import CATALOGUE
from daily_profit_model.features.training_set import TRAINING_ACCOUNT_DAILY
from daily_profit_model.lake import Lake
from daily_profit_model.lake.staleness import HashLookup
from daily_profit_model.modeling.boosting import BoosterSettings
from daily_profit_model.modeling.contracts import MODELS_CHAMPION, MODELS_NET_PROFIT, MODELS_TUNING
from daily_profit_model.modeling.matrix import FeatureKind, ModelFeature
from daily_profit_model.settings import Settings

MODEL_CODE_VERSION = "5"
"""Raise it when the same training set would give another model."""

TUNING_CODE_VERSION = "1"
"""Raise it when the same training set would be searched otherwise."""

GATE_CODE_VERSION = "3"
"""Raise it when the same version would be decided on otherwise."""

_KINDS: dict[str, FeatureKind] = {"number": "numeric", "count": "numeric", "category": "category", "flag": "flag"}
MODEL_FEATURES = tuple(ModelFeature(feature.name, _KINDS[feature.kind]) for feature in CATALOGUE)


class Search(dg.Config):
    """What models/tuning is told."""

    objective: str = Field("", description="l1, huber, fair or two_part; empty: what a training takes by default")
    trials: int = Field(50, ge=1, description="Trials of the search, those of a stopped one included")
    seed: int = Field(BoosterSettings().seed, ge=0, description="Seed of the search")


class Objective(dg.Config):
    """What models/net_profit is told."""

    objective: str = Field("", description="l1, huber, fair or two_part; empty: what a training takes by default")
    dask: str = Field("", description="Dask scheduler whose workers train, tcp://host:port or local:N; empty: none")


@table_asset(
    MODELS_TUNING,
    code_version=TUNING_CODE_VERSION,
    deps=[on(TRAINING_ACCOUNT_DAILY)],
    kinds=("optuna", "lightgbm"),
    required_resource_keys={"lake", "settings"},
)
def tuning(context: dg.AssetExecutionContext, config: Search) -> Made:
    from daily_profit_model.defs.models.searches import search

    lake: Lake = context.resources.lake
    settings: Settings = context.resources.settings
    parameters = settings_of(config.objective)
    metadata: dict[str, dict[str, dg.MetadataValue]] = {}

    def say(line: str) -> None:
        context.log.info(line)
        progress.say(line)

    def days() -> Iterator[tuple[str, pa.Table]]:
        for cutoff in context.partition_keys:
            rows, metadata[cutoff] = search(
                lake, settings, cutoff, MODEL_FEATURES, parameters, trials=config.trials, seed=config.seed, say=say
            )
            yield cutoff, rows

    return Made(days(), [Source(TRAINING_ACCOUNT_DAILY)], metadata=metadata)


@table_asset(
    MODELS_NET_PROFIT,
    code_version=MODEL_CODE_VERSION,
    deps=[on(TRAINING_ACCOUNT_DAILY), on(MODELS_TUNING, cut_offs_up_to())],
    kinds=("lightgbm",),
    required_resource_keys={"lake", "settings"},
)
def net_profit(context: dg.AssetExecutionContext, config: Objective) -> Made:
    from daily_profit_model.modeling.boosting import fit_boosters
    from daily_profit_model.modeling.bundle import save
    from daily_profit_model.modeling.cluster import cluster, fit_boosters_on
    from daily_profit_model.modeling.plots import plot_test_days
    from daily_profit_model.modeling.registry import version_row
    from daily_profit_model.modeling.training import Fit, train_on

    lake: Lake = context.resources.lake
    settings: Settings = context.resources.settings
    inputs: dict[str, dict[str, str | None]] = {}
    metadata: dict[str, dict[str, dg.MetadataValue]] = {}
    defaults = settings_of(config.objective)

    def days() -> Iterator[tuple[str, pa.Table]]:
        hashes = HashLookup(lake)
        with ExitStack() as stack:
            fit = partial(fit_boosters_on, stack.enter_context(cluster(config.dask))) if config.dask else fit_boosters
            yield from versions(hashes, fit)

    def versions(hashes: HashLookup, fit: Fit) -> Iterator[tuple[str, pa.Table]]:
        for cutoff in context.partition_keys:
            found = tuning_in_use(lake, cutoff, defaults.objective)
            parameters = tuned_settings(defaults, found)
            design = kept_design(lake, Cache(settings.cache_dir), cutoff, MODEL_FEATURES, parameters)
            trained = train_on(
                design,
                settings=parameters,
                data_versions={
                    f"{TRAINING_ACCOUNT_DAILY.name}@{cutoff}": hashes(TRAINING_ACCOUNT_DAILY.name, cutoff) or ""
                },
                code_version=MODEL_CODE_VERSION,
                tuning=None if found is None else found.described,
                fit=fit,
            )
            save(trained.model, settings.models_dir)
            inputs[cutoff] = tuning_inputs(cutoff, defaults.objective, found)
            plot = plot_test_days(trained.test_predictions)
            picture = report_folder(settings, trained.model.version) / "test_days.png"
            metadata[cutoff] = {
                **plot_metadata("test_days", plot, picture),
                **model_report(lake, settings, trained.model, design),
                "version": dg.MetadataValue.text(trained.model.version),
                "objective": dg.MetadataValue.text(defaults.objective),
                "parameters": dg.MetadataValue.text("the defaults" if found is None else found.words),
                "skill": dg.MetadataValue.float(trained.evaluation.skill.value),
                "coverage_90": dg.MetadataValue.float(trained.evaluation.coverage_90),
                "scores": dg.MetadataValue.json(trained.evaluation.as_dict()),
            }
            yield cutoff, version_row(trained.model)

    return Made(days(), [Source(TRAINING_ACCOUNT_DAILY)], inputs=inputs, metadata=metadata)


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
