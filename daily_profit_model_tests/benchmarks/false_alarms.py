"""How often a rule fails on data that nobody has spoiled.

Run after `sandbox_seeds --folder FOLDER`: python -m daily_profit_model_tests.benchmarks.false_alarms FOLDER/201 … [--json]

Every rule of the graph is judged anew on every day of its table in each firm's lake. A firm of the sandbox is sound, so
each failure is a false alarm, but for what the sandbox really does wrong (faults are off in a demo). The lakes are read;
profiles of days are kept in them. Exit code 1 when an error fails, or more than one warning in a thousand.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path

from upath import UPath

from daily_profit_model.defs.all_rules import RULES
from daily_profit_model.defs.all_tables import TABLES
from daily_profit_model.lake import Lake
from daily_profit_model.quality.evaluate import evaluate
from daily_profit_model.quality.load import load
from daily_profit_model_tests.benchmarks.processes import print_table

MOST_WARNINGS = 0.001
"""Of the rule-days of severity warn."""


def measure(folder: Path) -> tuple[dict[str, object], Counter[str]]:
    """Figures of one firm, and its failures by table and rule."""
    lake = Lake(UPath(folder / "lake"))
    counts: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    started = time.process_time()
    for name in dict.fromkeys(rule.table for rule in RULES):
        rules = [rule for rule in RULES if rule.table == name]
        for outcome in evaluate(rules, partial(load, lake), lake.partitions(TABLES[name].name)):
            severity = outcome.rule.severity
            counts[severity] += 1
            counts[f"{severity} judged"] += outcome.is_judged
            if not outcome.passed:
                counts[f"{severity} failed"] += 1
                failed[f"{name} {outcome.rule.id} ({severity})"] += 1
                seen = outcome.error or outcome.samples[:1]
                print(f"{folder.name} {name} {outcome.partition} {outcome.rule.id}: {seen}", file=sys.stderr)
    return {
        "firm": folder.name,
        "days": len(lake.partitions("raw/metrics_daily")),
        **{f"{kind} rule-days": counts[kind] for kind in ("error", "warn")},
        **{f"{kind} judged": counts[f"{kind} judged"] for kind in ("error", "warn")},
        **{f"{kind} false": counts[f"{kind} failed"] for kind in ("error", "warn")},
        "CPU s": round(time.process_time() - started, 1),
    }, failed


def main() -> int:
    """Print a row a firm and what failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows: list[dict[str, object]] = []
    failed: Counter[str] = Counter()
    for folder in asked.folders:
        row, own = measure(folder)
        rows.append(row)
        failed += own
    errors = sum(int(str(row["error false"])) for row in rows)
    warnings, judged = (sum(int(str(row[name])) for row in rows) for name in ("warn false", "warn rule-days"))
    share = warnings / judged if judged else 0.0
    if asked.json:
        print(json.dumps({"firms": rows, "failed": failed, "warn share": share, "rules": len(RULES)}, indent=2))
    else:
        print_table(rows)
        print(f"\n{len(RULES)} rules; errors {errors}; warnings {warnings} of {judged} rule-days = {share:.5f}")
        for name, count in failed.most_common():
            print(f"  {count:>4} {name}")
    return int(errors > 0 or share > MOST_WARNINGS)


if __name__ == "__main__":
    sys.exit(main())
