"""Runs of the graph started by a person: step after step, a run per range of days, on the stored instance."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import dagster as dg

from daily_profit_model.defs.all_tables import TABLES
from daily_profit_model.defs.build import build_definitions
from daily_profit_model.defs.launch.instance import stored_instance
from daily_profit_model.defs.launch.plan import Step, Work, partitions_of, work_of
from daily_profit_model.defs.raw.assets import KEEP_COMPLETE_TAG
from daily_profit_model.defs.table_asset import asset_key
from daily_profit_model.lake import Lake
from daily_profit_model.partitions import contiguous_ranges
from daily_profit_model.settings import Settings

RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


_OURS = "daily_profit_model."
"""How the message of an error of ours begins: it is the one that says what and where."""
_CLASS_NAME = re.compile(r"^[\w.]+: ")


class RunFailed(Exception):
    """A run failed; the message is the first failing step's own, in one line."""


@dataclass(frozen=True)
class Launched:
    """A finished run: what it made and what its checks said."""

    run_id: str
    step: Step
    partitions: tuple[str, ...]
    checks_passed: int
    checks_failed: int


Announce = Callable[[Work], None]


class Launcher:
    """Runs steps of the graph in this process, with the definitions loaded once."""

    def __init__(self, settings: Settings) -> None:
        self.lake = Lake(settings.lake_root)
        self.instance = stored_instance(settings)
        defs = build_definitions()
        self._job = defs.resolve_implicit_global_asset_job_def()
        self._graph = defs.resolve_asset_graph()

    def work(self, step: Step, start: date, end: date, *, force: bool = False) -> Work:
        """What `step` has to make for the data days `start` … `end`."""
        wanted = partitions_of(step, self.lake, start, end)
        return work_of(step, self.lake, self.instance, self._graph, wanted, force)

    def run(self, work: Work, *, force: bool = False) -> list[Launched]:
        """Make the partitions of `work`, a run per range. Raises RunFailed."""
        spans = contiguous_ranges(work.partitions)
        if work.step.calendar == "cut_offs":
            spans = (
                [(work.partitions[0], work.partitions[-1])] if _is_whole(work) else [(p, p) for p in work.partitions]
            )
        return [self._run_range(work, first, last, force) for first, last in spans]

    def _run_range(self, work: Work, first: str, last: str, force: bool) -> Launched:
        keys = [asset_key(TABLES[name]) for name in work.step.tables]
        tags = {RANGE_START_TAG: first, RANGE_END_TAG: last, KEEP_COMPLETE_TAG: "false" if force else "true"}
        result = self._job.execute_in_process(
            instance=self.instance, asset_selection=keys, tags=tags, run_config=_QUIET, raise_on_error=False
        )
        evaluations = result.get_asset_check_evaluations()
        failed = [evaluation for evaluation in evaluations if not evaluation.passed]
        if not result.success:
            raise RunFailed(_why(result))
        made = tuple(p for p in work.partitions if first <= p <= last)
        return Launched(result.run_id, work.step, made, len(evaluations) - len(failed), len(failed))


def _is_whole(work: Work) -> bool:
    """Weekly partitions without a hole between them can go in one run."""
    days = [date.fromisoformat(partition) for partition in work.partitions]
    return all((later - earlier).days == 7 for earlier, later in pairwise(days))


def _why(result: dg.ExecuteInProcessResult) -> str:
    """The first failing step's own error, in one line."""
    for event in result.all_events:
        if event.event_type == dg.DagsterEventType.STEP_FAILURE:
            error = event.step_failure_data.error
            while error is not None and error.cause is not None and not error.message.startswith(_OURS):
                error = error.cause
            said = " ".join(error.message.split()) if error is not None else "no error was recorded"
            return f"{event.step_key}: {_CLASS_NAME.sub('', said)}"
    return "the run failed before its first step"
