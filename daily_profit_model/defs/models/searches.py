"""A search for parameters on one cut-off's training set: its rows of models/tuning and what the UI shows of it.

Here: what it is given and what is made of it. The search itself is `modeling.tuning`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import dagster as dg
import pyarrow as pa

from daily_profit_model.cache import Cache
from daily_profit_model.defs.models.designs import design_key, kept_design
from daily_profit_model.defs.models.tunings import beside_others
from daily_profit_model.defs.resources.plots import plot_metadata
from daily_profit_model.lake import Lake
from daily_profit_model.modeling.plots import plot_tuning
from daily_profit_model.modeling.studies import StudyStore
from daily_profit_model.modeling.tuning import Trial, Tuned, importances, study_name, tune, tuning_table
from daily_profit_model.settings import Settings

if TYPE_CHECKING:
    from daily_profit_model.modeling.matrix import ModelFeature
    from daily_profit_model.modeling.training import TrainSettings


def search(
    lake: Lake,
    settings: Settings,
    cutoff: str,
    features: Sequence[ModelFeature],
    parameters: TrainSettings,
    *,
    trials: int,
    seed: int,
    say: Callable[[str], None],
) -> tuple[pa.Table, dict[str, dg.MetadataValue]]:
    """The rows of models/tuning at `cutoff` and their metadata; `say` hears a line a trial."""

    def told(done: Trial, best: Trial) -> None:
        count = "1 fold" if done.folds == 1 else f"{done.folds} folds"
        what = f"{done.value:,.2f} USD" if done.state == "complete" else f"pruned after {count}"
        which = f"trial {best.number}" if best.number else "the defaults"
        say(
            f"trial {done.number:>3} ({done.number + 1} of {trials}): {what:<20} best so far {best.value:,.2f} USD, {which}"
        )

    design = kept_design(lake, Cache(settings.cache_dir), cutoff, features, parameters)
    study = study_name(design_key(lake, cutoff, features, parameters).digest, parameters, seed)
    store = StudyStore(settings.tuning_dir, settings.dpm_database_url.get_secret_value())
    tuned = tune(design, parameters, study=study, trials=trials, storage=store, seed=seed, progress=told)
    rows = tuning_table(tuned, design, parameters)
    picture = settings.reports_dir / "tuning" / f"{cutoff}-{parameters.objective}.png"
    shown = plot_metadata("trials", plot_tuning(rows, importances(tuned)), picture)
    return beside_others(lake, rows, cutoff), {**shown, **_facts(tuned, parameters)}


def _facts(tuned: Tuned, parameters: TrainSettings) -> dict[str, dg.MetadataValue]:
    best, defaults = tuned.best, tuned.defaults
    gain, surely, _ = tuned.gain(best)
    return {
        "objective": dg.MetadataValue.text(parameters.objective),
        "study": dg.MetadataValue.text(tuned.study),
        "trials_done": dg.MetadataValue.int(len(tuned.trials)),
        "trials_pruned": dg.MetadataValue.int(sum(trial.state == "pruned" for trial in tuned.trials)),
        "best_value": dg.MetadataValue.float(best.value),
        "defaults_value": dg.MetadataValue.float(defaults.value),
        "better_than_defaults": dg.MetadataValue.float(gain),
        "surely_better_by": dg.MetadataValue.float(surely),
        "chosen_trial": dg.MetadataValue.int(tuned.chosen.number),
        "chosen_parameters": dg.MetadataValue.json(dict(tuned.chosen.parameters)),
    }
