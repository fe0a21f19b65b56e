"""`dpm features audit`: the audit in a folder of its own that goes when it is done, shown, and told by the exit code."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from daily_profit_model.features.audit.audit import audit
from daily_profit_model.features.pipeline import Step
from daily_profit_model.lake import Lake


def audit_lake(
    lake: Lake,
    steps: Sequence[Step],
    code_versions: Mapping[str, str],
    *,
    days: int,
    seed: int,
    as_json: bool,
) -> int:
    """Audit `days` random days and print the report; returns the exit code, 1 when anything deviates or is stale.

    `code_versions`: table → the code that would store it today. Raises LakeError when there is nothing to audit.
    """
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="dpm-audit-") as folder:
        report = audit(
            lake,
            steps,
            Path(folder),
            days=days,
            seed=seed,
            code_versions=code_versions,
            following=lambda passed: track(
                passed, "auditing", console=console, transient=True, disable=not console.is_terminal
            ),
        )
    if as_json:
        print(json.dumps(report.as_dict(), indent=2))
    else:
        report.show()
    return 0 if report.holds else 1
