"""Who is told that the champion is in doubt: confirmed drift and degradation, once an episode.

A hard break is not told here: it fails a rule of severity error, of which `alerts.rules_do_not_hold` tells. What
becomes of shadows is told in `decided_shadows`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg

from daily_profit_model.defs.automation.newest import days_not_seen
from daily_profit_model.defs.resources.notifier import Notifier, raise_alert
from daily_profit_model.lake import Lake, read
from daily_profit_model.monitoring.alerts import Alert, Severity
from daily_profit_model.monitoring.retraining import Alarm, confirmed_degradation, confirmed_drift
from daily_profit_model.settings import load_settings
from daily_profit_model.tables.drift import MONITORING_DEGRADATION, MONITORING_DRIFT

LISTED = 10
"""Columns that an alert lists; `dpm drift show` has all of them."""

_SEVERITY: Mapping[str, Severity] = {"drift": "warn", "degradation": "error"}
"""What comes in has changed, and predictions may still be good; or they are worse."""

_WATCHED = ((MONITORING_DRIFT, confirmed_drift), (MONITORING_DEGRADATION, confirmed_degradation))


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Drift (a warning) or degradation (an error) is confirmed: an alert for each kind of column, once from "
    "the first day of the alarm until no column of it stands any more.",
)
def champion_is_in_doubt(context: dg.SensorEvaluationContext, notifier: dg.ResourceParam[Notifier]) -> dg.SensorResult:
    settings = load_settings()
    lake = Lake(settings.lake_root)
    before: dict[str, Any] = json.loads(context.cursor) if context.cursor else {"seen": {}, "told": {}}
    seen, told, count = dict(before["seen"]), dict(before["told"]), 0
    for table, confirmed in _WATCHED:
        for day, content in days_not_seen(lake, table, before["seen"], settings.dpm_correction_days).items():
            found = confirmed(read(lake, table, [day]))
            for alert in episodes(found, notifier.log.now()):
                stood = told.get(alert.event)
                is_known = goes_on(stood, alert)
                is_raised = not is_known and raise_alert(notifier, alert)
                count += is_raised
                # an episode that begins within the cool-down of the one before is told on the next day that it stands
                if is_known or is_raised or stood is None:
                    told[alert.event] = max(day, stood or day)
            seen[f"{table.name}@{day}"] = content
    return dg.SensorResult(
        cursor=json.dumps({"seen": _recent(seen, settings.dpm_correction_days + 1), "told": told}),
        skip_reason=dg.SkipReason(f"{len(seen) - len(before['seen'])} new days, {count} alerts"),
    )


def episodes(alarms: Sequence[Alarm], now: datetime) -> Iterator[Alert]:
    """An alert for each source and kind of column; its event is that of the model, its occurrence the first day."""
    kinds: dict[tuple[str, str], list[Alarm]] = {}
    for alarm in alarms:
        kinds.setdefault((alarm.source, alarm.kind), []).append(alarm)
    for (source, kind), found in kinds.items():
        first = min(alarm.first_day for alarm in found)
        version, day = found[0].version, found[0].day
        listed = [f"{alarm.name} since {alarm.first_day}" for alarm in found[:LISTED]]
        more = [f"and {len(found) - LISTED} more"] if len(found) > LISTED else []
        yield Alert(
            event=f"{source}:{kind}:{version}",
            occurrence=first.isoformat(),
            severity=_SEVERITY[source],
            title=(
                f"{version} does worse than on the days that it was chosen by, since {first}"
                if source == "degradation"
                else f"{_counted(len(found), kind)} drifted from what {version} has learnt, since {first}"
            ),
            text="\n".join([*listed, *more, _advice(day.isoformat())]),
            when=now,
            facts={"model": version, "day": day.isoformat(), "alarms": len(found)},
        )


def goes_on(stood: str | None, alert: Alert) -> bool:
    """Whether an alert is of an episode that was told: no day without an alarm lies between the newest day on which one
    stood (`stood`; None: never) and the first day of those that stand, whichever columns they are of."""
    return stood is not None and date.fromisoformat(alert.occurrence) <= date.fromisoformat(stood) + timedelta(days=1)


def _counted(count: int, kind: str) -> str:
    return f"a {kind} has" if count == 1 else f"{count} {kind}s have"


def _advice(day: str) -> str:
    return (
        f"dpm drift show --date {day}: what is to blame comes first. A source that has changed is mended; a market that "
        "has is learnt anew, by the sensor champion_falls_behind or dpm train."
    )


def _recent(seen: Mapping[str, str], days: int) -> dict[str, str]:
    """Of each table the newest days that were seen; older ones are not looked at again."""
    found: dict[str, str] = {}
    for table, _ in _WATCHED:
        keys = sorted(key for key in seen if key.startswith(f"{table.name}@"))
        found |= {key: seen[key] for key in keys[-days:]}
    return found


MODEL_ALERT_SENSORS = (champion_is_in_doubt,)
