"""`dpm models list|show`: the registry as it is told. Comparing is `compare`'s, changing it is `acts`'."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from rich.console import Console
from rich.table import Table as Grid

from daily_profit_model.defs.launch.flat import cell, flat
from daily_profit_model.defs.launch.versions import history_of, known_versions, resolve, version_states
from daily_profit_model.lake import Lake
from daily_profit_model.modeling.contracts import MODELS_NET_PROFIT
from daily_profit_model.settings import Settings


def list_versions(settings: Settings, *, as_json: bool) -> None:
    """Print every version: its figures, the gate's decision on it, and the alias that it holds or will hold."""
    lake = Lake(settings.lake_root)
    states = version_states(lake, settings.models_dir)
    if as_json:
        print(json.dumps(states, indent=2, default=str))
        return
    if not states:
        print("there are no versions yet: dpm run --stages training,models")
        return
    grid = Grid(title=f"versions of {MODELS_NET_PROFIT.name}", title_justify="left", box=None, pad_edge=False)
    for name in ("version", "cut-off", "skill", "against", "coverage", "decision", "alias"):
        grid.add_column(name, justify="right" if name in ("skill", "coverage") else "left", no_wrap=True)
    for state in states:
        has_figures = state["skill"] is not None
        grid.add_row(
            state["version"],
            str(state["cutoff"]),
            f"{state['skill']:+.3f} [{state['skill_lower']:+.3f}, {state['skill_upper']:+.3f}]" if has_figures else "–",
            state["best_baseline"] or ("it is a baseline" if state["is_baseline"] else "–"),
            f"{state['coverage_90']:.3f}" if has_figures else "–",
            state["decision"] or "–",
            ", ".join(_alias_words(state)) + ("" if state["has_bundle"] else " (no bundle)"),
        )
    Console(highlight=False, width=max(Console().width, 132)).print(grid)


def show_version(settings: Settings, text: str, *, as_json: bool) -> None:
    """Print a version's manifest, every byte of its bundle checked, and what became of it.

    Raises WrongUse for an unknown version, BundleError for a bundle that is not whole.
    """
    from daily_profit_model.modeling.bundle import load

    lake = Lake(settings.lake_root)
    version = resolve(text, known_versions(lake, settings.models_dir))
    model = load(settings.models_dir / version)
    history = history_of(lake, version)
    if as_json:
        told = {"version": version, "folder": str(settings.models_dir / version), "manifest": model.manifest}
        print(json.dumps({**told, "transitions": history}, indent=2, default=str))
        return
    manifest = model.manifest
    kinds = Counter(feature.kind for feature in model.encoding)
    print(f"version      {version}\nhash         {model.hash}\nfolder       {settings.models_dir / version}")
    card = settings.reports_dir / "models" / version / "card.md"
    print(f"card         {card if card.is_file() else 'not written'}")
    print(
        f"features     {len(model.encoding)}: {', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items()))}"
    )
    rest = sorted(manifest.keys() - {"features", "parameters", "model_hash", "format", "importance"})
    for name in sorted(rest, key=lambda name: isinstance(manifest[name], Mapping)):
        _print_section(name.replace("_", " "), manifest[name])
    _print_parameters(manifest["parameters"])
    print("\ntransitions")
    for change in history:
        print(f"  {change['in_force_from']}  {change['what']}, {change['by']}: {change['reason']}")
    if not history:
        print("  none: nobody has decided on it")


def _alias_words(state: Mapping[str, Any]) -> Iterator[str]:
    if state["alias"]:
        yield f"{state['alias']} since {state['since']}"
    for change in state["coming"]:
        yield f"{change['alias']} from {change['from']} on"


def _print_section(title: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        print(f"{title:<12} {cell(value)}")
        return
    print(f"\n{title}")
    lines = list(flat(value))
    width = max((len(name) for name, _ in lines), default=0)
    for name, found in lines:
        print(f"  {name:<{width}}  {cell(found)}")


def _print_parameters(parameters: Mapping[str, Mapping[str, str]]) -> None:
    """What the boosters report: first what they differ in, then what they share."""
    names = list(dict.fromkeys(chain(*parameters.values())))
    values = {name: [reported.get(name, "–") for reported in parameters.values()] for name in names}
    grid = Grid(box=None, pad_edge=False)
    for column in ("parameters", *parameters):
        grid.add_column(column, no_wrap=True)
    for name in names:
        if len(set(values[name])) > 1:
            grid.add_row(f"  {name}", *values[name])
    if parameters:
        print()
        Console(highlight=False, width=max(Console().width, 132)).print(grid)
    shared = [f"{name}={values[name][0]}" for name in names if len(set(values[name])) == 1 and values[name][0]]
    if shared:
        print(textwrap.fill(", ".join(shared), width=118, initial_indent="  all of them: ", subsequent_indent="    "))
