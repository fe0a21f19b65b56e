"""The small firm's lake, filled and audited once for all tests of the audit."""

from __future__ import annotations

import pytest

from daily_profit_model.features.audit import Report, audit
from daily_profit_model.lake import Lake
from daily_profit_model_tests.features.audit.leaks import ALL_STEPS, HONEST_STEPS, LEAKS
from daily_profit_model_tests.features.audit.small_lake import DAYS, fill, lake_over, raw_tables


@pytest.fixture(scope="package")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Raw tables and the honest tables made of them; nobody writes into it."""
    lake = raw_tables(tmp_path_factory.mktemp("honest") / "lake")
    fill(lake, HONEST_STEPS, DAYS)
    return lake


@pytest.fixture(scope="package")
def leaky_report(tmp_path_factory: pytest.TempPathFactory, honest: Lake) -> Report:
    """What the audit says of a lake that was filled by a pipeline with all thirteen leaks in it."""
    folder = tmp_path_factory.mktemp("leaky")
    lake = lake_over(folder / "lake", honest)
    fill(lake, [leak.step for leak in LEAKS.values()], DAYS)
    return audit(lake, ALL_STEPS, folder / "audit", days=1, seed=7)
