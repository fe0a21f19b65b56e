"""The one adapter from rules to asset checks: an op an asset, a result a rule and partition.

Rules and their evaluation belong to `quality`. In a range run every partition has a status of its own,
which takes `AssetCheckEvaluation`, not public in Dagster 1.13: it is imported here alone.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluation,
    AssetCheckEvaluationTargetMaterializationData,
)

from daily_profit_model.defs.calendars import calendar_of, look_back
from daily_profit_model.defs.table_asset import asset_key, on
from daily_profit_model.quality.judge import judge
from daily_profit_model.quality.outcome import Outcome, Part, describe
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables import Table

Result = dg.AssetCheckResult | AssetCheckEvaluation | dg.Output[None]
Targets = Mapping[str, AssetCheckEvaluationTargetMaterializationData]

SEVERITIES = {"error": dg.AssetCheckSeverity.ERROR, "warn": dg.AssetCheckSeverity.WARN}
NOT_JUDGED = "too little of the past is known yet"

DIGITS = 10
"""Significant digits of a number in a table of the UI."""

NO_BREAK = "\u00a0"

NAMED_IN_MESSAGE = 3
"""Failures that a blocked run's message tells; the others are counted."""


class BlockingRuleFailed(Exception):
    """A blocking rule holds of no day of the run, so nothing downstream is made. The message: rule, day, what was seen."""


def checks_by_table(tables: Sequence[Table], rules: Sequence[Rule]) -> list[dg.AssetChecksDefinition]:
    """The asset checks of a layer: of each table that has rules."""
    of_table = {table.name: [rule for rule in rules if rule.table == table.name] for table in tables}
    if foreign := {rule.table for rule in rules} - set(of_table):
        raise ValueError(f"rules of tables that are not here: {', '.join(sorted(foreign))}")
    return [checks_for(table, of_table[table.name]) for table in tables if of_table[table.name]]


def checks_for(table: Table, rules: Sequence[Rule]) -> dg.AssetChecksDefinition:
    """The asset checks of `table`, one a rule, evaluated together for all partitions of a run."""
    specs = [_spec(table, rule) for rule in rules]

    @dg.multi_asset_check(
        name=f"{table.view_name}_checks",
        specs=specs,
        can_subset=True,
        required_resource_keys={"lake"},
    )
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[Result]:
        selected = {key.name for key in context.selected_asset_check_keys}
        run = context.op_execution_context
        days = list(run.partition_keys)
        outcomes = judge(run.resources.lake, table, [rule for rule in rules if rule.id in selected], rules, days)
        blocked = [outcome for outcome in outcomes if outcome.rule.blocking and not outcome.passed]
        # of several days the others go on: what is downstream leaves the blocked ones out (`resources.blocked`)
        stops = len({outcome.partition for outcome in blocked}) == len(days)
        if run.has_partition_key:
            yield from (_result(table, outcome) for outcome in outcomes)
        else:
            targets = _newest_materializations(context.instance, asset_key(table), days)
            yield from (_evaluation(table, outcome, targets, stops=stops) for outcome in outcomes)
            # what is downstream of a blocking check waits for its output
            yield from (dg.Output(None, spec.get_python_identifier()) for spec in specs if spec.name in selected)
        if stops:
            raise BlockingRuleFailed(_message(blocked))
        if blocked:
            context.log.error(_message(blocked))

    return checks


def _spec(table: Table, rule: Rule) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        rule.id,
        asset=asset_key(table),
        additional_deps=_others(table, rule),
        description=f"{rule.reason} ({rule.dimension}, {rule.severity})",
        blocking=rule.blocking,
        partitions_def=calendar_of(table),
        metadata={
            "dimension": rule.dimension,
            "severity": rule.severity,
            "holds_when": [expectation.says for expectation in rule.expectations],
            "advice": rule.advice,
        },
    )


def _others(table: Table, rule: Rule) -> list[dg.AssetDep]:
    """What the rule must read beside its own table: in one run it must be there before the check.

    What it may do without is not waited for: else its failure would keep the table from being checked at all.
    """
    sources = rule.frame.query.sources if rule.frame.query is not None else ()
    return [
        on(source.table, look_back(source.last - source.first + 1, source.last) if source.first else None)
        for source in sources
        if source.table.name != table.name and not source.optional
    ]


def _result(table: Table, outcome: Outcome) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=outcome.passed,
        asset_key=asset_key(table),
        check_name=outcome.rule.id,
        metadata=_metadata(outcome),
        severity=SEVERITIES[outcome.rule.severity],
        description=describe(outcome),
    )


def _evaluation(table: Table, outcome: Outcome, targets: Targets, *, stops: bool) -> AssetCheckEvaluation:
    return AssetCheckEvaluation(
        asset_key=asset_key(table),
        check_name=outcome.rule.id,
        passed=outcome.passed,
        metadata=_metadata(outcome),
        severity=SEVERITIES[outcome.rule.severity],
        description=describe(outcome),
        blocking=outcome.rule.blocking and stops,  # Dagster fails the whole step for it
        partition=outcome.partition,
        target_materialization_data=targets.get(outcome.partition),
    )


def _message(blocked: Sequence[Outcome]) -> str:
    told = [
        f"{outcome.rule.table} of {outcome.partition}: {outcome.rule.id} does not hold: {describe(outcome)}"
        for outcome in blocked[:NAMED_IN_MESSAGE]
    ]
    more = len(blocked) - len(told)
    return "; ".join(told) + (f"; and {more} more" if more else "") + f". {blocked[0].rule.advice}"


def _metadata(outcome: Outcome) -> dict[str, Any]:
    """Numbers as numbers, so that the UI draws them over time; words and rows only when the rule fails."""
    numbers: dict[str, Any] = {
        "rows": outcome.rows,
        "observed": outcome.observed,
        "limit": outcome.limit,
        "unexpected_count": outcome.unexpected_count,
        "unexpected_share": outcome.unexpected_share,
    }
    if not outcome.is_judged:
        numbers["not_judged"] = NOT_JUDGED
    metadata: dict[str, Any] = {name: value for name, value in numbers.items() if _is_shown(value)}
    if outcome.passed:
        return metadata
    metadata |= {"reason": outcome.rule.reason, "advice": outcome.rule.advice}
    if outcome.error:
        metadata["error"] = outcome.error
    if len(outcome.parts) > 1:
        metadata["expectations"] = _table([_part_row(part) for part in outcome.parts])
    if outcome.samples:
        metadata["samples"] = _table(_shown_samples(outcome))
    return metadata


def _shown_samples(outcome: Outcome) -> Sequence[Mapping[str, object]]:
    """What is violated last, in one line, and not at all when it is one thing: the description says it."""
    names = [name for name in dict.fromkeys(name for row in outcome.samples for name in row) if name != "violates"]
    rows: list[dict[str, object]] = [{name: row.get(name) for name in names} for row in outcome.samples]
    if len({row["violates"] for row in outcome.samples}) > 1:
        for row, sample in zip(rows, outcome.samples, strict=True):
            # the UI would break words into a column as narrow as the longest of them
            row["violates"] = str(sample["violates"]).replace(" ", NO_BREAK)
    return rows


def _is_shown(value: object) -> bool:
    """The pages' JSON knows no infinity; the description says "inf"."""
    return value is not None and not (isinstance(value, float) and not math.isfinite(value))


def _part_row(part: Part) -> dict[str, object]:
    return {
        "expectation": part.says,
        "passed": part.passed,
        "observed": part.observed,
        "limit": part.limit,
        "unexpected_count": part.unexpected_count,
    }


def _table(rows: Sequence[Mapping[str, object]]) -> dg.TableMetadataValue:
    """Rows that may differ in columns; what is missing or null is an empty text."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    cells = [{name: _cell(row.get(name)) for name in columns} for row in rows]
    schema = dg.TableSchema(columns=[dg.TableColumn(name, _kind([row[name] for row in cells])) for name in columns])
    return dg.MetadataValue.table([dg.TableRecord(row) for row in cells], schema=schema)


def _cell(value: object) -> str | int | float | bool:
    """As the UI shows it: as many digits as money needs, and not those that binary fractions add."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else str(value)
    return value if isinstance(value, (str, int, float, bool)) else "" if value is None else str(value)


def _kind(values: Sequence[object]) -> str:
    names = {bool: "bool", int: "int", float: "float"}
    kinds = {names.get(type(value), "string") for value in values}
    return kinds.pop() if len(kinds) == 1 else "string"


def _newest_materializations(instance: dg.DagsterInstance, key: dg.AssetKey, days: Sequence[str]) -> Targets:
    """The newest materialization of each of `days`, in one question for them all where it can be."""
    found: dict[str, AssetCheckEvaluationTargetMaterializationData] = {}
    cursor = None
    while True:
        wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=list(days))
        page = instance.fetch_materializations(wanted, limit=len(days), cursor=cursor)
        for record in page.records:
            if record.partition_key is not None and record.partition_key not in found:
                found[record.partition_key] = AssetCheckEvaluationTargetMaterializationData(
                    storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
                )
        if len(found) == len(days) or not page.has_more:
            return found
        cursor = page.cursor
