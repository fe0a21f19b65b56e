"""dpm quality: what the rules said of a day, and the rules themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from daily_profit_model.commands.prepared import AsJson, Debug, day_or_none, settings

quality_app = typer.Typer(help="Data quality: what the rules said of a day, and the rules.", no_args_is_help=True)

TableName = Annotated[str, typer.Option("--table", help="One table, raw/metrics_daily for instance; default all.")]


@quality_app.command("report")
def quality_report(
    day: Annotated[str, typer.Option("--date", help="The day, YYYY-MM-DD; default yesterday (UTC).")] = "",
    table: TableName = "",
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write it as one page that needs nothing else.")
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Score, failed rules and rules not judged of each table; exit 1 when a rule of severity error fails."""
    chosen, known = day_or_none(day), settings()
    from daily_profit_model.defs.launch.quality import report

    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    raise typer.Exit(report(known, chosen or yesterday, table, html, as_json=as_json))


@quality_app.command("rules")
def quality_rules(table: TableName = "", as_json: AsJson = False, debug: Debug = False) -> None:
    """Every rule: table, id, dimension, severity, whether it blocks, what must hold, and why."""
    settings()
    from daily_profit_model.defs.launch.quality import list_rules

    list_rules(table, as_json=as_json)
