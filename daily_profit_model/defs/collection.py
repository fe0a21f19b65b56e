"""Collecting everything that a data folder holds: the lake, what killed fetches left, and the cache.

Each part decides for itself what goes; here they are joined with the settings, for `dpm` and for the graph alike.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from daily_profit_model import cache, lake
from daily_profit_model.defs.all_tables import LAKE_TABLES
from daily_profit_model.risk_api.leftovers import Leftovers, remove_leftovers
from daily_profit_model.settings import Settings


@dataclass(frozen=True)
class CollectedLake:
    """What went of the lake, and of fetches into it."""

    lake: lake.Collected
    leftovers: Leftovers

    @property
    def bytes_removed(self) -> int:
        return self.lake.bytes_removed + self.leftovers.bytes_removed


def collect_lake(
    settings: Settings, *, now: datetime, retention_days: int | None = None, dry_run: bool = False
) -> CollectedLake:
    """Collect the lake, spools and scratch folders; `retention_days` None: DPM_RAW_RETENTION_DAYS."""
    days = settings.dpm_raw_retention_days if retention_days is None else retention_days
    collected = lake.collect(
        lake.Lake(settings.lake_root), LAKE_TABLES, now=now, retention=timedelta(days=days), dry_run=dry_run
    )
    scratch = Path(tempfile.gettempdir())
    return CollectedLake(collected, remove_leftovers(settings.spool_dir, scratch, now=now, dry_run=dry_run))


def collect_cache(settings: Settings, *, now: datetime) -> cache.Collected:
    """Collect the cache by DPM_CACHE_RETENTION_WEEKS and DPM_CACHE_MAX_GB."""
    retention = timedelta(weeks=settings.dpm_cache_retention_weeks)
    return cache.collect(settings.cache_dir, now=now, retention=retention, max_bytes=settings.cache_max_bytes)
