"""Who is told of what goes wrong: failed runs, rules that do not hold, missed partitions, broken promises.

Conditions are functions that make alerts of what they are given; sending, and once alone, belongs to the notifier.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg

from daily_profit_model.defs.all_tables import ALL_TABLES
from daily_profit_model.defs.automation.sensors import PARTITION_TAG, days_of
from daily_profit_model.defs.failures import failure_reasons
from daily_profit_model.defs.monitoring.service_levels import judge
from daily_profit_model.defs.resources.notifier import Notifier, deliver, raise_alert
from daily_profit_model.lake import Lake, read
from daily_profit_model.monitoring.alerts import Alert, Severity
from daily_profit_model.monitoring.sla import Breach
from daily_profit_model.settings import load_settings
from daily_profit_model.tables import Table
from daily_profit_model.tables.quality import rule_results_of

BACKFILL_TAG = "dagster/backfill"
LONGEST_REASON = 1000
"""Characters of a run's error that an alert repeats; the UI has all of it."""
SETTLED = timedelta(minutes=2)
"""By then a run that has ended is recorded as ended."""


@dg.run_failure_sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="A run has failed: an alert, one for all runs of a backfill.",
)
def run_has_failed(context: dg.RunFailureSensorContext, notifier: dg.ResourceParam[Notifier]) -> None:
    raise_alert(notifier, failed_run(context.dagster_run, context.get_step_failure_events(), notifier.log.now()))


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="A rule of severity error does not hold: an alert for each table and day; critical where it blocks.",
)
def rules_do_not_hold(context: dg.SensorEvaluationContext, notifier: dg.ResourceParam[Notifier]) -> dg.SensorResult:
    settings = load_settings()
    seen, since = read_cursor(context.cursor, notifier.log.now().date(), settings.dpm_correction_days)
    now, lake = notifier.log.now(), Lake(settings.lake_root)
    results = {found: rows for table in ALL_TABLES for found, rows in results_since(lake, table, since, seen)}
    count = sum(raise_alert(notifier, alert) for alert in failed_rules(results, now))
    seen = {key: content for key, content in seen.items() if key.rpartition("@")[2] >= since.isoformat()}
    seen |= {f"{table}@{day}": content for table, day, content in results}
    return dg.SensorResult(
        cursor=json.dumps({"looked": now.date().isoformat(), "seen": seen}),
        skip_reason=dg.SkipReason(f"{len(results)} new results of rules, {count} alerts"),
    )


@dg.sensor(
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="A partition is not there by its deadline, a run takes 150 % of its job's usual time, too many runs "
    "fail, or a sensor or schedule raises: an alert, with a reminder after each cool-down while it lasts.",
)
def promises_are_kept(context: dg.SensorEvaluationContext, notifier: dg.ResourceParam[Notifier]) -> dg.SensorResult:
    now = notifier.log.now()
    since = datetime.fromisoformat(context.cursor) if context.cursor else now - SETTLED
    breaches = judge(load_settings(), context.instance, now=now, since=since).breaches
    count = sum(raise_alert(notifier, alert) for alert in broken_promises(breaches, now))
    return dg.SensorResult(
        cursor=(now - SETTLED).isoformat(),
        skip_reason=dg.SkipReason(f"{len(breaches)} promises are broken, {count} alerts"),
    )


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Alerts that their receiver did not take are sent again, with growing pauses, for four days.",
)
def alerts_are_delivered(notifier: dg.ResourceParam[Notifier]) -> dg.SkipReason:
    return dg.SkipReason(f"{deliver(notifier)} alerts sent")


def failed_run(run: dg.DagsterRun, failures: Sequence[dg.DagsterEvent], now: datetime) -> Alert:
    """The alert of a failed run, with its first failing step's own error. Its event is the job and what it was to make, or the backfill that it belongs to."""
    backfill, days = run.tags.get(BACKFILL_TAG), days_of(run.tags)
    span = "" if not days else days[0] if len(days) == 1 else f"{days[0]} … {days[-1]}"
    what = f"backfill:{backfill}" if backfill else f"{run.job_name}:{span or run.tags.get(PARTITION_TAG, '')}"
    return Alert(
        event=f"run_failed:{what}",
        occurrence=run.run_id,
        severity="error",
        title=f"{run.job_name}{f' of {span}' if span else ''} failed",
        text=failure_reasons(failures)[0].message[:LONGEST_REASON],
        when=now,
        facts={"job": run.job_name, "run": run.run_id, **({"days": span} if span else {})},
    )


Found = tuple[str, str, str]
"""A judged table, its day, and the hash of what rules said of it."""


def read_cursor(cursor: str | None, today: date, correction_days: int) -> tuple[dict[str, str], date]:
    """What was seen (`table@day` → hash), and the first day to look at.

    That is as far before the last look (or today, when there was none) as days are read again and judged anew. A
    backfill of older days alerts nobody: whoever asked for it looks at it.
    """
    told: dict[str, Any] = json.loads(cursor) if cursor else {"looked": today.isoformat(), "seen": {}}
    looked = min(today, date.fromisoformat(told["looked"]))
    return dict(told["seen"]), looked - timedelta(days=correction_days + 1)


def results_since(
    lake: Lake, table: Table, since: date, seen: Mapping[str, str]
) -> Iterator[tuple[Found, Sequence[Mapping[str, Any]]]]:
    """What rules said of the table's days from `since` on, where it is not what was seen."""
    kept = rule_results_of(table)
    for day in lake.partitions(kept.name):
        file = lake.describe(kept.name, day) if day >= since.isoformat() else None
        if file is not None and seen.get(f"{table.name}@{day}") != file.content_hash:
            yield (table.name, day, file.content_hash), read(lake, kept, [day]).to_pylist()


def failed_rules(results: Mapping[Found, Sequence[Mapping[str, Any]]], now: datetime) -> Iterator[Alert]:
    """An alert for each table, day and severity whose rules do not hold: critical if they block, else error.

    Its event names the rules, so that another one that fails is another event.
    """
    for (table, day, content), rows in results.items():
        failing = [row for row in rows if row["is_judged"] and not row["passed"] and row["severity"] == "error"]
        for is_blocking in (True, False):
            rules = {row["rule"]: row["message"] for row in failing if row["is_blocking"] == is_blocking}
            if not rules:
                continue
            severity: Severity = "critical" if is_blocking else "error"
            names = sorted(rules)
            what = "stopped: nothing is made of it" if is_blocking else "does not hold what it must"
            yield Alert(
                event=f"rules:{severity}:{table}:{day}:{'+'.join(names)}",
                occurrence=content,
                severity=severity,
                title=f"{table} of {day} {what}",
                text="\n".join(f"{name}: {rules[name]}" for name in names)[:LONGEST_REASON],
                when=now,
                facts={"table": table, "day": day, "rules": len(names)},
            )


def broken_promises(breaches: Sequence[Breach], now: datetime) -> Iterator[Alert]:
    """An alert for each breach: a warning where a run is slow, else an error.

    The missing tables of one layer and day are one alert, critical where they are predictions.
    """
    missing: dict[tuple[str, str], list[Breach]] = {}
    for breach in breaches:
        kind, _, what = breach.event.partition(":")
        if kind == "missing":
            table, _, day = what.partition(":")
            missing.setdefault((table.split("/")[0], day), []).append(breach)
            continue
        yield Alert(
            event=breach.event,
            occurrence="" if breach.is_state else breach.event,
            severity="warn" if kind == "slow" else "error",
            title=breach.finding.value,
            text=breach.finding.advice,
            when=min(breach.at, now),
            facts={"limit": breach.finding.limit},
        )
    for (layer, day), absent in missing.items():
        told = [breach.finding.value for breach in absent]
        yield Alert(
            event=f"missing:{layer}:{day}",
            severity="critical" if layer == "predictions" else "error",
            title=told[0] if len(told) == 1 else f"{len(told)} tables of {layer} are missing their partition of {day}",
            text="\n".join([*told, absent[0].finding.advice]),
            when=min(absent[0].at, now),
            facts={"limit": absent[0].finding.limit, "missing": len(told)},
        )


ALERT_SENSORS = (run_has_failed, rules_do_not_hold, promises_are_kept, alerts_are_delivered)
