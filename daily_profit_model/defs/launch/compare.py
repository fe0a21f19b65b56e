"""`dpm models compare`: two versions' figures side by side, and both on the same days."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table as Grid

from daily_profit_model.defs.launch.flat import cell, flat
from daily_profit_model.defs.launch.versions import known_versions, resolve
from daily_profit_model.defs.models.registry import hash_lookup
from daily_profit_model.features.training_set import TRAINING_ACCOUNT_DAILY
from daily_profit_model.lake import Lake, LakeError
from daily_profit_model.settings import Settings, WrongUse

if TYPE_CHECKING:
    from daily_profit_model.modeling.bundle import Model
    from daily_profit_model.modeling.comparison import Comparison

_COMPARED = ("forecaster", "cutoff", "split", "rows", "scores", "trees")
"""The parts of a manifest that are set side by side."""


def compare_versions(settings: Settings, first: str, second: str, *, as_json: bool) -> int:
    """Print two versions' figures side by side, and the difference of their losses on the same days.

    Returns 1 when the losses cannot be compared on the same days, saying why. Raises WrongUse, BundleError.
    """
    from daily_profit_model.modeling.bundle import load
    from daily_profit_model.modeling.importance import stability_of, stability_words

    lake = Lake(settings.lake_root)
    known = known_versions(lake, settings.models_dir)
    names = [resolve(text, known) for text in (first, second)]
    if names[0] == names[1]:
        raise WrongUse(f"{names[0]} cannot be compared with itself")
    models = [load(settings.models_dir / name) for name in names]
    found = [dict(flat({part: model.manifest.get(part) for part in _COMPARED})) for model in models]
    figures = {name: [values.get(name) for values in found] for name in dict.fromkeys(chain(*found))}
    judge = max(models, key=lambda model: (model.manifest["cutoff"], model.version))
    stable = stability_of(models[0].manifest, models[1].manifest)
    why_not, paired = "", None
    try:
        paired = _paired(settings, lake, models, judge)
    except (LakeError, ValueError) as error:
        why_not = str(error)
    if as_json:
        told = {"versions": names, "figures": figures, "paired": paired, "why_not": why_not or None}
        print(json.dumps({**told, "importances": asdict(stable) if stable else None}, indent=2))
        return 0 if paired else 1
    grid = Grid(box=None, pad_edge=False)
    for name in ("", *names):
        grid.add_column(name, justify="right" if name else "left", no_wrap=True)
    for name, values in figures.items():
        grid.add_row(name, *(cell(value) for value in values))
    Console(highlight=False, width=max(Console().width, 132)).print(grid)
    if stable:
        print(f"\nimportances of {names[1]} {stability_words(stable, names[0])}")
    print(_paired_words(paired) if paired else f"\nnot compared on the same days: {why_not}")
    return 0 if paired else 1


def compare_as_served(settings: Settings, lake: Lake, models: Sequence[Model], judge: Model) -> Comparison:
    """`models` on the test days of `judge`, from the training partition of its cut-off. Raises LakeError, ValueError."""
    from daily_profit_model.cache import Cache
    from daily_profit_model.defs.models.assets import MODEL_FEATURES
    from daily_profit_model.defs.models.designs import kept_design
    from daily_profit_model.modeling.baselines import BaselineSettings
    from daily_profit_model.modeling.comparison import compare_on
    from daily_profit_model.modeling.intervals import IntervalSettings
    from daily_profit_model.modeling.splits import SplitSettings
    from daily_profit_model.modeling.training import TrainSettings

    cutoff = judge.manifest["cutoff"]
    if lake.file(TRAINING_ACCOUNT_DAILY.name, cutoff) is None:
        raise LakeError(f"{TRAINING_ACCOUNT_DAILY.name} of {cutoff} is not in the lake: dpm run --stages training")
    stored = judge.manifest["settings"]
    own = replace(
        TrainSettings(),
        split=SplitSettings(**stored["split"]),
        baselines=BaselineSettings(**stored["baselines"]),
        intervals=IntervalSettings(**stored["intervals"]),
    )
    design = kept_design(lake, Cache(settings.cache_dir), cutoff, MODEL_FEATURES, own)
    return compare_on(design, models, own.intervals)


def _paired(settings: Settings, lake: Lake, models: Sequence[Model], judge: Model) -> dict[str, Any]:
    found = compare_as_served(settings, lake, models, judge)
    names = [model.version for model in models]
    hashes = hash_lookup(lake)
    is_same = all(
        hashes(*_table_and_partition(name)) == content for name, content in judge.manifest["data_versions"].items()
    )
    return {
        "judge": judge.version,
        "rows_as_trained_on": is_same,
        "from": found.days[0].isoformat(),
        "to": found.days[-1].isoformat(),
        "days": len(found.days),
        "rows": found.rows,
        "losses": {name: dict(zip(("05", "50", "95"), found.losses[name].mean(axis=0).tolist())) for name in names},
        "difference": asdict(found.difference(names[0], names[1])),
        "of": names,
    }


def _paired_words(paired: Mapping[str, Any]) -> str:
    first, second = paired["of"]
    difference = paired["difference"]
    excludes = difference["lower"] > 0 or difference["upper"] < 0
    means = {name: sum(losses.values()) / len(losses) for name, losses in paired["losses"].items()}
    changed = "" if paired["rows_as_trained_on"] else "; the rows have been made anew since it was trained"
    return (
        f"\nboth on the {paired['days']} test days of {paired['judge']}, {paired['from']} … {paired['to']}, "
        f"{paired['rows']:,} rows, intervals calibrated as in service{changed}:\n"
        f"  pinball loss of the served 5 %, 50 % and 95 %: {means[first]:,.4f} and {means[second]:,.4f} USD\n"
        f"  {first} loses {abs(difference['relative']):.2%} {'more' if difference['value'] > 0 else 'less'}: "
        f"{difference['value']:+,.4f} USD [{difference['lower']:+,.4f}, {difference['upper']:+,.4f}], "
        f"{'which excludes zero' if excludes else 'which does not exclude zero'} (a day being one observation)"
    )


def _table_and_partition(name: str) -> tuple[str, str]:
    table, _, partition = name.rpartition("@")
    return table, partition
