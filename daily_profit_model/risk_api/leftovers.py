"""What fetches that were killed left on this machine: pages too old to go on from, and scratch folders.

Nothing goes that a living process holds: a fetch has the locks of its days, a scratch folder its process's number.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from daily_profit_model.lake.scratch import left_ones
from daily_profit_model.risk_api.spool import Spools, Swept

SCRATCH_GRACE_S = 3600.0
"""A scratch folder stays so long after its last change, whatever its process's number says."""


@dataclass(frozen=True)
class Leftovers:
    """What was removed, or with a dry run would be; bytes are those of files on disk."""

    spools: int = 0
    spool_bytes: int = 0
    spools_in_use: int = 0
    """Old enough, but a living process is at them."""
    scratch_folders: int = 0
    scratch_bytes: int = 0

    @property
    def bytes_removed(self) -> int:
        return self.spool_bytes + self.scratch_bytes


def remove_leftovers(spool_dir: Path, scratch_parent: Path, *, now: datetime, dry_run: bool = False) -> Leftovers:
    """Sweep the spools of all tables, and the scratch folders in `scratch_parent`; `now` has a time zone."""
    spools, swept = Spools(spool_dir), Swept()
    for table in spools.tables():
        swept += spools.sweep(table, now=now.timestamp, dry_run=dry_run)
        if not dry_run:
            spools.remove_idle_locks(table, now=now.timestamp)
    folders = [
        folder for folder in left_ones(scratch_parent) if now.timestamp() - folder.stat().st_mtime > SCRATCH_GRACE_S
    ]
    sizes = [sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) for folder in folders]
    for folder in folders if not dry_run else ():
        shutil.rmtree(folder, ignore_errors=True)
    return Leftovers(swept.spools, swept.bytes, swept.in_use, len(folders), sum(sizes))
