"""dpm train: one model version, its parameters searched for when asked."""

from __future__ import annotations

from typing import Annotated

import typer

from daily_profit_model.commands.prepared import Debug, day_or_none, settings


def train(
    cutoff: Annotated[str, typer.Option(help="Weekly cut-off, YYYY-MM-DD: the last day whose outcome is learnt from.")],
    objective: Annotated[
        str,
        typer.Option(metavar="l1|huber|fair|two_part", help="What is forecast by which boosters; default two_part."),
    ] = "",
    tune_hyperparameters: Annotated[
        bool, typer.Option("--tune-hyperparameters", help="First search the boosters' parameters, or go on with it.")
    ] = False,
    n_trials: Annotated[
        int | None, typer.Option(help="Trials of the search; default 50.", min=1, show_default=False)
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the search.", min=0, show_default=False)] = None,
    dask: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Workers that train: tcp://host:port of a Dask scheduler, or local:N."),
    ] = "",
    debug: Debug = False,
) -> None:
    """Train the version of a cut-off and let the gate decide on it; a search that was stopped goes on."""
    from daily_profit_model.defs.launch.train import train_cut_off

    train_cut_off(
        settings(),
        day_or_none(cutoff),
        objective=objective,
        dask=dask,
        is_tuned=tune_hyperparameters,
        trials=n_trials,
        seed=seed,
    )
