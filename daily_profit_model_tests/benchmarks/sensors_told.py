"""What happened when in `sensors_end_to_end`, and what happened twice or not at all."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from daily_profit_model_tests.benchmarks.sensors_platform import Platform
from daily_profit_model_tests.monitoring.receivers import Inbox


def timeline(platform: Platform) -> list[tuple[datetime, str]]:
    """What happened when, from runs and acts."""
    import dagster as dg

    from daily_profit_model.defs.automation.retraining import ALARM_TAG, REASON_TAG
    from daily_profit_model.defs.automation.sensors import days_of
    from daily_profit_model.defs.models.registry import acts
    from daily_profit_model.defs.models.shadows import shadow_acts
    from daily_profit_model.lake import Lake, read
    from daily_profit_model.modeling.shadow_contracts import SHADOW_EVALUATION
    from daily_profit_model.monitoring.drift_table import alarmed_columns
    from daily_profit_model.settings import load_settings
    from daily_profit_model.tables.alerts import MONITORING_ALERTS
    from daily_profit_model.tables.drift import MONITORING_DEGRADATION, MONITORING_DRIFT

    lake = Lake(load_settings().lake_root)
    found: list[tuple[datetime, str]] = []
    ended: dict[tuple[str, str], datetime] = {}
    for record in platform.instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS])):
        run, end = record.dagster_run, datetime.fromtimestamp(record.end_time or 0, UTC)
        ended |= {(run.job_name, day): end for day in days_of(run.tags)}
        if REASON_TAG in run.tags:
            cutoff = run.tags["dagster/partition"]
            why = f"{run.tags[REASON_TAG]}: {run.tags[ALARM_TAG]}"
            found += [(record.create_timestamp, f"training of {cutoff} asked for, because of {why}")]
            found += [(end, f"training of {cutoff} done")]
    for table, name in ((MONITORING_DRIFT, "drift"), (MONITORING_DEGRADATION, "degradation")):
        alarmed = [day for day in lake.partitions(table.name) if any(read(lake, table, [day])["is_alarm"].to_pylist())]
        if alarmed:
            rows = read(lake, table, [alarmed[0]])
            columns = len(alarmed_columns(rows)) if table is MONITORING_DRIFT else sum(rows["is_alarm"].to_pylist())
            at = ended[("daily_drift", alarmed[0])]
            found += [(ended[("daily_predictions", alarmed[0])], f"{alarmed[0]} is predicted")]
            found += [(at, f"first alarm of {name}, on {alarmed[0]}: {columns} columns")]
    for day in lake.partitions(SHADOW_EVALUATION.name):
        (row,) = read(lake, SHADOW_EVALUATION, [day]).to_pylist() or [None]
        if row and row["decision"] != "continue":
            found += [(ended[("daily_shadow_evaluation", day)], f"decision on {day}: {row['decision']}, {row['rule']}")]
            break
    for act in shadow_acts(lake).to_pylist():
        found += [
            (act["made_at"], f"models/shadows act {act['number']}: {act['act']} {act['deployment']}, {act['day']}")
        ]
    for act in acts(lake).to_pylist()[1:]:
        by = f"by {act['author']}, in force from {act['in_force_from']}"
        found += [(act["made_at"], f"models/transitions act {act['number']}: champion {act['version']} {by}")]
    for act in read(lake, MONITORING_ALERTS, lake.partitions(MONITORING_ALERTS.name)).to_pylist():
        if act["act"] == "raised":
            found += [(act["at"], f"alert [{act['severity']}] {act['title']}")]
    return sorted(found)


def faults(platform: Platform, inbox: Inbox) -> dict[str, object]:
    """What happened twice, and what did not happen; all empty when the sensors hold what they must."""
    from daily_profit_model.defs.automation.retraining import REASON_TAG
    from daily_profit_model.defs.automation.sensors import shadowed
    from daily_profit_model.defs.models.registry import acts
    from daily_profit_model.defs.models.shadows import shadow_acts
    from daily_profit_model.lake import Lake
    from daily_profit_model.settings import load_settings

    lake = Lake(load_settings().lake_root)
    runs = platform.instance.get_runs()
    keys = Counter((run.tags.get("dagster/sensor_name"), run.tags.get("dagster/run_key")) for run in runs)
    predicted, judged = (lake.partitions(f"{name}") for name in ("predictions/account_daily", "monitoring/outcomes"))
    expected = {
        "monitoring/drift": set(predicted),
        "monitoring/degradation": set(predicted),
        "predictions/shadow": set(shadowed(lake, predicted)),
        "monitoring/shadow_evaluation": set(shadowed(lake, judged)),
    }
    told = Counter(str(post["text"]) for post in inbox.posts)
    created = Counter((act["act"], act["deployment"]) for act in shadow_acts(lake).to_pylist())
    champions = Counter(act["version"] for act in acts(lake).to_pylist())
    trained = Counter(run.tags["dagster/partition"] for run in runs if REASON_TAG in run.tags)
    return {
        "run keys with two runs": [key for key, count in keys.items() if key[1] and count > 1],
        "cut-offs trained twice because of an alarm": [cutoff for cutoff, count in trained.items() if count > 1],
        "acts on deployments made twice": [act for act, count in created.items() if count > 1],
        "champions made twice": [version for version, count in champions.items() if count > 1],
        "alerts received twice": [text for text, count in told.items() if count > 1],
        "runs that did not succeed": [f"{run.job_name} {run.status.value}" for run in runs if not run.is_success],
        "days missed": {
            name: missed for name, days in expected.items() if (missed := sorted(days - {*lake.partitions(name)}))
        },
    }
