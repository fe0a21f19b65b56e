"""What the UI and the reports folder hold of a model version: what it rests on, in pictures, and its card.

Here: files and metadata. What they say stands in `modeling.importance`, `modeling.plots` and `modeling.card`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pyarrow as pa

from daily_profit_model.defs.resources.plots import plot_metadata
from daily_profit_model.lake import Lake, read
from daily_profit_model.modeling.contracts import MODELS_NET_PROFIT
from daily_profit_model.settings import Settings

if TYPE_CHECKING:
    from daily_profit_model.modeling.bundle import Model
    from daily_profit_model.modeling.design import Design
    from daily_profit_model.modeling.importance import Stability
    from daily_profit_model.modeling.plots import Dependence

DEPENDENCE_FEATURES = 6

LARGEST_CARD = 20_000
"""Characters of a card that the event log may hold; the rest stands in the file."""

PICTURES = {"test days": "test_days", "importances": "importances", "dependence": "dependence"}
"""Pictures of a version's folder that its card links, by title."""


def report_folder(settings: Settings, version: str) -> Path:
    """Where the reports of a version lie."""
    return settings.reports_dir / "models" / version


def model_report(lake: Lake, settings: Settings, model: Model, design: Design) -> dict[str, dg.MetadataValue]:
    """Draws what a version rests on over its test days, writes its card, and returns both as metadata.

    `design`: the one that it was trained on.
    """
    from daily_profit_model.modeling.importance import TOP, ranked, stability_words
    from daily_profit_model.modeling.plots import plot_dependence, plot_importances

    folder, found = report_folder(settings, model.version), model.manifest["importance"]
    every = ranked(found["mean_absolute_usd"])
    metadata: dict[str, dg.MetadataValue] = {}
    if every:
        title = f"{model.version}: what its {found['output']} rests on"
        metadata |= plot_metadata("importances", plot_importances(title, every[:TOP]), folder / "importances.png")
        depends = plot_dependence(_dependence(model, design, [name for name, _ in every[:DEPENDENCE_FEATURES]]))
        metadata |= plot_metadata("dependence", depends, folder / "dependence.png")
    before = stability_before(lake, settings, model)
    if before is not None:
        metadata["stability"] = dg.MetadataValue.text(stability_words(before[1], before[0]))
    text = write_card(lake, settings, model)
    return {
        **metadata,
        "card": dg.MetadataValue.md(bounded(text)),
        "card_file": dg.MetadataValue.path(str(folder / "card.md")),
    }


def write_card(lake: Lake, settings: Settings, model: Model, decision: Mapping[str, Any] | None = None) -> str:
    """Writes the card of a version into its folder, with the pictures that lie there, and returns it."""
    from daily_profit_model.modeling.card import card

    path = report_folder(settings, model.version) / "card.md"
    plots = {title: f"{name}.png" for title, name in PICTURES.items() if (path.parent / f"{name}.png").exists()}
    text = card(model, decision=decision, plots=plots, earlier=stability_before(lake, settings, model))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
    return text


def write_decided_cards(lake: Lake, settings: Settings, decisions: pa.Table) -> None:
    """The cards of the versions in rows of models/champion once more, with what was decided."""
    from daily_profit_model.modeling.bundle import load

    for row in decisions.to_pylist():
        write_card(lake, settings, load(settings.models_dir / row["version"]), row)


def stability_before(lake: Lake, settings: Settings, model: Model) -> tuple[str, Stability] | None:
    """The version of the cut-off before, and how far both rest on the same features; None where that cannot be said."""
    from daily_profit_model.modeling.bundle import BundleError, load
    from daily_profit_model.modeling.importance import stability_of

    earlier = [cutoff for cutoff in lake.partitions(MODELS_NET_PROFIT.name) if cutoff < model.manifest["cutoff"]]
    if not earlier or model.baseline is not None:
        return None
    version = read(lake, MODELS_NET_PROFIT, earlier[-1:])["version"][0].as_py()
    try:
        before = load(settings.models_dir / version)
    except BundleError:  # its folder is gone or of another form; this version's report must not fail for it
        return None
    found = stability_of(before.manifest, model.manifest)
    return None if found is None else (version, found)


def bounded(text: str, most: int = LARGEST_CARD) -> str:
    """The text, or as many whole lines of it as fit, and a word that there is more."""
    if len(text) <= most:
        return text
    return f"{text[: text.rfind(chr(10), 0, most)]}\n\n… the rest stands in the file (card_file).\n"


def _dependence(model: Model, design: Design, names: Sequence[str]) -> list[Dependence]:
    from daily_profit_model.modeling.explanation import contributions
    from daily_profit_model.modeling.frames import of_days
    from daily_profit_model.modeling.importance import sampled
    from daily_profit_model.modeling.plots import Dependence

    test = of_days(design.rows, design.split.test)
    rows = test.take(pa.array(sampled(test.num_rows)))
    matrix = design.matrix(rows)
    parts, _ = contributions(model, rows, matrix=matrix)
    places = {feature.name: place for place, feature in enumerate(model.encoding)}
    return [
        Dependence(
            name,
            matrix[:, places[name]].astype("float64"),
            parts[:, places[name]],
            model.encoding[places[name]].categories,
        )
        for name in names
    ]
