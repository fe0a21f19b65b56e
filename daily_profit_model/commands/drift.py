"""dpm drift: what has drifted, and a report to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daily_profit_model.commands.prepared import AsJson, Debug, day_or_none, settings

drift_app = typer.Typer(
    help="Drift of features, predictions and outcomes, and degradation of the champion.", no_args_is_help=True
)

Day = Annotated[str, typer.Option("--date", help="Predicted day, YYYY-MM-DD; default the newest.")]


@drift_app.command("show")
def drift_show(day: Day = "", as_json: AsJson = False, debug: Debug = False) -> None:
    """Alarms of a day, since when, and which features are to blame; exit 1 when there is an alarm."""
    from daily_profit_model.defs.launch.drift import show_drift

    raise typer.Exit(show_drift(settings(), day_or_none(day), as_json=as_json))


@drift_app.command("report")
def drift_report(
    day: Day = "",
    reference_days: Annotated[
        int, typer.Option(help="Days before that the day is drawn against; as many as are there.", min=1)
    ] = 28,
    window_days: Annotated[int, typer.Option(help="Days up to the day that are drawn together.", min=1)] = 1,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write; default below the reports folder.", dir_okay=False),
    ] = None,
    debug: Debug = False,
) -> None:
    """Evidently's page of a day's features against those of days before it: a picture, the judge is `dpm drift show`."""
    from daily_profit_model.defs.launch.drift import write_report

    write_report(settings(), day_or_none(day), reference_days=reference_days, window_days=window_days, html=html)
