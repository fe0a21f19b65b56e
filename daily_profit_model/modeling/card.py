"""A version's model card in Markdown: what it is for, what it learnt from, how good it is, and where its limits are.

Here: words and tables made from the bundle alone, so that the same bundle gives the same card. Nothing is said that
the manifest does not hold; what is no good is named in `limits`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.importance import Stability, ranked, stability_words
from daily_profit_model.modeling.limits import Limits, limits
from daily_profit_model.modeling.matrix import floats

SHOWN_FEATURES = 20

PARAMETERS = (
    "objective", "alpha", "fair_c", "num_leaves", "min_data_in_leaf", "learning_rate", "lambda_l1", "lambda_l2",
    "feature_fraction", "bagging_fraction", "bagging_freq", "max_bin", "seed",
)  # fmt: skip
"""Of the parameters that boosters report those that shape a model; the manifest holds all."""

OF_OBJECTIVE = {"alpha": ("quantile", "huber"), "fair_c": ("fair",)}
"""Parameters that only some objectives read, though every booster reports them."""

FIGURES = (
    ("mean_absolute_error", "mean absolute error of the median", "USD"),
    ("crps", "CRPS from the three served quantiles", "USD"),
    ("winkler_90", "Winkler score of the 90 % interval", "USD"),
    ("bias", "outcome less the mean, per account", "USD"),
    ("coverage_90", "covered by the 90 % interval", "share"),
    ("miss_lower", "below the interval", "share"),
    ("miss_upper", "above the interval", "share"),
    ("brier_trade", "Brier score of trading", ""),
    ("brier_profit", "Brier score of profit", ""),
    ("auc_trade", "AUC of trading, by day", ""),
    ("auc_profit", "AUC of profit, by day", ""),
    ("rank_correlation", "rank correlation of mean and outcome, by day", ""),
)
"""Figures of an evaluation, in words, with their unit."""


def card(
    model: Model,
    *,
    decision: Mapping[str, Any] | None = None,
    plots: Mapping[str, str] | None = None,
    earlier: tuple[str, Stability] | None = None,
    settings: Limits | None = None,
) -> str:
    """The card of a version as `training` makes them, in Markdown.

    `decision`: its row of models/champion, where the gate has decided. `plots`: paths from the card's own place, by
    title. `earlier`: the version before it, and how far both rest on the same features.
    """
    manifest = model.manifest
    sections = (
        _purpose(model, decision),
        _data(manifest),
        _learning(manifest),
        _scores(manifest["scores"]),
        _segments(manifest["scores"]["segments"]),
        _calibration(model),
        _importances(manifest, earlier),
        _linked(plots or {}),
        _limits(limits(manifest, settings or Limits())),
    )
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def _purpose(model: Model, decision: Mapping[str, Any] | None) -> list[str]:
    manifest = model.manifest
    kind = "a baseline, without boosters" if model.baseline is not None else f"forecaster `{model.forecaster}`"
    said = "none that this card knows of"
    if decision is not None:
        since = f", in force from {decision['in_force_from']}" if decision["decision"] == "promoted" else ""
        said = f"**{decision['decision']}**{since}: {decision['reason']}"
    return [
        f"# Model card: {model.version}",
        "",
        "Forecasts the net profit (USD) of the coming day for every live trader account: median, mean, a calibrated "
        "90 % interval, the probabilities of trading and of profit. It is meant for a risk desk's view of tomorrow; "
        "the mean is meant for sums over accounts, interval ends are not.",
        "",
        f"- **Version** {model.version} ({kind}), sha256 `{model.hash}`, code version {manifest['code_version']}",
        "- **Population** every account eligible at the end of a day D (decided on D alone); the target is D+1",
        f"- **Cut-off** {manifest['cutoff']}: nothing known later was used",
        f"- **Gate's decision** {said}",
    ]


def _data(manifest: Mapping[str, Any]) -> list[str]:
    rows = manifest["rows"]
    left_out = ", ".join(f"{count:,} {status}" for status, count in sorted(rows["left_out"].items())) or "none"
    parts = {name: part for name, part in manifest["split"].items() if isinstance(part, Mapping) and "days" in part}
    in_time = sorted(parts, key=lambda name: str(parts[name]["from"]))
    split = [(name, parts[name]["from"], parts[name]["to"], parts[name]["days"]) for name in in_time]
    versions = [f"- `{name}`: `{content}`" for name, content in manifest["data_versions"].items()]
    return [
        "## Data",
        "",
        f"{rows['settled']:,} account-days with an outcome; left out by status: {left_out}. Days are target days.",
        "",
        *_table(("part", "from", "to", "days"), split),
        "",
        "Content hashes of what it was trained on:",
        "",
        *versions,
    ]


def _learning(manifest: Mapping[str, Any]) -> list[str]:
    if not manifest["parameters"]:
        stored = manifest.get("baseline", {})
        return ["## Learning", "", f"The baseline `{stored.get('name')}`; it has no boosters and no parameters."]
    boosters = sorted(manifest["parameters"].items())
    named = [name for name in PARAMETERS if any(_reported(reported, name) for _, reported in boosters)]
    rows = [
        (booster, manifest["trees"][booster], *(_reported(reported, name) for name in named))
        for booster, reported in boosters
    ]
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(manifest["libraries"].items()))
    return [
        "## Learning",
        "",
        f"{len(manifest['features'])} features. Parameters as the boosters report them (all of them: manifest.json):",
        "",
        *_table(("booster", "trees", *named), rows),
        "",
        f"Made with {libraries}.",
    ]


def _reported(parameters: Mapping[str, str], name: str) -> str:
    is_read = parameters.get("objective") in OF_OBJECTIVE.get(name, (parameters.get("objective"),))
    return parameters.get(name, "") if is_read else ""


def _scores(scores: Mapping[str, Any]) -> list[str]:
    skills = [
        (name, f"{value:+.4f}", f"[{lower:+.4f}, {upper:+.4f}]", "yes" if lower > 0 else "no")
        for name, (value, lower, upper) in sorted(scores["skills"].items())
    ]
    found = scores["median_skill"]
    figures = [
        (words, unit, _number(scores[name]), _ends(scores["intervals"].get(name)))
        for name, words, unit in FIGURES
        if scores.get(name) is not None
    ]
    losses = ", ".join(f"{int(level)} %: {_number(scores['pinball'][level])}" for level in sorted(scores["pinball"]))
    return [
        "## Scores on the test days",
        "",
        f"{scores['days']} days, {scores['rows']:,} rows that nothing was fitted to. Intervals are 95 %, from a "
        "bootstrap over whole days: accounts of one day share its market. Those against the baselines are 99 %, of "
        "Student's t over days: the gate asks for them.",
        "",
        "Skill of the three served quantiles, 1 − pinball loss / the baseline's:",
        "",
        *_table(("against", "skill", "99 %", "excludes zero"), skills),
        "",
        f"Of the median alone, against {found['best_baseline']}: {found['value']:+.4f} "
        f"[{found['lower']:+.4f}, {found['upper']:+.4f}]. Pinball loss (USD) at {losses}.",
        "",
        *_table(("figure", "unit", "value", "95 %"), figures),
    ]


def _segments(found: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["## By segment", ""]
    if not found:
        return [*lines, "The training set has no column to divide by."]
    names = ("", "rows", "days", "covered", "below", "above", "MAE, USD", "Winkler, USD", "skill", "95 %")
    for name, parts in groupby(found, key=lambda part: part["name"]):
        rows = [
            (
                part["label"],
                f"{part['rows']:,}",
                part["days"],
                f"{part['coverage_90']:.3f}",
                f"{part['miss_lower']:.3f}",
                f"{part['miss_upper']:.3f}",
                _number(part["mean_absolute_error"]),
                _number(part["winkler_90"]),
                f"{part['skill']:+.3f}",
                f"[{part['skill_lower']:+.3f}, {part['skill_upper']:+.3f}]",
            )
            for part in parts
        ]
        lines += [*_table((name, *names[1:]), rows), ""]
    return [*lines, "Skill is against the baseline that is best over all rows."]


def _calibration(model: Model) -> list[str]:
    scores, levels = model.manifest["scores"], model.manifest["calibration"]
    below, above = uncalibrated_misses(model)
    rows = [
        ("below the 5 % quantile", f"{below:.3f}", f"{scores['miss_lower']:.3f}"),
        ("above the 95 % quantile", f"{above:.3f}", f"{scores['miss_upper']:.3f}"),
        ("covered", f"{1 - below - above:.3f}", f"{scores['coverage_90']:.3f}"),
        ("pinball loss at 5 %, USD", _number(scores["raw_pinball"]["05"]), _number(scores["pinball"]["05"])),
        ("pinball loss at 95 %, USD", _number(scores["raw_pinball"]["95"]), _number(scores["pinball"]["95"])),
        ("Winkler score, USD", _number(scores["raw_winkler_90"]), _number(scores["winkler_90"])),
    ]
    return [
        "## Calibration",
        "",
        f"Each test day was calibrated by the days before it, as in service; promised are 0.05 in each tail. At the "
        f"end of the test days, over {levels['rows']:,} rows, the levels are {levels['lower_level']:.4f} below and "
        f"{levels['upper_level']:.4f} above.",
        "",
        *_table(("test days", "before", "after"), rows),
    ]


def uncalibrated_misses(model: Model) -> tuple[float, float]:
    """Shares of the test days' rows below the uncalibrated 5 % and above the 95 % quantile; NaN without rows."""
    history = model.table("conformity")
    first, last = (pa.scalar(model.manifest["split"]["test"][end]).cast(pa.date32()) for end in ("from", "to"))
    days = history["prediction_date"]
    test = history.filter(pc.and_(pc.greater_equal(days, first), pc.less_equal(days, last)))
    if not test.num_rows:
        return float("nan"), float("nan")
    lower, upper = (float(np.mean(floats(test[name]) > 0)) for name in ("lower_excess", "upper_excess"))
    return lower, upper


def _importances(manifest: Mapping[str, Any], earlier: tuple[str, Stability] | None) -> list[str]:
    found = manifest.get("importance")
    if not found or not found["output"]:
        return []
    every = ranked(found["mean_absolute_usd"])
    total = sum(value for _, value in every)
    rows = [(f"`{name}`", _number(value), f"{value / total:.1%}") for name, value in every[:SHOWN_FEATURES]]
    compared = ["", f"Stability {stability_words(earlier[1], earlier[0])}."] if earlier else []
    if not rows:
        return ["## What it rests on", "", f"No feature moves the {found['output']} of the sampled rows.", *compared]
    return [
        "## What it rests on",
        "",
        f"Mean absolute TreeSHAP contribution to the {found['output']} over {found['rows']:,} rows of the test days; "
        f"{len(every)} of {len(found['mean_absolute_usd'])} features move it.",
        "",
        *_table(("feature", "USD", "share"), rows),
        *compared,
    ]


def _linked(plots: Mapping[str, str]) -> list[str]:
    return ["## Plots", "", *(f"![{title}]({path})" for title, path in plots.items())] if plots else []


def _limits(found: Sequence[str]) -> list[str]:
    lines = [f"- {limit}" for limit in found]
    if not lines:
        lines = ["- None of the rules that look for limits in this run's own figures found one."]
    return [
        "## Limits",
        "",
        *lines,
        "- All figures are of the test days above. A change of the market, of the plans or of the population that they "
        "do not contain is not judged by them.",
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + " --- |" * len(head)
    for row in rows:
        yield f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |"


def _number(value: float) -> str:
    return f"{value:,.2f}" if abs(value) >= 100 else f"{value:,.4f}"


def _ends(interval: Sequence[float] | None) -> str:
    return "" if interval is None else f"[{_number(interval[1])}, {_number(interval[2])}]"
