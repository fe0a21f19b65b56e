"""What the rules said, kept in the lake: a row a rule and day, and a table's score.

So that SQL, reports and the health of the platform need no run of the graph to know it. Judging belongs to `evaluate`,
what is to be judged again to `judge`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from pathlib import Path

import pyarrow as pa

from daily_profit_model.cache.lock import exclusive
from daily_profit_model.lake import Lake, read, write
from daily_profit_model.quality.outcome import Outcome, describe
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables import Table
from daily_profit_model.tables.quality import MONITORING_QUALITY, rule_results_of

WEIGHTS: Mapping[str, int] = {"error": 3, "warn": 1}
"""What a rule counts in the score: an error makes rows wrong, a warning asks for a look."""

_FORM = "1"

_JUDGED = "judged"
"""The fact that says by rule which content of the day was judged. No column: the same said of another content is no news."""

_LOCK = ".lock"
"""In the folder of a table's results; readers of Parquet folders pass over it."""


def keep(
    lake: Lake,
    table: Table,
    outcomes: Sequence[Outcome],
    rules: Sequence[Rule],
    contents: Mapping[str, str | None] | None = None,
) -> None:
    """Store `outcomes` of `table`; what others of its `rules` said of these days stays as it was.

    `contents`: day → the content of the table that was judged (`judge.content_of`). What a rule said that is none of
    `rules` any more is dropped: nobody could ever make it hold. What is said of a day by all of them needs nothing of
    what was said before, so that a damaged file is mended.

    Others that keep results of the table at once wait meanwhile, so that nothing that one of them said is lost. In an
    object store, which knows no locks, the last of several writers of one day wins: what the others said of it is then
    missing, as if it had not been judged.
    """
    kept, known = rule_results_of(table), {rule.id for rule in rules}
    by_day: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_day.setdefault(outcome.partition, []).append(outcome)
    for day, judged in by_day.items():
        with _alone(lake, kept):
            _keep_day(lake, kept, day, judged, known, contents or {})


def _keep_day(
    lake: Lake,
    kept: Table,
    day: str,
    judged: Sequence[Outcome],
    known: Collection[str],
    contents: Mapping[str, str | None],
) -> None:
    own = {outcome.rule.id for outcome in judged}
    silent = set(known) - own
    before = read(lake, kept, [day]).to_pylist() if silent else []
    others = [row for row in before if row["rule"] in silent]
    said_of = {rule: content for rule, content in _judged(lake, kept, day).items() if rule in silent} if others else {}
    if day in contents:
        said_of |= dict.fromkeys(own, contents[day])
    rows = pa.Table.from_pylist([*(_row(outcome) for outcome in judged), *others], schema=kept.schema())
    write(lake, kept, day, rows, code_version=_FORM, facts={_JUDGED: dict(sorted(said_of.items()))})


def _alone(lake: Lake, kept: Table) -> AbstractContextManager[None]:
    folder = lake.table_folder(kept.name)
    return exclusive(Path(folder.path) / _LOCK) if folder.protocol in ("", "file") else nullcontext()


def results(lake: Lake, table: Table, days: Sequence[str]) -> pa.Table:
    """What the rules of `table` said of those of `days` that were judged, in `rule_results_of(table)`'s columns."""
    return read(lake, rule_results_of(table), days)


def contents_judged(lake: Lake, table: Table, day: str) -> Mapping[str, str | None]:
    """Rule → the content of `day` that it was last said of, as `keep` was told. Of a rule that is missing nobody knows."""
    return _judged(lake, rule_results_of(table), day)


def _judged(lake: Lake, kept: Table, day: str) -> Mapping[str, str | None]:
    file = lake.describe(kept.name, day)
    found = file.facts.get(_JUDGED) if file is not None else None
    return found if isinstance(found, dict) else {}


def scores(said: pa.Table) -> pa.Table:
    """The score of each table and day in `said` (rows of rule results), in monitoring/quality's columns."""
    found: dict[tuple[date, str], list[dict[str, object]]] = {}
    for row in said.to_pylist():
        found.setdefault((row["date"], row["table"]), []).append(row)
    rows = [_score(day, table, rules) for (day, table), rules in sorted(found.items())]
    return pa.Table.from_pylist(rows, schema=MONITORING_QUALITY.schema())


def _score(day: date, table: str, rules: Sequence[Mapping[str, object]]) -> dict[str, object]:
    judged = [rule for rule in rules if rule["is_judged"]]
    failing = sorted((rule for rule in judged if not rule["passed"]), key=lambda rule: (rule["severity"], rule["rule"]))
    whole = sum(WEIGHTS[str(rule["severity"])] for rule in judged)
    lost = sum(WEIGHTS[str(rule["severity"])] for rule in failing)
    return {
        "date": day,
        "table": table,
        "rules": len(judged),
        "not_judged": len(rules) - len(judged),
        "failed_errors": sum(rule["severity"] == "error" for rule in failing),
        "failed_warnings": sum(rule["severity"] == "warn" for rule in failing),
        "score": 1 - lost / whole if whole else None,
        "failing": [rule["rule"] for rule in failing],
    }


def _row(outcome: Outcome) -> dict[str, object]:
    rule = outcome.rule
    return {
        "date": date.fromisoformat(outcome.partition),
        "table": rule.table,
        "rule": rule.id,
        "dimension": rule.dimension,
        "severity": rule.severity,
        "is_blocking": rule.blocking,
        "passed": outcome.passed,
        "is_judged": outcome.is_judged,
        "rows": outcome.rows,
        "observed": outcome.observed,
        "limit": outcome.limit,
        "unexpected_count": outcome.unexpected_count,
        "unexpected_share": outcome.unexpected_share,
        "message": describe(outcome),
        "samples": json.dumps(outcome.samples, default=str) if outcome.samples else None,
    }
