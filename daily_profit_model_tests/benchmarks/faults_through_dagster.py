"""Planted faults through the adapter: the checks of each layer in one range run, a status a rule and day.

`planted_faults --through-dagster` plants and prints; here the runs are made, and statuses held against the faults.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from unittest.mock import patch

import dagster as dg

from daily_profit_model.defs.build import build_definitions
from daily_profit_model.defs.calendars import range_tags
from daily_profit_model.lake import Lake
from daily_profit_model.quality.rule import Rule

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

Status = tuple[str, str, str]
"""Table, rule and day."""


def judged(lake: Lake, rules: Sequence[Rule], days: Sequence[str]) -> tuple[int, dict[Status, str]]:
    """Judge `rules` on `days` (ascending) by an in-process run over the range for each layer of checks.

    How many statuses there are, and what each failed one says: its description and its samples.
    """
    count = 0
    failed: dict[Status, str] = {}
    with (
        patch.dict(os.environ, {"DPM_LAKE_URI": str(lake.root)}),
        dg.DagsterInstance.ephemeral() as instance,
    ):
        for layer in dict.fromkeys(rule.table.split("/")[0] for rule in rules):
            keys = [asset_check_key(rule) for rule in rules if rule.table.split("/")[0] == layer]
            job = dg.define_asset_job(f"checks_of_{layer}", selection=dg.AssetSelection.checks(*keys))
            graph = dg.Definitions.merge(build_definitions(), dg.Definitions(jobs=[job]))
            result = graph.resolve_job_def(job.name).execute_in_process(
                instance=instance, tags=range_tags(days[0], days[-1]), run_config=QUIET, raise_on_error=False
            )
            for evaluation in result.get_asset_check_evaluations():
                count += 1
                if not evaluation.passed:
                    status = ("/".join(evaluation.asset_key.path), evaluation.check_name, str(evaluation.partition))
                    failed[status] = f"{evaluation.description} {_samples(evaluation.metadata)}"
    return count, failed


def asset_check_key(rule: Rule) -> dg.AssetCheckKey:
    """The check that stands for `rule`."""
    return dg.AssetCheckKey(dg.AssetKey(rule.table.split("/")), rule.id)


def _samples(metadata: Mapping[str, dg.MetadataValue]) -> str:
    """The rows shown, as text."""
    samples = metadata.get("samples")
    return str([record.data for record in samples.records]) if isinstance(samples, dg.TableMetadataValue) else ""


def unexplained(
    failed: Collection[Status], rules: Mapping[tuple[str, str], Rule], faults: Collection[tuple[str, str]]
) -> tuple[set[Status], set[Status]]:
    """Failed statuses of days of which nothing that the rule reads is spoiled; `faults`: table and day of each.

    First those of rules that compare with earlier days, one of which is spoiled; then all others, which are wrong.
    """
    later: set[Status] = set()
    wrong: set[Status] = set()
    for status in failed:
        table, rule_id, day = status
        rule = rules[table, rule_id]
        if not _is_spoiled(rule, day, faults, back=False):
            (later if _is_spoiled(rule, day, faults, back=True) else wrong).add(status)
    return later, wrong


def _is_spoiled(rule: Rule, day: str, faults: Collection[tuple[str, str]], *, back: bool) -> bool:
    """The newest day that the rule reads of a table for `day` is spoiled; `back`: any earlier one is."""
    frame = rule.frame
    reads = {table.name: (-frame.past_days, 0) for table in (frame.table, *frame.footers)}
    reads |= {source.table.name: (source.first, source.last) for source in (frame.query.sources if frame.query else ())}
    for table, spoiled in faults:
        first, last = reads.get(table, (1, 0))
        offset = (date.fromisoformat(spoiled) - date.fromisoformat(day)).days
        if first <= offset <= last and (back or offset == last):
            return True
    return False
