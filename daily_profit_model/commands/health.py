"""dpm health: whether the platform is well."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from daily_profit_model.commands.prepared import AsJson, Debug, settings


def health(
    full: Annotated[
        bool, typer.Option("--full", help="Also check the newest partitions and every bundle, byte by byte.")
    ] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Storage, service, database, freshness, checks, model age, disk and memory; exit 1 when one of them fails."""
    from daily_profit_model.defs.launch.health import show_health

    raise typer.Exit(show_health(settings(), now=datetime.now(UTC), full=full, as_json=as_json))
