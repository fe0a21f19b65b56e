"""The report of a version: pictures and card lie in its own folder, the metadata is bounded, versions are compared."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from daily_profit_model.defs.models.report import (
    LARGEST_CARD,
    bounded,
    model_report,
    report_folder,
    stability_before,
    write_card,
    write_decided_cards,
)
from daily_profit_model.lake import Lake, write
from daily_profit_model.modeling import plots
from daily_profit_model.modeling.bundle import Model, assemble, save
from daily_profit_model.modeling.contracts import MODELS_NET_PROFIT
from daily_profit_model.modeling.design import Design, design_of, design_table
from daily_profit_model.modeling.registry import version_row
from daily_profit_model.modeling.training import TrainedModel, TrainSettings
from daily_profit_model.pictures import LARGEST_PNG_BYTES
from daily_profit_model.settings import Settings, load_settings
from daily_profit_model_tests.modeling.panel import Panel


@pytest.fixture(scope="module")
def design(panel: Panel, cutoff: date) -> Design:
    settings = TrainSettings()
    return design_of(
        design_table(panel.frame, panel.features, cutoff=cutoff, split=settings.split, columns=settings.columns)
    )


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))
    return load_settings()


def a_week_before(lake: Lake, settings: Settings, model: Model) -> Model:
    """A version of the week before, that rested on the same features the other way round."""
    stored = model.manifest["importance"]["mean_absolute_usd"]
    turned = dict(zip(stored, reversed(stored.values()), strict=True))
    cutoff = date.fromisoformat(model.manifest["cutoff"]) - timedelta(days=7)
    importance = {**model.manifest["importance"], "mean_absolute_usd": turned}
    made = assemble({**model.manifest, "cutoff": cutoff.isoformat(), "importance": importance}, model.files)
    save(made, settings.models_dir)
    write(lake, MODELS_NET_PROFIT, cutoff.isoformat(), version_row(made), code_version="1")
    return made


def test_pictures_and_card_lie_in_the_versions_folder_and_the_card_links_what_is_there(
    lake: Lake, settings: Settings, two_part: TrainedModel, design: Design
) -> None:
    before = a_week_before(lake, settings, two_part.model)
    metadata = model_report(lake, settings, two_part.model, design)
    folder = report_folder(settings, two_part.model.version)
    assert {path.name for path in folder.iterdir()} == {"card.md", "importances.png", "dependence.png"}
    text = (folder / "card.md").read_text()
    assert "![importances](importances.png)" in text
    assert "test_days.png" not in text
    assert f"Stability against {before.version}: rank correlation" in text
    assert str(metadata["stability"].value).startswith(f"against {before.version}: rank correlation")
    assert metadata["card"].value == text
    assert str(metadata["dependence"].value).startswith("![dependence](data:image/png;base64,")


def test_a_version_without_one_before_it_or_without_features_is_compared_with_none(
    lake: Lake, settings: Settings, trained: TrainedModel, baseline: TrainedModel, design: Design
) -> None:
    assert stability_before(lake, settings, trained.model) is None
    a_week_before(lake, settings, trained.model)
    assert stability_before(lake, settings, baseline.model) is None
    assert set(model_report(lake, settings, baseline.model, design)) == {"card", "card_file"}


def test_a_version_before_whose_bundle_is_gone_stops_no_report(
    lake: Lake, settings: Settings, trained: TrainedModel
) -> None:
    before = a_week_before(lake, settings, trained.model)
    assert stability_before(lake, settings, trained.model) is not None
    (settings.models_dir / before.version / "manifest.json").unlink()
    assert stability_before(lake, settings, trained.model) is None


def test_a_decision_is_written_into_the_card_that_stood_there_before_it(
    lake: Lake, settings: Settings, trained: TrainedModel
) -> None:
    save(trained.model, settings.models_dir)
    path = report_folder(settings, trained.model.version) / "card.md"
    write_card(lake, settings, trained.model)
    assert "none that this card knows of" in path.read_text()
    row = {"version": trained.model.version, "decision": "refused", "reason": "it loses", "in_force_from": None}
    write_decided_cards(lake, settings, pa.Table.from_pylist([row]))
    assert "**refused**: it loses" in path.read_text()


def test_a_long_card_is_cut_at_a_line_and_says_where_the_rest_is() -> None:
    assert bounded("short\n") == "short\n"
    cut = bounded("\n".join(f"line {number}" for number in range(9000)))
    assert len(cut) <= LARGEST_CARD + 60
    kept, _, told = cut.partition("\n\n… ")
    assert kept.endswith(f"line {kept.count(chr(10))}")
    assert told == "the rest stands in the file (card_file).\n"


def test_dependence_is_drawn_with_gaps_categories_and_features_that_never_vary() -> None:
    step = np.arange(2000, dtype=np.float64)
    found = [
        plots.Dependence("plain", step, np.sin(step) * 1e4),
        plots.Dependence("phase", step % 2, step - 1000, ("Evaluation", "Funded")),
        plots.Dependence("gaps", np.where(step > 100, np.nan, step), step),
        plots.Dependence("missing", np.full(2000, np.nan), step * 0),
        plots.Dependence("same", step * 0, step),
        plots.Dependence(
            "noise", np.random.default_rng(1).normal(size=2000), np.random.default_rng(2).normal(size=2000)
        ),
    ]
    drawn = plots.plot_dependence(found)
    assert len(drawn) <= LARGEST_PNG_BYTES
    assert drawn == plots.plot_dependence(found)
    assert drawn != plots.plot_dependence(found[:5])
