"""`dpm cache`: what the cache holds and how often it answered, whether it is whole, and what of it goes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import track

from daily_profit_model.cache import statistics
from daily_profit_model.cache.collect import collect, verify_all
from daily_profit_model.cache.entry import entries


def show_statistics(folder: Path, *, max_bytes: int, as_json: bool) -> None:
    """Print the counts of calls and the entries on disk."""
    found = entries(folder.resolve())
    accesses = [at for entry in found if (at := entry.last_access()) is not None]
    _print(
        {
            **asdict(statistics.total(folder)),
            "entries": len(found),
            "bytes": sum(entry.bytes() for entry in found),
            "max_bytes": max_bytes,
            "least_recent_access": min(accesses).isoformat() if accesses else None,
            "folder": str(folder),
        },
        as_json=as_json,
    )


def verify_entries(folder: Path, *, as_json: bool) -> int:
    """Check every entry; prints the damaged ones and returns the exit code, 1 when there are any."""
    console = Console(stderr=True)
    found = entries(folder.resolve())
    checked = verify_all(track(found, "checking", console=console, transient=True, disable=not console.is_terminal))
    if as_json:
        print(json.dumps(asdict(checked), indent=2))
    else:
        for digest, reason in checked.damaged.items():
            print(f"damaged: {digest}: {reason}")
        print(f"{checked.whole} whole, {len(checked.damaged)} damaged, {checked.in_use} being written")
        if checked.damaged:
            print("a damaged entry is computed again when it is asked for")
    return 1 if checked.damaged else 0


def collect_entries(
    folder: Path, *, now: datetime, retention_weeks: int, max_bytes: int, dry_run: bool, as_json: bool
) -> None:
    """Collect the cache and print what went, or would go."""
    done = collect(folder, now=now, retention=timedelta(weeks=retention_weeks), max_bytes=max_bytes, dry_run=dry_run)
    if dry_run and not as_json:
        print("dry run: nothing is removed")
    _print({**asdict(done), "dry_run": dry_run} if as_json else asdict(done), as_json=as_json)


def _print(values: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(values, indent=2))
        return
    for name, value in values.items():
        print(f"{name.replace('_', ' '):<20} {'' if value is None else value}")
