"""`dpm sla`: deadlines, runtimes and failures, a line each, and whether any promise is broken."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from daily_profit_model.defs.launch.instance import stored_instance
from daily_profit_model.defs.monitoring.service_levels import judge
from daily_profit_model.settings import Settings


def show_sla(settings: Settings, *, now: datetime, recent: bool, as_json: bool) -> int:
    """Print what is promised and kept as of `now` (UTC). Returns 1 on a breach, else 0.

    `recent`: judge every deadline and run of the last DPM_SLA_DAYS days, not the newest alone.
    """
    since = now - timedelta(days=settings.dpm_sla_days) if recent else None
    judged = judge(settings, stored_instance(settings), now=now, since=since)
    kept = not judged.breaches
    if as_json:
        told = [asdict(finding) for finding in judged.findings]
        print(json.dumps({"kept": kept, "at": now.astimezone(UTC).isoformat(), "findings": told}, indent=2))
        return 0 if kept else 1
    for finding in judged.findings:
        advice = f"; {finding.advice}" if finding.advice else ""
        limit = f" (limit: {finding.limit})" if finding.limit else ""
        print(f"{finding.state:<5} {finding.name:<10} {finding.value}{limit}{advice}")
    print("kept" if kept else "broken")
    return 0 if kept else 1
