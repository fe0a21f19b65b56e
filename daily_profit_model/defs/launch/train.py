"""`dpm train`: one cut-off's training set, its search for parameters when asked, its version, and the gate."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import date

from daily_profit_model.defs.calendars import CUT_OFFS
from daily_profit_model.defs.launch.command import run_steps, run_with_progress
from daily_profit_model.defs.launch.plan import STEPS, Step, Work, days_needed, days_with_targets, has_history
from daily_profit_model.defs.launch.runs import AssetConfigs, Launcher
from daily_profit_model.defs.models.tunings import settings_of, tuning_in_use
from daily_profit_model.lake import Lake, read
from daily_profit_model.modeling.contracts import MODELS_CHAMPION, MODELS_NET_PROFIT, MODELS_TUNING
from daily_profit_model.settings import Settings, WrongUse
from daily_profit_model.tables.raw import RAW_METRICS_DAILY

TUNING = Step("models", (MODELS_TUNING.name,), "cut_offs")
VERSION = Step("models", (MODELS_NET_PROFIT.name,), "cut_offs")
GATE = Step("models", (MODELS_CHAMPION.name,), "cut_offs")
"""Not chained: later decisions are left to `dpm run`, which makes them again one after the other."""


def train_cut_off(
    settings: Settings,
    cutoff: date | None,
    *,
    objective: str = "",
    dask: str = "",
    is_tuned: bool = False,
    trials: int | None = None,
    seed: int | None = None,
) -> None:
    """Train the version of `cutoff`, on its training set made up to date, and print what the gate says of it.

    Raises WrongUse for a cut-off or an objective that there is not, RunFailed when a run fails.
    """
    lake = Lake(settings.lake_root)
    objective = checked_objective(objective)
    if not is_tuned and (trials is not None or seed is not None):
        raise WrongUse("--n-trials and --seed belong to a search: add --tune-hyperparameters")
    wanted = checked_cut_off(lake, cutoff)
    if dask:
        checked_cluster(dask)
    launcher = Launcher(settings)
    day = date.fromisoformat(wanted)
    run_steps(launcher, [step for step in STEPS if step.stage == "training"], day, day)
    search = {"objective": objective, "trials": trials, "seed": seed}
    configs: dict[str, AssetConfigs] = {
        MODELS_TUNING.name: {MODELS_TUNING.name: {name: value for name, value in search.items() if value is not None}},
        MODELS_NET_PROFIT.name: {MODELS_NET_PROFIT.name: {"objective": objective, "dask": dask}},
    }
    for step in (*((TUNING,) if is_tuned else ()), VERSION, GATE):
        run_with_progress(launcher, Work(step, [wanted], "asked for"), False, configs.get(step.tables[0]))
    for line in told(lake, wanted, objective):
        print(line)  # whole, however narrow the terminal


def checked_cluster(address: str) -> None:
    """Raises WrongUse unless Dask workers can be had at `address`; told before a long training set is made."""
    from daily_profit_model.modeling.cluster import cluster

    try:
        with cluster(address):
            pass
    except ValueError as error:
        raise WrongUse(f"--dask: {error}") from None


def checked_objective(name: str) -> str:
    """The name of a forecaster, the default's when empty. Raises WrongUse."""
    try:
        return settings_of(name).objective
    except ValueError as error:
        raise WrongUse(str(error)) from None


def checked_cut_off(lake: Lake, day: date | None) -> str:
    """The partition of `day`. Raises WrongUse, naming the nearest ones, when it is no cut-off to train on."""
    known = trainable(lake)
    if day is not None and day.isoformat() in known:
        return day.isoformat()
    if not known:
        there = days_with_targets(lake, date.max.isoformat())
        raise WrongUse(
            f"no cut-off can be trained on yet: the first is a Sunday with {days_needed()} days of outcomes, "
            f"{there} are there (dpm run fills them)"
        )
    place = bisect_left(known, day.isoformat()) if day is not None else len(known)
    nearest = " and ".join(known[max(0, place - 1) : place + 1])
    wrong = "--cutoff is empty" if day is None else f"--cutoff {day} is no weekly cut-off that can be trained on"
    raise WrongUse(f"{wrong}: the nearest of {len(known)} is {nearest}")


def trainable(lake: Lake) -> list[str]:
    """The cut-offs with enough history before them whose own day has its outcomes, ascending."""
    complete = lake.partitions(RAW_METRICS_DAILY.name)
    cutoffs = [key for key in CUT_OFFS.get_partition_keys() if complete and key <= complete[-1]]
    # a later cut-off has no less history
    first = bisect_left(cutoffs, True, key=lambda cutoff: has_history(lake, cutoff))
    return cutoffs[first:]


def told(lake: Lake, cutoff: str, objective: str) -> Iterator[str]:
    """What became of the training at `cutoff`, a line each."""
    [version] = read(lake, MODELS_NET_PROFIT, [cutoff]).to_pylist()
    tuning = tuning_in_use(lake, cutoff, objective)
    if tuning is None:
        yield f"parameters  {objective}, the defaults: nothing is tuned up to here"
    elif tuning.trial == 0:
        yield f"parameters  {objective}, the defaults: no trial of {MODELS_TUNING.name} {tuning.cutoff} is surely better"
    else:
        gain = 1.0 - tuning.value / tuning.defaults_value
        yield (
            f"parameters  {objective}, {tuning.words}: {tuning.value:,.2f} USD on its folds, "
            f"{gain:.1%} less than the defaults"
        )
    yield f"version     {version['version']}"
    yield (
        f"skill       {version['skill']:+.4f} [{version['skill_lower']:+.4f}, {version['skill_upper']:+.4f}] "
        f"against {version['best_baseline']}"
    )
    yield f"coverage    {version['coverage_90']:.3f} of the 90 % intervals"
    decisions = read(lake, MODELS_CHAMPION, [cutoff]).to_pylist()
    for row in sorted(decisions, key=lambda row: bool(row["version"] != version["version"])):
        of = "" if row["version"] == version["version"] else f"{row['version']} "
        yield f"gate        {of}{row['decision']}: {row['reason']}"
    if any(later > cutoff for later in lake.partitions(MODELS_CHAMPION.name)):
        yield "later decisions know another version of this cut-off: dpm run --stages models makes them again"
