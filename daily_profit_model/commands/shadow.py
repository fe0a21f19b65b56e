"""dpm shadow: deployments of a version beside the champion, and what their days say."""

from __future__ import annotations

from typing import Annotated

import typer

from daily_profit_model.commands.models import Author, Reason, Version
from daily_profit_model.commands.prepared import AsJson, Debug, day_or_none, settings

shadow_app = typer.Typer(
    help="Versions that score every account beside the champion, and whether one is better.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A deployment as `list` shows it; its beginning is enough.")]


@shadow_app.command("create")
def shadow_create(
    version: Version,
    reason: Reason,
    traffic: Annotated[
        int,
        typer.Option(
            help="Share of accounts (%) that are served its numbers, the same ones every day, by a hash of deployment "
            "and account. One in the traffic of several is that of the deployment created first; together they have "
            "100 at most. It cannot be changed later."
        ),
    ] = 0,
    days: Annotated[int, typer.Option(help="Days with outcomes after which it is decided in any case.")] = 60,
    first_day: Annotated[
        str, typer.Option("--from", help="First predicted day; default the first without predictions.")
    ] = "",
    author: Author = "",
    debug: Debug = False,
) -> None:
    """Let a version score every account beside the champion, from a day on, and serve a share of them if asked to."""
    from daily_profit_model.defs.launch.acts import user_name
    from daily_profit_model.defs.launch.shadows import create_deployment

    create_deployment(
        settings(),
        version,
        traffic=traffic,
        days=days,
        first_day=day_or_none(first_day),
        reason=reason,
        author=author or user_name(),
    )


@shadow_app.command("list")
def shadow_list(as_json: AsJson = False, debug: Debug = False) -> None:
    """Every deployment: version, days, what is decided, and by what evidence."""
    from daily_profit_model.defs.launch.shadows import list_deployments

    list_deployments(settings(), as_json=as_json)


@shadow_app.command("evaluate")
def shadow_evaluate(
    day: Annotated[str, typer.Option("--date", help="Last day that counts, YYYY-MM-DD; default the newest.")] = "",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Make what is missing of the deployments' predictions and evaluations up to a day, and print what it says."""
    from daily_profit_model.defs.launch.shadows import evaluate_deployments

    evaluate_deployments(settings(), day_or_none(day), as_json=as_json)


@shadow_app.command("stop")
def shadow_stop(name: Name, reason: Reason, author: Author = "", debug: Debug = False) -> None:
    """End a deployment, from the first day without predictions on; what it has predicted stays."""
    from daily_profit_model.defs.launch.acts import user_name
    from daily_profit_model.defs.launch.shadows import stop_deployment

    stop_deployment(settings(), name, reason=reason, author=author or user_name())


@shadow_app.command("promote")
def shadow_promote(name: Name, reason: Reason, author: Author = "", debug: Debug = False) -> None:
    """Make the version champion, where its evaluation has decided so; the evidence is kept with the act."""
    from daily_profit_model.defs.launch.acts import user_name
    from daily_profit_model.defs.launch.shadows import promote_deployment

    promote_deployment(settings(), name, reason=reason, author=author or user_name())
