"""dpm lake: the lake on disk."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from daily_profit_model.commands.prepared import AsJson, Debug, settings

lake_app = typer.Typer(help="The lake on disk: what its tables take, and what of it may go.", no_args_is_help=True)


@lake_app.command("storage")
def lake_storage(as_json: AsJson = False, debug: Debug = False) -> None:
    """Partitions, files, rows and bytes of each table; what is superseded, and what `dpm lake gc` would remove."""
    from daily_profit_model.defs.launch.storage import show_storage

    show_storage(settings(), now=datetime.now(UTC), as_json=as_json)


@lake_app.command("gc")
def lake_gc(
    retention_days: Annotated[
        int | None,
        typer.Option(help="Days that a replaced revision stays; default DPM_RAW_RETENTION_DAYS.", min=0, max=36_500),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Remove raw revisions replaced long ago that no cut-off rests on, and what killed writers and fetches left."""
    from daily_profit_model.defs.launch.storage import collect_and_tell

    collect_and_tell(settings(), now=datetime.now(UTC), retention_days=retention_days, dry_run=dry_run, as_json=as_json)
