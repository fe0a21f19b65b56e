"""What is known of the versions, from everything that tells of them: models/net_profit, decisions, acts, bundles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.defs.models.registry import acts, last_predicted, transitions
from daily_profit_model.lake import Lake, read
from daily_profit_model.modeling.acts import ALIASES, changes, cutoff_of, first_day_open, holder, later_changes
from daily_profit_model.modeling.contracts import MODELS_NET_PROFIT
from daily_profit_model.modeling.gate import is_baseline
from daily_profit_model.settings import WrongUse

_VERSION = re.compile(r"\d{8}-[0-9a-f]{8}")
_FIGURES = ("skill", "skill_lower", "skill_upper", "best_baseline", "coverage_90")


def known_versions(lake: Lake, models_dir: Path) -> list[str]:
    """Every version that is anywhere: in models/net_profit, decided on, named by an act, or a bundle, ascending."""
    found = set(_net_profit(lake)["version"].to_pylist())
    for rows in (transitions(lake), acts(lake)):
        found |= {version for version in rows["version"].to_pylist() if version}
    if models_dir.is_dir():
        found |= {entry.name for entry in models_dir.iterdir() if _VERSION.fullmatch(entry.name)}
    return sorted(found)


def resolve(text: str, known: Sequence[str]) -> str:
    """The one version that `text` begins, or whose hash it begins. Raises WrongUse when there is none, or more."""
    found = [
        version for version in known if text and (version.startswith(text) or version.split("-")[1].startswith(text))
    ]
    if text in known:
        return text
    if not found:
        raise WrongUse(f"there is no version {text!r}; dpm models list shows all of them")
    if len(found) > 1:
        raise WrongUse(f"{text!r} may be {', '.join(found[:4])}{' …' if len(found) > 4 else ''}: write more of it")
    return found[0]


def version_states(lake: Lake, models_dir: Path) -> list[dict[str, Any]]:
    """Every version of models/net_profit, and those that hold an alias without being there (any more), by cut-off.

    Aliases are those of the first day without predictions: `since` when they count; `coming`: from later days on.
    """
    decisions = transitions(lake)
    known = changes(decisions, acts(lake))
    rows = {row["version"]: row for row in _net_profit(lake).to_pylist()}
    decided = {row["version"]: row for row in decisions.to_pylist()}
    day = first_day_open(last_predicted(lake), None) or _last_change(known)
    holders = {alias: holder(known, alias, day) for alias in ALIASES} if day else {}
    coming = [(alias, change) for alias in ALIASES if day for change in later_changes(known, alias, day) if change]
    named = {held.version for held in holders.values() if held} | {change.version for _, change in coming}
    states = []
    for version in sorted({*rows, *named}):
        row, decision = rows.get(version, {}), decided.get(version, {})
        alias = next((alias for alias, held in holders.items() if held and held.version == version), None)
        held = holders[alias] if alias else None
        states.append(
            {
                "version": version,
                "cutoff": cutoff_of(version),
                **{name: row.get(name) for name in _FIGURES},
                "decision": decision.get("decision"),
                "is_baseline": bool(decision) and is_baseline(decision),
                "reason": decision.get("reason"),
                "alias": alias,
                "since": held.since if held else None,
                "by": held.by if held else None,
                "coming": [{"alias": name, "from": at.since} for name, at in coming if at.version == version],
                "has_bundle": (models_dir / version).is_dir(),
            }
        )
    return states


def history_of(lake: Lake, version: str) -> list[dict[str, Any]]:
    """Every decision and act that gave the version an alias or took one from it, by the day from which it counts."""
    found = []
    for row in transitions(lake).to_pylist():
        if row["version"] == version:
            found.append({**row, "number": None, "what": row["decision"], "by": "the gate"})
    for row in acts(lake).to_pylist():
        if row["version"] == version:
            found.append({**row, "what": f"becomes {row['alias']}", "by": f"act {row['number']} of {row['author']}"})
        elif row["previous_version"] == version:
            by = f"act {row['number']} of {row['author']}"
            found.append({**row, "what": f"is {row['alias']} no more, but {row['version'] or 'nobody'}", "by": by})
    return sorted(found, key=lambda row: (row["in_force_from"], row["number"] or 0))


def _net_profit(lake: Lake) -> pa.Table:
    return read(lake, MODELS_NET_PROFIT, lake.partitions(MODELS_NET_PROFIT.name))


def _last_change(known: pa.Table) -> date | None:
    last: date | None = pc.max(known["in_force_from"]).as_py()
    return last
