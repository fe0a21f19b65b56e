"""`dpm shadow`: deployments created, listed, evaluated, stopped and promoted; acts recorded in the lake, told to the UI."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

from rich.console import Console
from rich.table import Table as Grid

from daily_profit_model.defs.launch.acts import carry_out
from daily_profit_model.defs.launch.versions import known_versions, resolve
from daily_profit_model.defs.models import deployments
from daily_profit_model.defs.models.deployments import decided_to_promote, evaluation_of, plain
from daily_profit_model.defs.models.shadows import all_deployments, require_unserved
from daily_profit_model.lake import Lake
from daily_profit_model.modeling import shadows
from daily_profit_model.modeling.shadow_contracts import SHADOW_EVALUATION
from daily_profit_model.modeling.shadows import Deployment
from daily_profit_model.settings import Settings, WrongUse
from daily_profit_model.tables.monitoring import MONITORING_OUTCOMES


def create_deployment(
    settings: Settings, text: str, *, traffic: int, days: int, first_day: date | None, reason: str, author: str
) -> None:
    """Create a deployment of the version that `text` begins. Raises WrongUse, and what `load` raises of its bundle."""
    lake = Lake(settings.lake_root)
    version = resolve(text, known_versions(lake, settings.models_dir))
    require_unserved(lake, first_day, traffic)
    act = deployments.create(
        lake,
        settings.models_dir,
        version,
        traffic=traffic,
        days=days,
        first_day=first_day,
        reason=reason,
        author=author,
    )
    serves = f", and serves {traffic} % of them" if traffic else ""
    print(
        f"{act['deployment']}: {version} scores every account beside the champion from {act['day']} on, "
        f"decided after {days} days with outcomes at the latest{serves}; dpm shadow list"
    )
    _tell(settings, act)


def stop_deployment(settings: Settings, name: str, *, reason: str, author: str) -> None:
    """End a deployment. Raises WrongUse when there is none of the name, or when it has ended."""
    act = deployments.stop(Lake(settings.lake_root), name, reason=reason, author=author)
    print(f"{act['deployment']}: stopped, {act['day']} is the first day without it")
    _tell(settings, act)


def promote_deployment(settings: Settings, name: str, *, reason: str, author: str) -> None:
    """Make a deployment's version champion from the first open day on, by an act of models/transitions that carries the
    evaluation; then end the deployment. Killed in between, the same command ends what is left.

    Raises WrongUse when its evaluation has not decided so, and what the registry's acts raise.
    """
    lake = Lake(settings.lake_root)
    found = shadows.resolve(name, all_deployments(lake))
    row = decided_to_promote(found, evaluation_of(lake, found))
    act = deployments.promote(
        lake,
        settings.models_dir,
        found,
        row,
        reason=reason,
        author=author,
        carry_out=partial(carry_out, settings, lake),
    )
    print(f"{act['deployment']}: promoted, {act['day']} is the first day without it")
    _tell(settings, act)


def list_deployments(settings: Settings, *, as_json: bool) -> None:
    """Print every deployment with its newest evaluation."""
    lake = Lake(settings.lake_root)
    states = [state_of(one, evaluation_of(lake, one)) for one in all_deployments(lake)]
    _print(states, as_json)


def evaluate_deployments(settings: Settings, day: date | None, *, as_json: bool) -> None:
    """Make the predictions and evaluations of every deployment up to `day` (default the newest with outcomes), and
    print what it says. Raises WrongUse when there is no deployment, or when the day has no outcomes yet."""
    lake = Lake(settings.lake_root)
    known = all_deployments(lake)
    if not known:
        raise WrongUse("there is no shadow deployment to evaluate: dpm shadow create VERSION --reason …")
    judged = lake.partitions(MONITORING_OUTCOMES.name)
    if not judged or (day is not None and day.isoformat() not in judged):
        there = f"there are {judged[0]} … {judged[-1]}" if judged else "there are none"
        raise WrongUse(f"no outcomes {f'of {day} ' if day else ''}are there: {there}")
    last = day or date.fromisoformat(judged[-1])
    running = [one for one in known if one.from_day <= last and (one.until is None or one.until > one.from_day)]
    if running:
        make_shadows(settings, min(one.from_day for one in running), last, quietly=as_json)
    states = [state_of(one, evaluation_of(lake, one, last)) for one in known if one.from_day <= last]
    _print(states, as_json)


def make_shadows(settings: Settings, first: date, last: date, *, quietly: bool = False) -> None:
    """Make what is missing or out of date of the predicted days `first` … `last` of all deployments. Raises RunFailed."""
    from daily_profit_model.defs.launch.command import run_with_progress
    from daily_profit_model.defs.launch.plan import steps_of
    from daily_profit_model.defs.launch.runs import Launcher

    launcher = Launcher(settings)
    for step in steps_of(["shadows"]):
        # a step's days are those of the data: the first prediction is made from the day before
        work = launcher.work(step, first - timedelta(days=1), last)
        if work.partitions and quietly:
            launcher.run(work)
        elif work.partitions:
            run_with_progress(launcher, work, force=False)


def state_of(deployment: Deployment, row: Mapping[str, Any] | None) -> dict[str, Any]:
    """A deployment for people and scripts; what is evaluated of it is null where nothing is."""
    own = ("name", "version", "from_day", "until", "planned_days", "traffic", "ended_by", "author", "reason", "made_at")
    state = {name: getattr(deployment, name) for name in own}
    evaluated = [name for name in SHADOW_EVALUATION.column_names if name not in ("deployment", "model_version")]
    found = {name: row[name] if row else None for name in evaluated if name != "planned_days"}
    return {**state, "evaluated_on": found.pop("prediction_date"), **found}


def _print(states: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"deployments": states}, indent=2, default=plain))
        return
    if not states:
        print("no version was ever deployed as a shadow: dpm shadow create VERSION --reason …")
        return
    grid = Grid(title="shadow deployments", title_justify="left")
    for name in ("deployment", "from", "until", "days", "traffic", "decision", "USD better", "95 %", "for", "against"):
        grid.add_column(name, no_wrap=True, justify="left" if name in ("deployment", "decision") else "right")
    for state in states:
        grid.add_row(
            state["name"],
            str(state["from_day"]),
            f"{state['until']} {state['ended_by']}" if state["until"] else "–",
            f"{state['days'] or 0} of {state['planned_days']}",
            f"{state['traffic']} %",
            state["decision"] or "–",
            _number(state["mean_difference"], "+,.2f"),
            f"{_number(state['lower_95'], '+,.2f')} … {_number(state['upper_95'], '+,.2f')}",
            f"{_number(state['evidence_better'], '.1f')} of {_number(state['threshold_better'], '.0f')}",
            f"{_number(state['evidence_worse'], '.1f')} of {_number(state['threshold_worse'], '.0f')}",
        )
    Console(highlight=False, width=max(Console().width, 150)).print(grid)
    for state in states:
        if state["rule"]:
            print(f"{state['name']}, as of {state['evaluated_on']}: {state['rule']}")


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _tell(settings: Settings, act: Mapping[str, Any]) -> None:
    """The act stands, whatever becomes of the line about it in the UI."""
    from daily_profit_model.defs.launch import instance
    from daily_profit_model.defs.models.shadows import tell_shadow

    try:
        tell_shadow(instance.stored_instance(settings), act)
    except Exception as error:
        reason = " ".join(str(error).split())
        print(f"dpm: act {act['number']} stands, but the UI could not be told of it: {reason}", file=sys.stderr)
