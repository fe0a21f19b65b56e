"""`dpm health`: a line an aspect, and whether any of them is ill. Verdicts are `monitoring.health`'s."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from daily_profit_model.defs.all_tables import LAKE_TABLES
from daily_profit_model.defs.models.registry import known_changes
from daily_profit_model.defs.raw.assets import FETCHED
from daily_profit_model.lake import Lake, LakeError
from daily_profit_model.modeling.acts import cutoff_of, holder
from daily_profit_model.monitoring import health, probes
from daily_profit_model.monitoring.health import Finding, Limits
from daily_profit_model.settings import Settings
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model.tables.raw import RAW_QUARANTINE

DAILY_TABLES = (*FETCHED, RAW_QUARANTINE, PREDICTIONS_ACCOUNT_DAILY)
"""What every morning brings."""


def show_health(settings: Settings, *, now: datetime, full: bool, as_json: bool) -> int:
    """Print the findings, one a line, as of `now` (UTC). Returns 1 when one of them fails, else 0."""
    findings = list(found(settings, now=now, full=full))
    healthy = health.is_healthy(findings)
    if as_json:
        told = [asdict(finding) for finding in findings]
        print(json.dumps({"healthy": healthy, "at": now.astimezone(UTC).isoformat(), "findings": told}, indent=2))
        return 0 if healthy else 1
    for finding in findings:
        advice = f"; {finding.advice}" if finding.advice else ""
        limit = f" (limit: {finding.limit})" if finding.limit else ""
        print(f"{finding.state:<5} {finding.name:<10} {finding.value}{limit}{advice}")
    print("healthy" if healthy else "not healthy")
    return 0 if healthy else 1


def found(settings: Settings, *, now: datetime, full: bool) -> Iterator[Finding]:
    """Every finding, in the order in which they are told."""
    lake = Lake(settings.lake_root)
    problem = probes.storage(settings.lake_root)
    advice = "set DPM_DATA_DIR or DPM_LAKE_URI to where the lake is, or fill it: dpm run"
    yield health.answered("storage", problem, f"{settings.lake_root} can be written", advice)
    yield _service(settings)
    if settings.dpm_database_url.get_secret_value():
        problem = probes.database(settings.dpm_database_url.get_secret_value())
        advice = "start it, mend or unset DPM_DATABASE_URL (psycopg: uv sync --extra postgresql)"
        yield health.answered("database", problem, "answers", advice)
    else:
        yield Finding("database", "ok", "not set, files are used", "answers")
    try:
        yield from list(_of_tables(settings, lake, now))
    except (LakeError, OSError) as error:
        yield Finding("tables", "fail", str(error), "the lake can be read", "look at the storage first")
    disk = Limits(settings.dpm_health_disk_warn_gb, settings.dpm_health_disk_error_gb)
    free = probes.disk_free(settings.dpm_data_dir)
    yield health.room("disk", free, disk, "dpm lake gc and dpm cache gc; or a larger disk")
    memory = Limits(settings.dpm_health_memory_warn_gb, settings.dpm_health_memory_error_gb)
    yield health.room("memory", probes.memory_left(), memory, "stop what else runs there, or give it more memory")
    if full:
        count, damaged = probes.damaged_partitions(lake, LAKE_TABLES)
        yield health.whole("partitions", count, damaged, "delete the file and make the day again: dpm run")
        folder = settings.models_dir
        bundles, damaged = probes.damaged_bundles(folder) if folder.is_dir() else (0, [])
        yield health.whole("bundles", bundles, damaged, "restore the folder, or train the cut-off again: dpm train")


def _service(settings: Settings) -> Finding:
    if not settings.risk_api_key.get_secret_value():
        return Finding("service", "ok", "not configured: RISK_API_KEY is not set", "answers")
    problem, seconds = probes.service(settings)
    return health.answered("service", problem, f"in {seconds * 1000:,.0f} ms", "ask its operators; RISK_API_BASE_URL")


def _of_tables(settings: Settings, lake: Lake, now: datetime) -> Iterator[Finding]:
    due = health.newest_due_day(now, timedelta(minutes=settings.dpm_health_grace_minutes))
    champion = holder(known_changes(lake), "champion", due + timedelta(days=1))
    cutoff = None if champion is None else cutoff_of(champion.version)
    present = {table.name: lake.partitions(table.name) for table in DAILY_TABLES}
    yield health.freshness(present, due, first_day=settings.dpm_start_date, serves=cutoff is not None)
    try:
        yield health.checks(*probes.rule_results(lake))
    except LakeError as error:
        yield Finding("checks", "fail", str(error), "no error")
    ages = Limits(settings.dpm_health_model_age_warn, settings.dpm_health_model_age_error)
    yield health.model_age(cutoff, now.astimezone(UTC).date(), ages)
