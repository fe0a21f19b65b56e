"""Deployments created, ended and promoted in the lake: what `dpm shadow` and the sensors both do.

Nothing is printed here and nobody is told: that is the caller's. What acts mean is `modeling.shadows`' and
`modeling.acts`'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from daily_profit_model.defs.models.registry import known_changes, last_predicted, transitions
from daily_profit_model.defs.models.shadows import record_shadow
from daily_profit_model.lake import Lake, read
from daily_profit_model.modeling import shadows
from daily_profit_model.modeling.acts import NOBODY, Wish, first_day_open, holder
from daily_profit_model.modeling.shadow_contracts import SHADOW_EVALUATION
from daily_profit_model.modeling.shadows import Deployment, ShadowWish, first_day_of
from daily_profit_model.settings import WrongUse

if TYPE_CHECKING:
    from daily_profit_model.modeling.bundle import Model

Act = dict[str, Any]


def create(
    lake: Lake,
    models_dir: Path,
    version: str,
    *,
    traffic: int,
    days: int,
    first_day: date | None,
    reason: str,
    author: str,
    before: Callable[[pa.Table], None] = lambda _: None,
) -> Act:
    """Create a deployment of a version, from its first open day on unless told otherwise; the act.

    `before` is given the acts that the new one follows, and may raise. Raises WrongUse, and what `load` raises.
    """
    from daily_profit_model.defs.models.assets import MODEL_FEATURES
    from daily_profit_model.modeling.bundle import load

    day = first_day or first_day_open(last_predicted(lake), version) or first_day_of(version)
    wish = ShadowWish(version, "", day, days, traffic, reason, author)  # what is wrong with it is told first
    model = load(models_dir / version, expected_features=MODEL_FEATURES)
    wish = replace(wish, model_hash=model.hash)
    champion = holder(known_changes(lake), "champion", day)
    serving = None if champion is None else champion.version

    def next_act(known: pa.Table) -> pa.Table:
        before(known)
        return shadows.create(known, wish, serving, now_utc())

    return record_shadow(lake, next_act)


def stop(lake: Lake, name: str, *, reason: str, author: str, evidence: Mapping[str, Any] | None = None) -> Act:
    """End a deployment from the first open day on; the act. Raises WrongUse when it has ended, or never was."""
    day = first_day_open(last_predicted(lake), None) or now_utc().date()
    return record_shadow(
        lake,
        lambda known: shadows.end(
            known, name, "stop", day, reason=reason, author=author, made_at=now_utc(), evidence=evidence
        ),
    )


def promote(
    lake: Lake,
    models_dir: Path,
    found: Deployment,
    row: Mapping[str, Any],
    *,
    reason: str,
    author: str,
    carry_out: Callable[[Wish], Mapping[str, Any]],
) -> Act:
    """Make the version of a running deployment champion from the first open day on, by an act of models/transitions
    (`carry_out`) that carries the evaluation `row`; then end the deployment, whose act is returned.

    Killed in between, the same call ends what is left. Raises WrongUse, and what `carry_out` and `load` raise.
    """
    evidence = evidence_in(row)
    day = first_day_open(last_predicted(lake), found.version) or now_utc().date()
    present = holder(known_changes(lake), "champion", day)
    if present is not None and present.version == found.version:
        number, day = present.number, present.since
    else:
        # whoever is champion by now: another who promotes at this moment is not undone
        expected = NOBODY if present is None else present.version
        wish = Wish("champion", found.version, reason, author, expected=expected, evidence={"shadow": evidence})
        done = carry_out(with_bundle(lake, models_dir, wish))
        number, day = done["number"], done["in_force_from"]
    return record_shadow(
        lake,
        lambda known: shadows.end(
            known,
            found.name,
            "promote",
            day,
            reason=reason,
            author=author,
            made_at=now_utc(),
            transition=number,
            evidence=evidence,
        ),
    )


def with_bundle(lake: Lake, models_dir: Path, wish: Wish) -> Wish:
    """The wish with the hash of its bundle, which must load, and the figures that speak for it.

    Raises BundleError for a bundle that is missing or changed, ModelMismatchError for one with other features than
    the catalogue's.
    """
    from daily_profit_model.defs.models.assets import MODEL_FEATURES
    from daily_profit_model.modeling.bundle import load

    model = load(models_dir / str(wish.version), expected_features=MODEL_FEATURES)
    return replace(wish, model_hash=model.hash, evidence={**evidence_of(lake, model), **wish.evidence})


def evidence_of(lake: Lake, model: Model) -> dict[str, Any]:
    """The figures of a version on its own test days, and what the gate decided on it (None: nothing yet)."""
    decided = [row for row in transitions(lake).to_pylist() if row["version"] == model.version]
    scores = model.manifest["scores"]
    return {
        "skill": scores["skill"],
        "coverage_90": scores["coverage_90"],
        "test_days": model.manifest["split"]["test"],
        "gate": {name: decided[-1][name] for name in ("decision", "reason")} if decided else None,
    }


def evaluation_of(lake: Lake, deployment: Deployment, last: date | None = None) -> Act | None:
    """The newest row of monitoring/shadow_evaluation of a deployment, up to `last`; None: there is none."""
    for partition in reversed(lake.partitions(SHADOW_EVALUATION.name)):
        if last is not None and partition > last.isoformat():
            continue
        if partition < deployment.from_day.isoformat():
            return None
        rows: list[Act] = read(lake, SHADOW_EVALUATION, [partition]).to_pylist()
        for row in rows:
            if row["deployment"] == deployment.name:
                return row
    return None


def decided_to_promote(deployment: Deployment, row: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The evaluation that has decided for the deployment. Raises WrongUse when it has not."""
    if row is None or row["decision"] != "promote":
        said = f"{row['decision']}, {row['rule']}" if row else "nothing is evaluated yet (dpm shadow evaluate)"
        raise WrongUse(
            f"{deployment.name} is not to be promoted by its evidence: {said}; dpm models promote "
            f"{deployment.version} does without"
        )
    return row


def evidence_in(row: Mapping[str, Any]) -> dict[str, Any]:
    """An evaluation as the evidence of an act."""
    return {name: plain(value) for name, value in row.items()}


def plain(value: object) -> object:
    """Days and moments as texts, the rest as it is."""
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def now_utc() -> datetime:
    return datetime.now(UTC)
