"""dpm models: the registry of model versions, and acts on who serves."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from daily_profit_model.commands.prepared import AsJson, Debug, day_or_none, settings

models_app = typer.Typer(
    help="The model versions: how good they are, who serves and why; and changing that.", no_args_is_help=True
)

Version = Annotated[str, typer.Argument(metavar="VERSION", help="A version; its beginning is enough.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the act.")]
Author = Annotated[str, typer.Option(help="Who decides; default the user's name.", show_default=False)]


@models_app.command("list")
def models_list(as_json: AsJson = False, debug: Debug = False) -> None:
    """Every version: skill with its interval, coverage, the gate's decision, and its alias since when."""
    from daily_profit_model.defs.launch.models import list_versions

    list_versions(settings(), as_json=as_json)


@models_app.command("show")
def models_show(version: Version, as_json: AsJson = False, debug: Debug = False) -> None:
    """One version in full: split, scores, trees, parameters, data versions, files; and what was decided on it."""
    from daily_profit_model.defs.launch.models import show_version

    show_version(settings(), version, as_json=as_json)


@models_app.command("compare")
def models_compare(
    first: Version,
    second: Annotated[str, typer.Argument(metavar="VERSION", help="The other one.")],
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Two versions side by side, and both on the test days of the later one; exit 1 when that cannot be done."""
    from daily_profit_model.defs.launch.compare import compare_versions

    raise typer.Exit(compare_versions(settings(), first, second, as_json=as_json))


@models_app.command("promote")
def models_promote(
    version: Version,
    reason: Reason,
    author: Author = "",
    alias: Annotated[Literal["champion", "challenger"], typer.Option(help="The alias to give.")] = "champion",
    expect: Annotated[
        str, typer.Option(help="Only if this version holds the alias now; `none`: only if nobody does.")
    ] = "",
    first_day: Annotated[
        str, typer.Option("--from", help="First predicted day; default the first without predictions.")
    ] = "",
    debug: Debug = False,
) -> None:
    """Make a version champion (or challenger) from a day to come on; exit 1 when --expect does not hold."""
    from daily_profit_model.defs.launch.acts import promote, user_name

    promote(
        settings(),
        version,
        alias=alias,
        reason=reason,
        author=author or user_name(),
        expect=expect,
        first_day=day_or_none(first_day),
    )


@models_app.command("rollback")
def models_rollback(reason: Reason, author: Author = "", debug: Debug = False) -> None:
    """Go back to the champion before the present one, from the first day without predictions on."""
    from daily_profit_model.defs.launch.acts import rollback, user_name

    rollback(settings(), reason=reason, author=author or user_name())


@models_app.command("withdraw")
def models_withdraw(reason: Reason, author: Author = "", debug: Debug = False) -> None:
    """Take the alias challenger from whoever holds it, from the first day without predictions on."""
    from daily_profit_model.defs.launch.acts import user_name, withdraw

    withdraw(settings(), reason=reason, author=author or user_name())
