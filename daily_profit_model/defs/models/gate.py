"""What the gate is given: a cut-off's version, its training set and its checks, and the champion on the same days.

How it decides belongs to `modeling.gate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.cache import Cache
from daily_profit_model.defs.models.designs import kept_design
from daily_profit_model.defs.models.registry import Champion, acts, cutoff_of, load_model, transitions
from daily_profit_model.defs.training.checks import RULES
from daily_profit_model.lake import Lake, read
from daily_profit_model.modeling.acts import changes, holder
from daily_profit_model.modeling.contracts import MODELS_NET_PROFIT
from daily_profit_model.quality.evaluate import evaluate
from daily_profit_model.quality.load import load
from daily_profit_model.settings import Settings

if TYPE_CHECKING:
    from daily_profit_model.modeling.bundle import Model
    from daily_profit_model.modeling.design import Design
    from daily_profit_model.modeling.gate import Incumbent
    from daily_profit_model.modeling.matrix import ModelFeature
    from daily_profit_model.modeling.training import TrainSettings


def pass_gate(
    lake: Lake, settings: Settings, cutoff: str, features: Sequence[ModelFeature], code_version: str
) -> pa.Table:
    """The decision on the version of `cutoff` as rows of models/champion; a second row where a baseline serves.

    The version's bundle must be in the models' folder; a baseline that serves is put there.
    """
    from daily_profit_model.modeling.bundle import load as load_bundle
    from daily_profit_model.modeling.bundle import save
    from daily_profit_model.modeling.gate import baseline_serves, decide
    from daily_profit_model.modeling.registry import DAYS_FROM_CUTOFF_TO_SERVICE, transitions_table
    from daily_profit_model.modeling.training import TrainSettings, baseline_on

    parameters = TrainSettings()
    row = read(lake, MODELS_NET_PROFIT, [cutoff]).to_pylist()[0]
    version = load_bundle(settings.models_dir / row["folder"])
    design = kept_design(lake, Cache(settings.cache_dir), cutoff, features, parameters)
    start = date.fromisoformat(cutoff) + timedelta(days=DAYS_FROM_CUTOFF_TO_SERVICE)
    incumbent = _incumbent(lake, cutoff, start, version, design, parameters)
    decision = decide(version.manifest, champion=incumbent, failed_checks=failed_checks(lake, cutoff))
    made = [decision]
    if decision.decision == "refused" and (incumbent is None or incumbent.kind != "boosters"):
        trained = baseline_on(
            design,
            version.manifest["scores"]["skill"]["best_baseline"],
            settings=parameters,
            data_versions=dict(version.manifest["data_versions"]),
            code_version=code_version,
        )
        save(trained.model, settings.models_dir)
        made.append(baseline_serves(trained.model.manifest, decision))
    return transitions_table(made)


def failed_checks(lake: Lake, cutoff: str) -> list[str]:
    """The rules of severity error that the training set of `cutoff` breaks, with what was seen."""
    of_errors = [rule for rule in RULES if rule.severity == "error"]
    outcomes = evaluate(of_errors, partial(load, lake), [cutoff])
    return [
        f"{outcome.rule.id}{f' ({outcome.error})' if outcome.error else ''}"
        for outcome in outcomes
        if not outcome.passed
    ]


def _incumbent(
    lake: Lake, cutoff: str, start: date, version: Model, design: Design, parameters: TrainSettings
) -> Incumbent | None:
    """Who serves the first day that the version could serve, by decisions on earlier cut-offs and by acts."""
    from daily_profit_model.modeling.comparison import compare_on
    from daily_profit_model.modeling.gate import Incumbent
    from daily_profit_model.modeling.matrix import ModelMismatchError

    decided = transitions(lake)
    earlier = decided.filter(pc.less(decided["cutoff"], pa.scalar(date.fromisoformat(cutoff), pa.date32())))
    found = holder(changes(earlier, acts(lake)), "champion", start)
    if found is None:
        return None
    model = load_model(Champion(found.version, found.model_hash, cutoff_of(found.version)))
    if model.baseline is not None:
        return Incumbent(found.version, "baseline")
    try:
        compared = compare_on(design, [version, model], parameters.intervals)
    except ModelMismatchError as reason:
        return Incumbent(found.version, "unusable", why=str(reason))
    except ValueError as reason:  # it has learnt from these days
        return Incumbent(found.version, "boosters", why=str(reason))
    return Incumbent(found.version, "boosters", compared.difference(version.version, found.version))
