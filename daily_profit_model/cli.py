"""dpm: thin commands over the graph. Parsing, one-line errors and exit codes; what they do stands in defs/launch.

Dagster and its company take seconds to import, so every command imports what it needs when it runs.
"""

from __future__ import annotations

import os
import sys
import warnings
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from daily_profit_model.settings import Settings, WrongSettings, WrongUse, configure_logs, load_settings

app = typer.Typer(
    help=__doc__.splitlines()[0] if __doc__ else "",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
sandbox_app = typer.Typer(
    help="The simulated firm and its API, for trying the platform without credentials.", no_args_is_help=True
)
app.add_typer(sandbox_app, name="sandbox")
features_app = typer.Typer(help="The catalogue of features: what is known of an account.", no_args_is_help=True)
app.add_typer(features_app, name="features")
cache_app = typer.Typer(help="The cache of computed tables: what it holds, whether it is whole.", no_args_is_help=True)
app.add_typer(cache_app, name="cache")
lake_app = typer.Typer(help="The lake on disk: what its tables take, and what of it may go.", no_args_is_help=True)
app.add_typer(lake_app, name="lake")

Debug = Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


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
    debug: Debug = False,
) -> None:
    """Fill the days start … end and predict the days after them: whatever is missing or out of date."""
    from daily_profit_model.defs.launch.command import run_stages

    run_stages(settings(), stages, day_or_none(start_date), day_or_none(end_date), dry_run=dry_run, force=force)


@app.command()
def ingest(
    feed: Annotated[
        list[str],
        typer.Argument(
            metavar="FEED",
            help="accounts, plans, regimes, metrics alltime|daily|hourly, or trades closed|open.",
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
    from daily_profit_model.defs.launch.ingest import ingest as ingest_feed

    first, last = day_or_none(start_date), day_or_none(end_date)
    raise typer.Exit(ingest_feed(settings(), feed, first, last, force=force, as_json=as_json))


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
    debug: Debug = False,
) -> None:
    """Predict one day from the features of the day before, with the champion in force on it."""
    from daily_profit_model.defs.launch.command import predict_day

    predict_day(settings(), day_or_none(day), force=force)


@app.command()
def explain(
    account: Annotated[str, typer.Option(help="Account id (or login).")],
    day: Annotated[str, typer.Option("--date", help="Predicted day, YYYY-MM-DD; default the newest.")] = "",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """One account's prediction and its reasons in words."""
    from daily_profit_model.defs.launch.explain import explain_account

    explain_account(settings(), account, day_or_none(day), as_json=as_json)


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port of the web page.")] = 3000,
    debug: Debug = False,
) -> None:
    """Dagster's webserver and daemon on the stored instance (and the sandbox, when the lake is the demo's)."""
    from daily_profit_model.defs.launch.ui import serve_ui

    raise typer.Exit(serve_ui(settings(), port=port))


@features_app.command("list")
def features_list(
    family: Annotated[str, typer.Option(help="One family; default all.")] = "",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Every feature: family, type, unit, how many days it looks at, and what it says."""
    from daily_profit_model.features.command import list_features

    list_features(family, as_json=as_json)


@features_app.command("describe")
def features_describe(
    name: Annotated[str, typer.Argument(help="The feature's name.")], as_json: AsJson = False, debug: Debug = False
) -> None:
    """One feature in full: its inputs, its SQL, and what null means."""
    from daily_profit_model.features.command import describe_feature

    describe_feature(name, as_json=as_json)


@features_app.command("docs")
def features_docs(
    to: Annotated[str, typer.Option(help="File to write.")] = "docs/features.md", debug: Debug = False
) -> None:
    """Write the page of all features from the catalogue."""
    from daily_profit_model.features.command import write_page

    write_page(Path(to))
    typer.echo(f"written: {to}")


@features_app.command("audit")
def features_audit(
    days: Annotated[int, typer.Option(help="Random days to audit.", min=1)] = 20,
    seed: Annotated[int, typer.Option(help="Equal seeds take equal days.")] = 7,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Make random days once more without, and with a poisoned, future; exit 1 when any bit of them differs."""
    from daily_profit_model.defs.launch.audit import audit_features

    raise typer.Exit(audit_features(settings(), days=days, seed=seed, as_json=as_json))


@features_app.command("compare")
def features_compare(
    engine: Annotated[Literal["spark"], typer.Option(help="The engine to compare with DuckDB.")] = "spark",
    days: Annotated[int, typer.Option(help="The last so many days of features in the lake.", min=1)] = 3,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Make the features of some days on both engines; exit 1 when they differ by more than rounding."""
    from daily_profit_model.engine import runner_of
    from daily_profit_model.features import FEATURES_ACCOUNT_DAILY
    from daily_profit_model.features.compare import compare_days
    from daily_profit_model.lake import Lake

    loaded = settings()
    lake = Lake(loaded.lake_root)
    made = lake.partitions(FEATURES_ACCOUNT_DAILY.name)[-days:]
    other = runner_of(engine, loaded.dpm_spark_master)
    raise typer.Exit(compare_days(lake, other, made, engine=engine, as_json=as_json))


@cache_app.command("stats")
def cache_stats(as_json: AsJson = False, debug: Debug = False) -> None:
    """Hits, misses, waits and recomputed entries so far; entries and bytes on disk."""
    from daily_profit_model.cache.command import show_statistics

    loaded = settings()
    show_statistics(loaded.cache_dir, max_bytes=loaded.cache_max_bytes, as_json=as_json)


@cache_app.command("verify")
def cache_verify(as_json: AsJson = False, debug: Debug = False) -> None:
    """Check every entry against its checksum; exit 1 when one is damaged."""
    from daily_profit_model.cache.command import verify_entries

    raise typer.Exit(verify_entries(settings().cache_dir, as_json=as_json))


@cache_app.command("gc")
def cache_gc(
    retention_weeks: Annotated[
        int | None,
        typer.Option(help="Weeks since the last access that an entry stays; default DPM_CACHE_RETENTION_WEEKS.", min=0),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Remove entries unused for long, then the least recently used beyond DPM_CACHE_MAX_GB; never one in use."""
    from daily_profit_model.cache.command import collect_entries

    loaded = settings()
    collect_entries(
        loaded.cache_dir,
        now=datetime.now(UTC),
        retention_weeks=loaded.dpm_cache_retention_weeks if retention_weeks is None else retention_weeks,
        max_bytes=loaded.cache_max_bytes,
        dry_run=dry_run,
        as_json=as_json,
    )


@lake_app.command("storage")
def lake_storage(as_json: AsJson = False, debug: Debug = False) -> None:
    """Partitions, files, rows and bytes of each table; what is superseded, and what `dpm lake gc` would remove."""
    from daily_profit_model.defs.launch.storage import show_storage

    show_storage(settings(), now=datetime.now(UTC), as_json=as_json)


@lake_app.command("gc")
def lake_gc(
    retention_days: Annotated[
        int | None,
        typer.Option(help="Days that a replaced revision stays; default DPM_RAW_RETENTION_DAYS.", min=0, max=36_500),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Remove raw revisions replaced long ago that no cut-off rests on, and what killed writers and fetches left."""
    from daily_profit_model.defs.launch.storage import collect_and_tell

    collect_and_tell(settings(), now=datetime.now(UTC), retention_days=retention_days, dry_run=dry_run, as_json=as_json)


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


def settings() -> Settings:
    """The settings, and the process prepared for a run: quiet libraries, no traceback for foreseen errors."""
    loaded = load_settings()
    configure_logs(loaded.dpm_log_format)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
    warnings.simplefilter("ignore")
    return loaded


def day_or_none(text: str) -> date | None:
    """A day given as YYYY-MM-DD, None when empty. Raises WrongUse."""
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise WrongUse(f"{text!r} is not a day: write YYYY-MM-DD, for example 2026-06-30") from None


def fail(message: str, code: int) -> NoReturn:
    typer.echo(f"dpm: {' '.join(message.split())}", err=True)
    raise SystemExit(code)


def main() -> None:
    """Run the command line; foreseen errors are one line, anything else is one line and --debug's traceback."""
    try:
        app(standalone_mode=True)
    except KeyboardInterrupt:
        fail("stopped; what is complete stays, the rest is made by the next run", 1)
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
