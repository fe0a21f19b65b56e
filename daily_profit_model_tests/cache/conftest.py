"""A cache in a temporary folder whose clock stands still, and what it said in its log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from daily_profit_model.cache import Cache
from daily_profit_model_tests.cache.small_entries import NOON


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def cache(folder: Path) -> Cache:
    return Cache(folder, clock=lambda: NOON)


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[Any]]:
    """Of every test: lines printed to a stream that another test has closed would be errors."""
    with structlog.testing.capture_logs() as lines:
        yield lines
