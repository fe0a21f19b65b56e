"""dpm cache: the cache of computed tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from daily_profit_model.commands.prepared import AsJson, Debug, settings

cache_app = typer.Typer(help="The cache of computed tables: what it holds, whether it is whole.", no_args_is_help=True)


@cache_app.command("stats")
def cache_stats(as_json: AsJson = False, debug: Debug = False) -> None:
    """Hits, misses, waits and recomputed entries so far; entries and bytes on disk."""
    from daily_profit_model.cache.command import show_statistics

    loaded = settings()
    show_statistics(loaded.cache_dir, max_bytes=loaded.cache_max_bytes, as_json=as_json)


@cache_app.command("verify")
def cache_verify(as_json: AsJson = False, debug: Debug = False) -> None:
    """Check every entry against its checksum; exit 1 when one is damaged."""
    from daily_profit_model.cache.command import verify_entries

    raise typer.Exit(verify_entries(settings().cache_dir, as_json=as_json))


@cache_app.command("gc")
def cache_gc(
    retention_weeks: Annotated[
        int | None,
        typer.Option(
            help="Weeks since the last access that an entry stays; default DPM_CACHE_RETENTION_WEEKS.", min=0, max=5_200
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Remove entries unused for long, then the least recently used beyond DPM_CACHE_MAX_GB; never one in use."""
    from daily_profit_model.cache.command import collect_entries

    loaded = settings()
    collect_entries(
        loaded.cache_dir,
        now=datetime.now(UTC),
        retention_weeks=loaded.dpm_cache_retention_weeks if retention_weeks is None else retention_weeks,
        max_bytes=loaded.cache_max_bytes,
        dry_run=dry_run,
        as_json=as_json,
    )
