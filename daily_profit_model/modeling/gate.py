"""Whether a version may serve: what is asked of its held-out days, and the decision.

Here: decisions computed from manifests, from a comparison with the champion on the same days, and from the
checks of what it was trained on. Who is in force on a day is `registry`'s to say.

A version passes when it beats every baseline, its intervals cover, the checks of its inputs passed and it is not worse
than the champion. Differences are paired and taken over whole days. A version that passes becomes the challenger; it
is promoted at once where there is no champion with boosters yet, or where it is better than the champion by the same
test. Each version is judged once, on days that none of the two has learnt from. Until a first version passes, the best
baseline serves, as a version of its own that says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import orjson

from daily_profit_model.modeling.bundle import BASELINE
from daily_profit_model.modeling.comparison import Difference
from daily_profit_model.modeling.registry import DAYS_FROM_CUTOFF_TO_SERVICE, Transition

Decision = Literal["promoted", "challenger", "refused"]


@dataclass(frozen=True)
class GateSettings:
    """What is asked of a version."""

    least_coverage: float = 0.88
    """Intervals whose coverage lies below, and by their days' bootstrap below the promised 0.90, do not cover."""
    greatest_coverage: float = 0.93
    """Intervals that cover more than that, and more than 0.90 by their days' bootstrap, are too wide."""


@dataclass(frozen=True)
class Incumbent:
    """The champion that a version would replace, and how much more than it the version loses."""

    version: str
    kind: Literal["boosters", "baseline", "unusable"]
    """`unusable`: it needs features that are made no more, so it can serve no coming day."""
    difference: Difference | None = None
    """Of boosters; None: they could not be compared, and `why` says why."""
    why: str = ""


def decide(
    manifest: Mapping[str, Any],
    settings: GateSettings | None = None,
    *,
    champion: Incumbent | None,
    failed_checks: Sequence[str] = (),
) -> Transition:
    """The decision on a version, by its own held-out days. `failed_checks`: of the inputs it was trained on."""
    faults = list(_faults(manifest["scores"], settings or GateSettings(), champion, failed_checks))
    decision, reason = _decision(manifest["scores"], champion, faults)
    return transition(
        manifest,
        decision,
        reason,
        {
            "skills": manifest["scores"]["skills"],
            "coverage_90": manifest["scores"]["intervals"]["coverage_90"],
            "test_days": manifest["split"]["test"],
            "faults": faults,
            "champion": champion.version if champion else None,
            "loses_more_than_champion": vars(champion.difference) if champion and champion.difference else None,
        },
    )


def baseline_serves(manifest: Mapping[str, Any], refused: Transition) -> Transition:
    """The baseline of `manifest` in force, since `refused` was not let through and nothing else is in force."""
    name = manifest["baseline"]["name"]
    reason = f"no model serves yet, so the best baseline does ({name}): {refused.reason}"
    return transition(manifest, "promoted", reason, {"baseline": name, "refused": refused.version})


def transition(manifest: Mapping[str, Any], decision: Decision, reason: str, evidence: Mapping[str, Any]) -> Transition:
    """A decision on the version of a manifest, in force as early as it can be."""
    cutoff = date.fromisoformat(manifest["cutoff"])
    return Transition(
        in_force_from=cutoff + timedelta(days=DAYS_FROM_CUTOFF_TO_SERVICE),
        version=f"{manifest['cutoff'].replace('-', '')}-{manifest['model_hash'][:8]}",
        model_hash=manifest["model_hash"],
        cutoff=cutoff,
        decision=decision,
        reason=reason,
        evidence={**evidence, "is_baseline": manifest["forecaster"] == BASELINE},
    )


def is_baseline(row: Mapping[str, Any]) -> bool:
    """Whether a row of models/champion tells of a baseline."""
    return bool(orjson.loads(row["evidence"]).get("is_baseline"))


def _faults(
    scores: Mapping[str, Any], settings: GateSettings, champion: Incumbent | None, failed_checks: Sequence[str]
) -> Iterator[str]:
    """Why a version may not serve, a line each."""
    for name, (value, lower, upper) in sorted(scores["skills"].items()):
        if lower <= 0:
            yield f"skill {value:+.3f} [{lower:+.3f}, {upper:+.3f}] against {name} does not exclude zero"
    value, lower, upper = scores["intervals"]["coverage_90"]
    if value < settings.least_coverage and upper < 0.9:
        yield f"its 90 % intervals cover {value:.3f} [{lower:.3f}, {upper:.3f}]: too little"
    if value > settings.greatest_coverage and lower > 0.9:
        yield f"its 90 % intervals cover {value:.3f} [{lower:.3f}, {upper:.3f}]: too wide"
    for check in failed_checks:
        yield f"a check of its training set failed: {check}"
    if champion and champion.kind == "boosters":
        if champion.difference is None:
            yield f"it could not be compared with the champion {champion.version}: {champion.why}"
        elif champion.difference.lower > 0:
            yield f"it {_more(champion.difference)} than the champion {champion.version}"


def _decision(scores: Mapping[str, Any], champion: Incumbent | None, faults: Sequence[str]) -> tuple[Decision, str]:
    if faults:
        return "refused", "; ".join(faults)
    best = scores["skill"]
    beats = f"skill {best['value']:+.3f} [{best['lower']:+.3f}, {best['upper']:+.3f}] against {best['best_baseline']}"
    if champion is None:
        return "promoted", f"{beats} excludes zero, and nothing is in force"
    if champion.difference is None:
        instead = "a baseline serves" if champion.kind == "baseline" else f"the champion cannot ({champion.why})"
        return "promoted", f"{beats} excludes zero, and {instead} ({champion.version})"
    if champion.difference.upper < 0:
        return "promoted", f"{beats}; it {_more(champion.difference)} than the champion {champion.version}"
    return "challenger", f"{beats}; it {_more(champion.difference)} than the champion {champion.version}: no difference"


def _more(difference: Difference) -> str:
    """How much more is lost, in words."""
    return f"loses {difference.value:+.2f} USD [{difference.lower:+.2f}, {difference.upper:+.2f}] more"
