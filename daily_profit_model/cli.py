"""dpm: thin commands over the graph. Parsing, one-line errors and exit codes; what they do stands in defs/launch.

Dagster and its company take seconds to import, so every command imports what it needs when it runs.
"""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer

from daily_profit_model.commands.cache import cache_app
from daily_profit_model.commands.drift import drift_app
from daily_profit_model.commands.explain import explain
from daily_profit_model.commands.features import features_app
from daily_profit_model.commands.health import health
from daily_profit_model.commands.lake import lake_app
from daily_profit_model.commands.models import models_app
from daily_profit_model.commands.prepared import AsJson, Debug, day_or_none, settings
from daily_profit_model.commands.quality import quality_app
from daily_profit_model.commands.quarantine import quarantine_app
from daily_profit_model.commands.sandbox import sandbox_app
from daily_profit_model.commands.shadow import shadow_app
from daily_profit_model.commands.sla import sla
from daily_profit_model.commands.train import train
from daily_profit_model.settings import WrongSettings, WrongUse

app = typer.Typer(
    help=__doc__.splitlines()[0] if __doc__ else "",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(sandbox_app, name="sandbox")
app.add_typer(drift_app, name="drift")
app.add_typer(features_app, name="features")
app.add_typer(cache_app, name="cache")
app.add_typer(lake_app, name="lake")
app.add_typer(models_app, name="models")
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(quality_app, name="quality")
app.add_typer(shadow_app, name="shadow")

WithoutShadow = Annotated[
    bool, typer.Option("--disable-shadow", help="Leave the shadow deployments out, but for what they serve.")
]


@app.command()
def demo(
    accounts: Annotated[int, typer.Option(help="Accounts of the simulated firm.", min=50)] = 500,
    days: Annotated[int, typer.Option(help="Days of history to fill.", min=80)] = 120,
    seed: Annotated[int, typer.Option(help="Seed of the simulated firm.")] = 7,
    port: Annotated[int, typer.Option(help="Port of the sandbox; 0 takes a free one.")] = 0,
    debug: Debug = False,
) -> None:
    """A simulated firm in, tomorrow's predictions out: sandbox, history, models, predictions, summary."""
    from daily_profit_model.defs.launch.demo import run_demo

    run_demo(settings(), accounts=accounts, days=days, seed=seed, port=port)


@app.command()
def run(
    stages: Annotated[str, typer.Option(help="Stages, separated by commas; all of them by default.")] = "",
    start_date: Annotated[str, typer.Option(help="First day of data, YYYY-MM-DD; default DPM_START_DATE.")] = "",
    end_date: Annotated[str, typer.Option(help="Last day of data; default yesterday (UTC).")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be made, and make nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Make and fetch again what is complete.")] = False,
    disable_shadow: WithoutShadow = False,
    debug: Debug = False,
) -> None:
    """Fill the days start … end and predict the days after them: whatever is missing or out of date."""
    first, last, known = day_or_none(start_date), day_or_none(end_date), settings()  # wrong ones are told at once
    from daily_profit_model.defs.launch.command import run_stages

    without = ("shadows",) if disable_shadow else ()
    run_stages(known, stages, first, last, dry_run=dry_run, force=force, without=without)


@app.command()
def ingest(
    feed: Annotated[
        list[str],
        typer.Argument(
            metavar="FEED",
            help="accounts, plans, regimes, bars, metrics alltime|daily|hourly, or trades closed|open.",
            show_default=False,
        ),
    ],
    start_date: Annotated[str, typer.Option(help="First day, YYYY-MM-DD; default DPM_START_DATE.")] = "",
    end_date: Annotated[str, typer.Option(help="Last day; default yesterday (UTC).")] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Read complete days again; what differs is stored as a new revision.")
    ] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Fetch the missing days of one feed into its raw table; without dates every missing day up to yesterday."""
    first, last, known = day_or_none(start_date), day_or_none(end_date), settings()
    from daily_profit_model.defs.launch.ingest import ingest as ingest_feed

    raise typer.Exit(ingest_feed(known, feed, first, last, force=force, as_json=as_json))


@app.command()
def corrections(
    since: Annotated[str, typer.Option(help="A day (from its 00:00 UTC on) or an instant in ISO form.")],
    table: Annotated[str, typer.Option(help="One raw table, raw/metrics_daily for instance; default all.")] = "",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Revisions of raw tables that have replaced an older one since a day or an instant, and what they changed."""
    from daily_profit_model.defs.launch.corrections import list_corrections

    list_corrections(settings(), since, table, as_json=as_json)


@app.command()
def status(as_json: AsJson = False, debug: Debug = False) -> None:
    """What is in the lake: partitions, newest day, rows and size of each table; exit 1 when days are missing."""
    from daily_profit_model.defs.launch.status import show_status

    raise typer.Exit(show_status(settings(), as_json=as_json))


@app.command()
def predict(
    day: Annotated[str, typer.Option("--date", help="Day to predict, YYYY-MM-DD; default today (UTC).")] = "",
    force: Annotated[bool, typer.Option("--force", help="Predict again what is there.")] = False,
    disable_drift_detection: Annotated[
        bool, typer.Option("--disable-drift-detection", help="Do not look for drift afterwards.")
    ] = False,
    evaluate_shadows: Annotated[
        bool, typer.Option("--evaluate-shadows", help="Also say what the day before says of the shadow deployments.")
    ] = False,
    disable_shadow: WithoutShadow = False,
    debug: Debug = False,
) -> None:
    """Predict one day from the features of the day before, with the champion in force on it and every active shadow;
    then look for drift.
    """
    day_wanted = day_or_none(day)
    if evaluate_shadows and disable_shadow:
        raise WrongUse("--evaluate-shadows and --disable-shadow exclude one another")
    from daily_profit_model.defs.launch.command import predict_day

    predict_day(
        settings(),
        day_wanted,
        force=force,
        shadows=not disable_shadow,
        evaluates=evaluate_shadows,
        detects_drift=not disable_drift_detection,
    )


app.command()(train)
app.command()(explain)
app.command()(health)
app.command()(sla)


@app.command()
def replay(
    day: Annotated[
        list[str] | None, typer.Option("--date", help="Predicted day, YYYY-MM-DD; may be given several times.")
    ] = None,
    days: Annotated[int | None, typer.Option(help="The last so many predicted days instead.", min=1)] = None,
    account: Annotated[str, typer.Option(help="One account by its id (or login); default all of the day.")] = "",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Make served predictions again from bundle, frozen snapshot and stored calibration; exit 1 when any bit differs."""
    from daily_profit_model.monitoring.replay import replay_days

    asked = [wanted for text in day or [] if (wanted := day_or_none(text)) is not None]
    raise typer.Exit(replay_days(settings(), asked, last=days, account=account, as_json=as_json))


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port of the web page.")] = 3000,
    debug: Debug = False,
) -> None:
    """Dagster's webserver and daemon on the stored instance (and the sandbox, when the lake is the demo's)."""
    from daily_profit_model.defs.launch.ui import serve_ui

    raise typer.Exit(serve_ui(settings(), port=port))


INTERRUPTED = 130
"""Typer's exit code of Ctrl-C, which it answers without a word."""


def fail(message: str, code: int) -> NoReturn:
    typer.echo(f"dpm: {' '.join(message.split())}", err=True)
    raise SystemExit(code)


def main() -> None:
    """Run the command line; foreseen errors are one line, anything else is one line and --debug's traceback."""
    stopped = "stopped; what is complete stays, the rest is made by the next run"
    try:
        app(standalone_mode=True)
    except KeyboardInterrupt:
        fail(stopped, 1)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            fail(stopped, 1)
        raise
    except (WrongSettings, WrongUse) as error:
        if "--debug" in sys.argv:
            raise
        fail(str(error), 2)
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        fail(f"{error} ({type(error).__name__}; --debug shows where)", 1)


if __name__ == "__main__":
    main()
