"""Which version serves on which day: the promotion decision and its history, as data.

Here: decisions computed from manifests, and who is in force on a day. Recording a decision is an act of
a sensor or a person elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.bundle import Model, manifest_hash
from daily_profit_model.modeling.contracts import MODELS_CHAMPION, MODELS_NET_PROFIT

DAYS_FROM_CUTOFF_TO_SERVICE = 2
"""A model of cut-off C trains on the morning of C+1, when the outcomes of C are known; predictions of C+1
were made that same morning, so the first day that it can serve is C+2."""


@dataclass(frozen=True)
class PromotionSettings:
    """When a version may serve."""

    first_may_be_provisional: bool = True
    """While nothing is in force, a version serves provisionally if its skill is above zero, though its
    interval reaches zero: a short history cannot prove more, and no prediction at all helps nobody. The
    reason says `provisional`. A version whose skill is not above zero is refused even then."""


@dataclass(frozen=True)
class Transition:
    """One decision on one version; a row of MODELS_CHAMPION."""

    in_force_from: date
    version: str
    model_hash: str
    cutoff: date
    decision: Literal["promoted", "refused"]
    reason: str
    evidence: Mapping[str, Any]


def decide(
    manifest: Mapping[str, Any],
    settings: PromotionSettings | None = None,
    *,
    champion: Mapping[str, Any] | None = None,
) -> Transition:
    """The decision on a version, by its own test days.

    `champion`: the row in force on the first day that the version could serve (see `in_force`), or None.
    """
    settings = settings or PromotionSettings()
    skill = manifest["scores"]["skill"]
    cutoff = date.fromisoformat(manifest["cutoff"])
    interval = f"[{skill['lower']:+.3f}, {skill['upper']:+.3f}]"
    against = f"{skill['value']:+.3f} {interval} against {skill['best_baseline']}"
    provisional = champion is None and settings.first_may_be_provisional and skill["value"] > 0
    decision: Literal["promoted", "refused"] = "promoted"
    if skill["lower"] > 0:
        reason = f"skill {against} excludes zero"
    elif provisional:
        reason = f"provisional: skill {against} does not exclude zero, but nothing else is in force"
    else:
        decision, reason = "refused", f"skill {against} does not exclude zero"
    return Transition(
        in_force_from=cutoff + timedelta(days=DAYS_FROM_CUTOFF_TO_SERVICE),
        version=f"{manifest['cutoff'].replace('-', '')}-{manifest['model_hash'][:8]}",
        model_hash=manifest["model_hash"],
        cutoff=cutoff,
        decision=decision,
        reason=reason,
        evidence={
            "skill": skill,
            "coverage_90": manifest["scores"]["coverage_90"],
            "test_days": manifest["split"]["test"],
            "champion": champion["version"] if champion else None,
            "provisional": decision == "promoted" and skill["lower"] <= 0,
        },
    )


def transitions_table(transitions: Sequence[Transition]) -> pa.Table:
    """MODELS_CHAMPION rows, sorted by key."""
    rows = [
        {**vars(t), "evidence": orjson.dumps(t.evidence, option=orjson.OPT_SORT_KEYS).decode()} for t in transitions
    ]
    keys = [(name, "ascending") for name in MODELS_CHAMPION.key]
    return pa.Table.from_pylist(rows, schema=MODELS_CHAMPION.schema()).sort_by(keys)


def in_force(transitions: pa.Table, day: date) -> dict[str, Any] | None:
    """The champion on `day`: of the promoted versions the one in force since the latest day not after it.

    A backfill of a past day therefore gets the version of that day, never a later one. None: nothing was.
    """
    promoted = pc.and_(
        pc.equal(transitions["decision"], "promoted"),
        pc.less_equal(transitions["in_force_from"], pa.scalar(day, pa.date32())),
    )
    rows = transitions.filter(promoted).sort_by([("in_force_from", "descending"), ("version", "descending")])
    row: dict[str, Any] | None = rows.slice(0, 1).to_pylist()[0] if rows.num_rows else None
    return row


def decide_in_order(manifests: Sequence[Mapping[str, Any]], settings: PromotionSettings | None = None) -> pa.Table:
    """The decisions on all versions, each knowing the ones before it; a pure function of the manifests."""
    made: list[Transition] = []
    for manifest in sorted(manifests, key=lambda m: (m["cutoff"], m["model_hash"])):
        start = date.fromisoformat(manifest["cutoff"]) + timedelta(days=DAYS_FROM_CUTOFF_TO_SERVICE)
        made.append(decide(manifest, settings, champion=in_force(transitions_table(made), start)))
    return transitions_table(made)


def version_row(model: Model) -> pa.Table:
    """The version's row of MODELS_NET_PROFIT."""
    scores, split = model.manifest["scores"], model.manifest["split"]
    row = {
        "version": model.version,
        "model_hash": model.hash,
        "manifest_hash": manifest_hash(model),
        "folder": model.version,
        "cutoff": date.fromisoformat(model.manifest["cutoff"]),
        "skill": scores["skill"]["value"],
        "skill_lower": scores["skill"]["lower"],
        "skill_upper": scores["skill"]["upper"],
        "best_baseline": scores["skill"]["best_baseline"],
        "coverage_90": scores["coverage_90"],
        "miss_lower": scores["miss_lower"],
        "miss_upper": scores["miss_upper"],
        **{f"pinball_{level}": scores["pinball"][level] for level in ("05", "50", "95")},
        "mean_absolute_error": scores["mean_absolute_error"],
        "rows": model.manifest["rows"]["settled"],
        **{f"{part}_days": split[part]["days"] for part in ("train", "validation", "calibration", "test")},
    }
    return pa.Table.from_pylist([row], schema=MODELS_NET_PROFIT.schema())
