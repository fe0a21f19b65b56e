"""dpm explain: one account's prediction and its reasons."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daily_profit_model.commands.prepared import AsJson, Debug, day_or_none, settings


def explain(
    account: Annotated[str, typer.Option(help="Account id (or login).")],
    day: Annotated[str, typer.Option("--date", help="Predicted day, YYYY-MM-DD; default the newest.")] = "",
    png: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also draw the way from base to prediction.", dir_okay=False)
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """One account's prediction and its reasons in words, made again from bundle and frozen snapshot."""
    from daily_profit_model.defs.launch.explain import explain_account

    explain_account(settings(), account, day_or_none(day), png=png, as_json=as_json)
