"""dpm features: the catalogue, its audit, and the comparison of engines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from daily_profit_model.commands.prepared import AsJson, Debug, settings

features_app = typer.Typer(help="The catalogue of features: what is known of an account.", no_args_is_help=True)


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
