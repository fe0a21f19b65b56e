"""What a version's own figures say against it, a sentence each. Here: rules over a manifest; the card shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daily_profit_model.modeling.importance import ranked

PROMISED = {"coverage_90": 0.9, "miss_lower": 0.05, "miss_upper": 0.05}
"""What the 90 % interval promises."""

_CALLED = {
    "coverage_90": "The 90 % intervals cover",
    "miss_lower": "Below the interval lie",
    "miss_upper": "Above it lie",
}

CHANCE = {"auc_trade": 0.5, "auc_profit": 0.5, "rank_correlation": 0.0}
"""Values of figures that a coin would reach."""


@dataclass(frozen=True)
class Limits:
    """From where on a figure is a limit."""

    few_test_days: int = 20
    """A bootstrap over fewer days gives intervals that are too narrow (Efron & Tibshirani 1993, ch. 12)."""
    few_train_days: int = 365
    """Less than a year has seen no season twice."""
    few_segment_rows: int = 200
    """With fewer the standard error of a coverage of 0.9 exceeds 0.02."""
    few_segment_days: int = 5
    """Intervals of a segment that rest on fewer days are not worth reading."""
    largest_gap: float = 0.03
    """How far a segment's coverage may lie from 0.9: the spread that is asked of the intervals."""
    largest_left_out: float = 0.05
    """Share of rows without an outcome that may go unmentioned."""
    fewest_trees: int = 5
    """A booster that stopped earlier has found next to nothing."""
    named: int = 12
    """Features or segments that a sentence names; of more it says how many."""


def limits(manifest: Mapping[str, Any], settings: Limits) -> list[str]:
    """The limits of the version of a manifest, most serious first; empty when no rule finds any."""
    scores = manifest["scores"]
    return [
        *_skill(scores),
        *_intervals(scores),
        *_segments(scores["segments"], settings),
        *_chances(scores),
        *_days(manifest, settings),
        *_learnt(manifest, settings),
    ]


def _skill(scores: Mapping[str, Any]) -> Iterator[str]:
    for name, (value, lower, upper) in sorted(scores["skills"].items()):
        found = f"skill {value:+.3f} [{lower:+.3f}, {upper:+.3f}]"
        if upper < 0:
            yield f"It is worse than the baseline {name}: {found}."
        elif lower <= 0:
            yield f"It cannot be told from the baseline {name}: {found} reaches zero."
    median = scores["median_skill"]
    if median["lower"] <= 0:
        yield (
            f"Its median alone is not shown to beat {median['best_baseline']}: skill {median['value']:+.4f} "
            f"[{median['lower']:+.4f}, {median['upper']:+.4f}]; what skill there is lies in the interval's ends."
            if scores["skill"]["lower"] > 0
            else f"Its median alone is not shown to beat {median['best_baseline']}: skill {median['value']:+.4f} "
            f"[{median['lower']:+.4f}, {median['upper']:+.4f}]."
        )


def _intervals(scores: Mapping[str, Any]) -> Iterator[str]:
    for name, promised in PROMISED.items():
        value, lower, upper = scores["intervals"][name]
        if not lower <= promised <= upper:
            yield f"{_CALLED[name]} {value:.3f} [{lower:.3f}, {upper:.3f}] of the rows; {promised:.2f} are promised."
    if scores["winkler_90"] > scores["raw_winkler_90"]:
        yield (
            f"Calibration did not improve the Winkler score of the test days: {scores['winkler_90']:,.2f} after, "
            f"{scores['raw_winkler_90']:,.2f} USD before it."
        )
    value, lower, upper = scores["intervals"]["bias"]
    if lower > 0 or upper < 0:
        side = "low" if value > 0 else "high"
        yield f"Its mean is too {side}: outcomes less the mean are {value:+,.2f} USD [{lower:+,.2f}, {upper:+,.2f}]."


def _segments(found: Sequence[Mapping[str, Any]], settings: Limits) -> Iterator[str]:
    many = [part for part in found if part["rows"] >= settings.few_segment_rows]
    few = [f"{_part(part)} ({part['rows']:,})" for part in found if part["rows"] < settings.few_segment_rows]
    off = [
        f"{_part(part)} {part['coverage_90']:.3f}"
        for part in many
        if round(abs(part["coverage_90"] - PROMISED["coverage_90"]), 9) > settings.largest_gap
    ]
    if off:
        yield f"Coverage is off by more than {settings.largest_gap:.2f} in: {_named(off, settings)}."
    worse = [f"{_part(part)} {part['skill']:+.3f}" for part in many if part["skill"] < 0]
    if worse:
        yield f"It loses more than the best baseline in: {_named(worse, settings)}."
    if few:
        yield f"Fewer than {settings.few_segment_rows} rows, so that figures mean little, in: {_named(few, settings)}."
    short = [f"{_part(part)} ({part['days']})" for part in many if part["days"] < settings.few_segment_days]
    if short:
        yield (
            f"Fewer than {settings.few_segment_days} days, so that intervals mean nothing, in: "
            f"{_named(short, settings)}."
        )


def _chances(scores: Mapping[str, Any]) -> Iterator[str]:
    for name, chance in CHANCE.items():
        interval = scores["intervals"].get(name)
        if interval is None:
            yield f"{name} is not defined on any test day."
        elif interval[1] <= chance:
            yield f"{name} {interval[0]:.3f} [{interval[1]:.3f}, {interval[2]:.3f}] reaches {chance:g}, which is chance."


def _days(manifest: Mapping[str, Any], settings: Limits) -> Iterator[str]:
    test, train = (manifest["split"][part]["days"] for part in ("test", "train"))
    if test < settings.few_test_days:
        yield f"Judged on {test} days alone: intervals over so few days are too narrow."
    if train < settings.few_train_days:
        yield f"Trained on {train} days: no season has been seen twice."
    left_out = sum(manifest["rows"]["left_out"].values())
    share = left_out / max(1, left_out + manifest["rows"]["settled"])
    if share > settings.largest_left_out:
        yield f"{share:.1%} of the account-days had no outcome and were left out."


def _learnt(manifest: Mapping[str, Any], settings: Limits) -> Iterator[str]:
    if "baseline" in manifest:
        yield "It is a baseline: it weighs no features, so its predictions have no reasons."
        return
    stopped = [f"{name} ({trees})" for name, trees in manifest["trees"].items() if trees < settings.fewest_trees]
    if stopped:
        yield f"Fewer than {settings.fewest_trees} trees, so that next to nothing was learnt, in: {', '.join(stopped)}."
    silent = manifest.get("unvarying", {})
    for kind, said in (("null", "Always missing in training"), ("constant", "Constant in training")):
        if silent.get(kind):
            yield f"{said}, so never used: {_named(silent[kind], settings)}."
    importance = manifest.get("importance")
    if importance is None:
        yield "It was trained before importances were recorded."
    elif not ranked(importance["mean_absolute_usd"]):
        yield f"No feature moves its {importance['output']}, so predictions have no reasons."


def _part(part: Mapping[str, Any]) -> str:
    return f"{part['name']} {part['label']}"


def _named(found: Sequence[str], settings: Limits) -> str:
    rest = len(found) - settings.named
    return ", ".join(found[: settings.named]) + (f" and {rest} more" if rest > 0 else "")
