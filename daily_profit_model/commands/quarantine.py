"""dpm quarantine: the rows that were rejected."""

from __future__ import annotations

from typing import Annotated

import typer

from daily_profit_model.commands.prepared import AsJson, Debug, day_or_none, settings
from daily_profit_model.settings import WrongUse

quarantine_app = typer.Typer(
    help="Rejected rows: how many and why, the rows themselves, and trying them again.", no_args_is_help=True
)

TableName = Annotated[str, typer.Argument(metavar="TABLE", help="Raw table, raw/trades_closed for instance.")]


@quarantine_app.command("list")
def quarantine_list(
    table: Annotated[str, typer.Option(help="One raw table; default all.")] = "",
    day: Annotated[str, typer.Option("--date", help="One day, YYYY-MM-DD.")] = "",
    since: Annotated[str, typer.Option(help="That day and all later ones.")] = "",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """How many rows lie in quarantine, by table, day and reason."""
    one, first, known = day_or_none(day), day_or_none(since), settings()
    from daily_profit_model.defs.launch.quarantine import list_rejects

    list_rejects(known, table, one, first, as_json=as_json)


@quarantine_app.command("show")
def quarantine_show(
    table: TableName,
    day: Annotated[str, typer.Option("--date", help="The day, YYYY-MM-DD.")],
    reason: Annotated[str, typer.Option(help="One reason; default all.")] = "",
    limit: Annotated[int, typer.Option(help="Rows shown at most.", min=1)] = 20,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """The rejected rows of a table's day: reason, detail, and the row as it was received."""
    one, known = day_or_none(day), settings()
    if one is None:
        raise WrongUse("--date is empty: write YYYY-MM-DD")
    from daily_profit_model.defs.launch.quarantine import show_rejects

    show_rejects(known, table, one, reason, limit, as_json=as_json)


@quarantine_app.command("retry")
def quarantine_retry(
    table: TableName,
    day: Annotated[list[str] | None, typer.Option("--date", help="A day; may be given several times.")] = None,
    all_days: Annotated[bool, typer.Option("--all", help="Every day that has rejected rows.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be stored, and store nothing.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Read rejected rows again; what is valid by now is stored as a new revision, and the next `dpm run` follows it."""
    days = [one for text in day or [] if (one := day_or_none(text)) is not None]
    known = settings()
    from daily_profit_model.defs.launch.quarantine import retry_rejects

    raise typer.Exit(retry_rejects(known, table, days, all_days=all_days, dry_run=dry_run, as_json=as_json))
