"""What follows from the decision on a shadow: it is promoted (DPM_AUTO_PROMOTE) or a person is asked to; it is stopped.

The alert comes before the act: killed in between, the next evaluation finds the deployment running and goes on, and
the alert is known by then. The acts are those of `dpm shadow promote` and `dpm shadow stop`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Literal

import dagster as dg

from daily_profit_model.defs.automation.newest import seen_now
from daily_profit_model.defs.automation.retraining import AUTHOR
from daily_profit_model.defs.models.deployments import evaluation_of, evidence_in, promote, stop
from daily_profit_model.defs.models.registry import known_changes, last_predicted, record
from daily_profit_model.defs.models.shadows import all_deployments, tell_shadow
from daily_profit_model.defs.models.transitions import tell
from daily_profit_model.defs.resources.notifier import Notifier, raise_alert
from daily_profit_model.lake import Lake
from daily_profit_model.modeling.acts import Wish, first_day_open, holder
from daily_profit_model.modeling.shadow_contracts import SHADOW_EVALUATION
from daily_profit_model.modeling.shadows import Deployment
from daily_profit_model.monitoring.alerts import Alert, Severity
from daily_profit_model.settings import Settings, load_settings

Consequence = Literal["promote", "ask", "stop", "outdated"]
"""`outdated`: it was better than a champion that serves no more."""

_SEVERITY: Mapping[str, Severity] = {
    "promote": "warn",
    "stop_harm": "warn",
    "stop_futility": "info",
    "stop_end": "info",
}
"""By decision: a person has to act, who serves has changed, or a version lost money; the rest is good to know."""

_BECAUSE = {
    "stop_harm": "it is worse than the champion",
    "stop_futility": "it will hardly be found better any more",
    "stop_end": "its planned days are over and it was not found better",
}


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="A shadow is decided: promote it if DPM_AUTO_PROMOTE, else ask a person to; stop one that is worse or "
    "not worth waiting for. An alert each.",
)
def shadows_are_decided(context: dg.SensorEvaluationContext, notifier: dg.ResourceParam[Notifier]) -> dg.SensorResult:
    settings = load_settings()
    lake = Lake(settings.lake_root)
    seen = json.dumps({**seen_now(lake, [SHADOW_EVALUATION]), "auto": settings.dpm_auto_promote})
    before: dict[str, Any] = json.loads(context.cursor) if context.cursor else {"seen": "", "told": {}}
    if before["seen"] == seen:
        return dg.SensorResult(cursor=context.cursor, skip_reason=dg.SkipReason("no shadow was evaluated since"))
    told: dict[str, str] = {}
    failures: list[Exception] = []
    for deployment, row in decided(lake):
        consequence = consequence_of(lake, deployment, row, is_auto=settings.dpm_auto_promote)
        alert = alert_of(deployment, row, consequence, notifier.log.now())
        told[deployment.name] = f"{alert.event} {alert.occurrence}"
        if before["told"].get(deployment.name) != told[deployment.name]:
            raise_alert(notifier, alert)
        try:
            carry_out(context.instance, lake, settings, deployment, row, consequence)
        except Exception as error:  # one whose bundle is gone keeps none that loses money from being stopped
            failures.append(error)
    if failures:
        raise failures[0]  # without a cursor, so that it is tried again
    return dg.SensorResult(
        cursor=json.dumps({"seen": seen, "told": told}), skip_reason=dg.SkipReason(f"{len(told)} shadows are decided")
    )


def decided(lake: Lake) -> list[tuple[Deployment, dict[str, Any]]]:
    """The running deployments whose newest evaluation has decided, with it; those decided first, first."""
    running = [one for one in all_deployments(lake) if one.until is None]
    found = [(one, row) for one in running if (row := evaluation_of(lake, one)) and row["decision"] != "continue"]
    return sorted(found, key=lambda pair: (pair[1]["decided_on"], -pair[1]["evidence_better"]))


def consequence_of(lake: Lake, deployment: Deployment, row: Mapping[str, Any], *, is_auto: bool) -> Consequence:
    """What follows from a decision. Nobody is promoted for having been better than a champion of the past."""
    if row["decision"] != "promote":
        return "stop"
    known = known_changes(lake)
    day: date = first_day_open(last_predicted(lake), deployment.version) or row["prediction_date"]
    beaten, present = (holder(known, "champion", on) for on in (row["decided_on"], day))
    if present is not None and present.version == deployment.version:
        return "promote" if is_auto else "ask"  # killed before the deployment was ended, or promoted by hand
    if beaten is None or present is None or beaten.version != present.version:
        return "outdated"
    return "promote" if is_auto else "ask"


def alert_of(deployment: Deployment, row: Mapping[str, Any], consequence: Consequence, now: datetime) -> Alert:
    """The alert of a decided deployment; the same decision with the same consequence is the same occurrence."""
    name, version = deployment.name, deployment.version
    title, advice = told_of(deployment, row["decision"], consequence)
    return Alert(
        event=f"shadow:{name}:{row['decision']}:{consequence}",
        occurrence=row["decided_on"].isoformat(),
        severity=_SEVERITY[row["decision"]],
        title=title,
        text=f"{row['rule']}\n{advice}",
        when=now,
        facts={
            "deployment": name,
            "version": version,
            "decided on": row["decided_on"].isoformat(),
            "days": row["days"],
        },
    )


def told_of(deployment: Deployment, decision: str, consequence: Consequence) -> tuple[str, str]:
    """What has happened to a deployment, and what is to be done."""
    name, version, short = deployment.name, deployment.version, deployment.name.split("-")[0]
    if consequence == "promote":
        return (
            f"shadow {name} has earned promotion and is to become champion",
            f"DPM_AUTO_PROMOTE is set: {version} serves from the first day without predictions on, as soon as "
            "dpm models list says so; if it does not, the sensor shadows_are_decided says why. To take it back: "
            "dpm models rollback --reason …",
        )
    if consequence == "ask":
        return (
            f"shadow {name} has earned promotion: dpm shadow promote {short} --reason …",
            "Look at the evidence first: dpm shadow list. It goes on scoring until it is promoted or stopped.",
        )
    if consequence == "outdated":
        return (
            f"shadow {name} was better than a champion that serves no more",
            f"Stop it, and let {version} run beside the present one: dpm shadow stop {short} --reason …",
        )
    return (
        f"shadow {name} is stopped: {_BECAUSE[decision]}",
        "Nothing is to be done; the champion goes on to serve, and what the shadow predicted stays.",
    )


def carry_out(
    instance: dg.DagsterInstance,
    lake: Lake,
    settings: Settings,
    deployment: Deployment,
    row: Mapping[str, Any],
    consequence: Consequence,
) -> None:
    """Promote or stop a deployment by the act of `dpm shadow`, which is created once. Raises as that does."""
    reason = f"{row['decision']} on {row['decided_on']}: {row['rule']}"
    if consequence == "stop":
        act = stop(lake, deployment.name, reason=reason, author=AUTHOR, evidence=evidence_in(row))
    elif consequence == "promote":
        act = promote(
            lake,
            settings.models_dir,
            deployment,
            row,
            reason=reason,
            author=AUTHOR,
            carry_out=recorded(instance, lake),
        )
    else:
        return
    tell_shadow(instance, act)


def recorded(instance: dg.DagsterInstance, lake: Lake) -> Callable[[Wish], Mapping[str, Any]]:
    """What records a wish as an act of models/transitions and tells the UI of it."""

    def act_on(wish: Wish) -> Mapping[str, Any]:
        act = record(lake, wish)
        tell(instance, act)
        return act

    return act_on


DECISION_SENSORS = (shadows_are_decided,)
