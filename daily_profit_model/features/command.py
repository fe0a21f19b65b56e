"""`dpm features`: the catalogue as a list, one feature in full, and the page made of all of them."""

from __future__ import annotations

import difflib
import json
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Grid

from daily_profit_model.features.catalogue import CATALOGUE, FEATURES_ACCOUNT_DAILY
from daily_profit_model.features.feature import Feature
from daily_profit_model.settings import WrongUse

FAMILIES = tuple(dict.fromkeys(feature.family for feature in CATALOGUE))
OF_D_ALONE = "D"


def list_features(family: str, *, as_json: bool) -> None:
    """Print every feature, or those of one family. Raises WrongUse."""
    if family and family not in FAMILIES:
        raise WrongUse(f"there is no family {family!r}: choose one of {', '.join(FAMILIES)}")
    found = [feature for feature in CATALOGUE if family in ("", feature.family)]
    if as_json:
        print(json.dumps([as_dict(feature) for feature in found], indent=2))
        return
    grid = Grid(title=f"{len(found)} features of an account at the end of a day D", title_justify="left")
    for name in ("family", "feature", "type", "unit", "days", "what it says"):
        grid.add_column(name, overflow="fold")
    for feature in found:
        grid.add_row(
            feature.family, feature.name, feature.kind, feature.unit or "", _days(feature), feature.description
        )
    Console(highlight=False, width=max(Console().width, 132)).print(grid)


def describe_feature(name: str, *, as_json: bool) -> None:
    """Print all that is declared of one feature. Raises WrongUse."""
    found = next((feature for feature in CATALOGUE if feature.name == name), None)
    if found is None:
        near = difflib.get_close_matches(name, [feature.name for feature in CATALOGUE])
        hint = f"did you mean {', '.join(near)}?" if near else "dpm features list shows all of them"
        raise WrongUse(f"there is no feature {name!r}: {hint}")
    if as_json:
        print(json.dumps(as_dict(found), indent=2))
        return
    for label, value in as_dict(found).items():
        print(f"{label:<12} {', '.join(value) if isinstance(value, list) else value}")


def write_page(path: Path) -> None:
    """Write the page of all features. Raises WrongUse when `path` is a folder."""
    if path.is_dir():
        raise WrongUse(f"{path} is a folder: name a file in it, such as {path / 'features.md'}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(), encoding="utf-8")


def page() -> str:
    """All features in Markdown, a table a family."""
    parts = [
        "# Features of an account\n\n"
        f"Made from the catalogue by `dpm features docs`: {len(CATALOGUE)} features of `{FEATURES_ACCOUNT_DAILY.name}`, "
        "one row per eligible account and day D, known at the end of D, for predicting D+1. They look back "
        f"{max(feature.window or 1 for feature in CATALOGUE)} days at most; nothing is filled in, and what null means is told of each.\n"
    ]
    for family, features in groupby(CATALOGUE, key=lambda feature: feature.family):
        rows = "\n".join(
            f"| `{feature.name}` | {feature.kind} | {feature.unit or ''} | {_days(feature)} "
            f"| {_cell(feature.description)} | {_cell(feature.null_means)} |"
            for feature in features
        )
        parts.append(
            f"## {family}\n\n| feature | type | unit | days | what it says | null |\n|---|---|---|---|---|---|\n{rows}\n"
        )
    return "\n".join(parts)


def as_dict(feature: Feature) -> dict[str, Any]:
    """What is declared of a feature."""
    return {
        "name": feature.name,
        "family": feature.family,
        "type": feature.kind,
        "unit": feature.unit or "none",
        "days": _days(feature),
        "description": feature.description,
        "null means": feature.null_means,
        "inputs": list(feature.inputs),
        "sql": feature.sql,
    }


def _days(feature: Feature) -> str:
    return OF_D_ALONE if feature.window in (None, 1) else f"{feature.window}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
