"""A lake in a temporary folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from upath import UPath

from daily_profit_model.lake import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(UPath(tmp_path / "lake"))
