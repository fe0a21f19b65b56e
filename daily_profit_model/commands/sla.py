"""dpm sla: whether the platform keeps what is promised of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from daily_profit_model.commands.prepared import AsJson, Debug, settings


def sla(
    check_recent: Annotated[
        bool, typer.Option("--check-recent", help="Judge the last DPM_SLA_DAYS days, not the newest deadline and runs.")
    ] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Deadlines of partitions, runtimes of jobs against their own past, failures of runs; exit 1 on a breach."""
    from daily_profit_model.defs.launch.sla import show_sla

    raise typer.Exit(show_sla(settings(), now=datetime.now(UTC), recent=check_recent, as_json=as_json))
