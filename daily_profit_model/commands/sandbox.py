"""dpm sandbox: the simulated firm."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daily_profit_model.commands.prepared import Debug, day_or_none

sandbox_app = typer.Typer(
    help="The simulated firm and its API, for trying the platform without credentials.", no_args_is_help=True
)


@sandbox_app.command("serve")
def sandbox_serve(
    accounts: Annotated[int, typer.Option(help="Live accounts at the start.", min=1)] = 500,
    days: Annotated[int, typer.Option(help="Days of history.", min=2)] = 120,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal worlds.")] = 7,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8750,
    end: Annotated[str, typer.Option(help="Last day of the world, YYYY-MM-DD; default yesterday (UTC).")] = "",
    key: Annotated[str, typer.Option(help="API key to ask for.", envvar="RISK_API_KEY")] = "sandbox-key",
    rate_limit: Annotated[float, typer.Option(help="Requests a second allowed.")] = 15.0,
    burst: Annotated[int, typer.Option(help="Requests allowed at once after a rest.")] = 20,
    folder: Annotated[str, typer.Option(help="Keep the world there (and take it from there, if it is the same).")] = "",
    truth_days: Annotated[int, typer.Option(help="Write the truth of the last N days beside the world.")] = 0,
    faults: Annotated[int, typer.Option(help="Seed of a plan of faults of every kind; 0: none.", min=0)] = 0,
    retry_after: Annotated[bool, typer.Option(help="Whether HTTP 429 says how long to wait.")] = True,
    debug: Debug = False,
) -> None:
    """Generate a world and serve it until Ctrl-C: the Risk Analytics API, regimes and market bars."""
    from daily_profit_model.sandbox.command import serve_world

    serve_world(
        accounts=accounts,
        days=days,
        seed=seed,
        end=day_or_none(end),
        port=port,
        key=key,
        rate_limit=rate_limit,
        burst=burst,
        folder=Path(folder) if folder else None,
        truth_days=truth_days,
        faults=faults,
        retry_after=retry_after,
    )
