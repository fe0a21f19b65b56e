"""A trained model on a simulated panel, shared by the tests of this folder."""

from __future__ import annotations

from datetime import date

import pytest

from daily_profit_model.modeling.training import TrainedModel, train
from daily_profit_model_tests.modeling.panel import Panel, simulate_panel

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
    return train(panel.frame, panel.features, cutoff=cutoff, data_versions=VERSIONS, code_version="code-1")
