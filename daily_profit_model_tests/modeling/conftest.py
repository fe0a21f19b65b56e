"""A trained model on a simulated panel, shared by the tests of this folder."""

from __future__ import annotations

from datetime import date

import pytest

from daily_profit_model.modeling.design import design_of, design_table
from daily_profit_model.modeling.training import TrainedModel, TrainSettings, baseline_on, train
from daily_profit_model_tests.modeling.panel import Panel, simulate_panel
from daily_profit_model_tests.modeling.served_day import ServedDay, serve_day_after

VERSIONS = {"training/account_daily": "sha256:abc"}


@pytest.fixture(scope="session")
def panel() -> Panel:
    return simulate_panel(accounts=150, days=110, seed=3)


@pytest.fixture(scope="session")
def cutoff(panel: Panel) -> date:
    last: date = max(panel.frame["target_date"].to_pylist())
    return last


@pytest.fixture(scope="session")
def trained(panel: Panel, cutoff: date) -> TrainedModel:
    settings = TrainSettings(objective="l1")
    return train(
        panel.frame, panel.features, cutoff=cutoff, settings=settings, data_versions=VERSIONS, code_version="code-1"
    )


@pytest.fixture(scope="session")
def two_part(panel: Panel, cutoff: date) -> TrainedModel:
    settings = TrainSettings(objective="two_part")
    return train(
        panel.frame, panel.features, cutoff=cutoff, settings=settings, data_versions=VERSIONS, code_version="code-1"
    )


@pytest.fixture(scope="session")
def served_day(panel: Panel, trained: TrainedModel, cutoff: date) -> ServedDay:
    return serve_day_after(panel, trained.model, cutoff)


@pytest.fixture(scope="session")
def baseline(panel: Panel, cutoff: date) -> TrainedModel:
    settings = TrainSettings()
    table = design_table(panel.frame, panel.features, cutoff=cutoff, split=settings.split, columns=settings.columns)
    return baseline_on(design_of(table), "zero", settings=settings, data_versions=VERSIONS, code_version="code-1")
