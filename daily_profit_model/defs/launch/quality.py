"""`dpm quality`: what the rules said of a day, from the lake alone, and the rules. Pages are drawn by `quality.page`.

Nothing is judged here: that is done by the asset checks.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Grid

from daily_profit_model.defs.all_rules import RULES
from daily_profit_model.defs.all_tables import TABLES
from daily_profit_model.lake import Lake, LakeError
from daily_profit_model.quality.page import page, page_of_all, write_page
from daily_profit_model.quality.results import results, scores
from daily_profit_model.quality.rule import Rule
from daily_profit_model.settings import Settings, WrongUse
from daily_profit_model.tables import Table
from daily_profit_model.tables.quality import rule_results_of

RULED: Mapping[Table, Sequence[Rule]] = {
    TABLES[name]: [rule for rule in RULES if rule.table == name] for name in dict.fromkeys(rule.table for rule in RULES)
}
"""Every table that has rules, with them, in the order in which data flows."""


def report(settings: Settings, day: date, table: str, html: Path | None, *, as_json: bool) -> int:
    """Print what the rules of each table (or of `table`) said of `day`, and write the page `html`.

    Returns 1 when a rule of severity error does not hold, else 0. Raises WrongUse, and LakeError when nothing was judged.
    """
    chosen, lake, partition = tables_of(table), Lake(settings.lake_root), day.isoformat()
    if html is not None and (html.is_dir() or not html.absolute().parent.is_dir()):
        raise WrongUse(f"--html {html}: not a file in a folder that is there")
    said = [told for one in chosen if (told := _of_table(lake, one, partition)) is not None]
    if not said:
        raise LakeError(_nothing_judged(lake, chosen, table, partition))
    if html is not None:
        rules = {one: RULED[one] for one in chosen}
        write_page(
            html, page(lake, chosen[0], rules[chosen[0]], partition) if table else page_of_all(lake, rules, partition)
        )
    holds = not any(told["failed_errors"] for told in said)
    if as_json:
        print(
            json.dumps(
                {"date": partition, "holds": holds, "tables": said, "html": str(html) if html else None}, indent=2
            )
        )
        return 0 if holds else 1
    _print(partition, said)
    if html is not None:
        print(f"page: {html}")
    return 0 if holds else 1


def list_rules(table: str, *, as_json: bool) -> None:
    """Print every rule, or those of `table`. Raises WrongUse."""
    rules = [rule for one in tables_of(table) for rule in RULED[one]]
    if as_json:
        print(json.dumps([_as_dict(rule) for rule in rules], indent=2))
        return
    for rule in rules:
        blocking = ", blocking" if rule.blocking else ""
        print(f"{rule.table}: {rule.id} ({rule.dimension}, {rule.severity}{blocking})")
        print(f"  holds when: {'; '.join(part.says for part in rule.expectations)}")
        print(f"  why: {rule.reason}")
    print(f"{len(rules)} rules")


def tables_of(name: str) -> list[Table]:
    """The table of that name, with or without its layer where that is plain, or all that have rules. Raises WrongUse."""
    if not name:
        return list(RULED)
    chosen = [table for table in RULED if table.name == name]
    chosen = chosen or [table for table in RULED if table.name.split("/")[1] == name]
    if len(chosen) > 1:
        raise WrongUse(f"{name!r} is several tables: {', '.join(table.name for table in chosen)}")
    if not chosen:
        raise WrongUse(f"{name!r} is no table with rules; those are {', '.join(table.name for table in RULED)}")
    return chosen


def _of_table(lake: Lake, table: Table, day: str) -> dict[str, Any] | None:
    """What is told of a table; None when it was not judged on that day."""
    said = results(lake, table, [day])
    if not said.num_rows:
        return None
    (score,) = scores(said).drop_columns(["date", "failing"]).to_pylist()
    rows = sorted(said.to_pylist(), key=lambda row: (row["severity"], row["rule"]))
    failed = [_failure(row) for row in rows if not row["passed"]]
    return {**score, "failed": failed, "not_judged_rules": [row["rule"] for row in rows if not row["is_judged"]]}


def _failure(row: Mapping[str, Any]) -> dict[str, Any]:
    told = ("rule", "dimension", "severity", "is_blocking", "message", "rows", "observed", "limit", "unexpected_count")
    # JSON knows no infinity; the message says it
    shown = {name: None if row[name] in (math.inf, -math.inf) else row[name] for name in told}
    return shown | {"samples": json.loads(row["samples"] or "[]")}


def _nothing_judged(lake: Lake, tables: Sequence[Table], asked: str, day: str) -> str:
    judged = [found for table in tables for found in lake.partitions(rule_results_of(table).name)]
    what = f"no rule of {asked}" if asked else "no rule"
    newest = f"the newest day judged is {max(judged)}" if judged else "nor has it any other day"
    return f"{what} has judged {day}, {newest}; dpm run makes days and judges them"


def _print(day: str, said: Sequence[Mapping[str, Any]]) -> None:
    grid = Grid(title=f"data quality of {day}", title_justify="left")
    for name in ("table", "score", "rules judged", "errors", "warnings", "not judged"):
        grid.add_column(name, justify="left" if name == "table" else "right", no_wrap=True)
    for told in said:
        numbers = (told[name] for name in ("rules", "failed_errors", "failed_warnings", "not_judged"))
        score = "–" if told["score"] is None else f"{told['score']:.1%}"
        grid.add_row(told["table"], score, *(f"{number}" for number in numbers))
    Console(highlight=False, width=max(Console().width, 100)).print(grid)
    for line in _lines(said):
        print(line)


def _lines(said: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for severity, word in (("error", "error"), ("warn", "warning")):
        for told in said:
            for failure in told["failed"]:
                if failure["severity"] == severity:
                    blocking = " (blocking)" if failure["is_blocking"] else ""
                    yield f"{word}: {told['table']} {failure['rule']}{blocking}: {failure['message']}"
    for told in said:
        if told["not_judged_rules"]:
            yield f"not judged for want of a past: {told['table']}: {', '.join(told['not_judged_rules'])}"


def _as_dict(rule: Rule) -> dict[str, object]:
    return {
        "table": rule.table,
        "rule": rule.id,
        "dimension": rule.dimension,
        "severity": rule.severity,
        "is_blocking": rule.blocking,
        "holds_when": [part.says for part in rule.expectations],
        "reason": rule.reason,
        "advice": rule.advice,
    }
