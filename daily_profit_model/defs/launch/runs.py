"""Runs of the graph started by a person: step after step, a run per range of days, on the stored instance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise

import dagster as dg

from daily_profit_model.defs.all_tables import TABLES
from daily_profit_model.defs.build import build_definitions
from daily_profit_model.defs.calendars import range_tags
from daily_profit_model.defs.failures import failure_reasons
from daily_profit_model.defs.launch.dead_runs import PROCESS_TAG, end_dead_runs, this_process
from daily_profit_model.defs.launch.instance import stored_instance
from daily_profit_model.defs.launch.plan import Step, Work, partitions_of, work_of
from daily_profit_model.defs.quality import BlockingRuleFailed
from daily_profit_model.defs.raw.assets import KEEP_COMPLETE_TAG
from daily_profit_model.defs.resources.blocked import PartitionsBlocked
from daily_profit_model.defs.resources.lake_io import REPLACE_SERVED_TAG
from daily_profit_model.defs.table_asset import asset_key
from daily_profit_model.lake import Lake
from daily_profit_model.partitions import contiguous_ranges
from daily_profit_model.settings import Settings

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


_BLOCKED = (PartitionsBlocked.__name__, BlockingRuleFailed.__name__)
"""Errors after which everything is made that does not need the partitions in question."""

AssetConfigs = Mapping[str, Mapping[str, object]]
"""Run config of assets, by table."""


class RunFailed(Exception):
    """A run failed; the message is the first failing step's own, in one line."""

    def __init__(self, message: str, *, is_partial: bool = False) -> None:
        """`is_partial`: a blocking rule did not hold, or what is downstream of it was not made; the rest is stored."""
        super().__init__(message)
        self.is_partial = is_partial


@dataclass(frozen=True)
class Stored:
    """A partition as its materialisation describes it."""

    table: str
    partition: str
    metadata: Mapping[str, object]


@dataclass(frozen=True)
class FailedCheck:
    """A check that did not hold, and what it saw."""

    table: str
    partition: str
    rule: str
    is_error: bool
    """False: a warning."""
    description: str


@dataclass(frozen=True)
class Launched:
    """A finished run: what it made and what its checks said."""

    run_id: str
    step: Step
    partitions: tuple[str, ...]
    checks_passed: int
    failures: tuple[FailedCheck, ...] = ()
    stored: tuple[Stored, ...] = ()

    @property
    def checks_failed(self) -> int:
        return len(self.failures)


class Launcher:
    """Runs steps of the graph in this process, with the definitions loaded once.

    `now` is the clock (UTC) by which the newest complete day is known.
    """

    def __init__(self, settings: Settings, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.lake = Lake(settings.lake_root)
        self._now = now
        self.instance = stored_instance(settings)
        end_dead_runs(self.instance)
        defs = build_definitions()
        self._job = defs.resolve_implicit_global_asset_job_def()
        self._graph = defs.resolve_asset_graph()

    def work(self, step: Step, start: date, end: date, *, force: bool = False) -> Work:
        """What `step` has to make for the data days `start` … `end`."""
        today = self._now().date()
        wanted = partitions_of(step, self.lake, start, end, today)
        return work_of(step, self.lake, self.instance, self._graph, wanted, force, today)

    def run(self, work: Work, *, force: bool = False, configs: AssetConfigs | None = None) -> list[Launched]:
        """Make the partitions of `work`, a run per range. Raises RunFailed."""
        return list(self.runs(work, force=force, configs=configs))

    def runs(
        self,
        work: Work,
        *,
        force: bool = False,
        configs: AssetConfigs | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Iterator[Launched]:
        """Make the partitions of `work`, a run per range, each run as it is done. Raises RunFailed."""
        spans = contiguous_ranges(work.partitions)
        if work.step.calendar == "cut_offs":
            spans = (
                [(work.partitions[0], work.partitions[-1])] if _is_whole(work) else [(p, p) for p in work.partitions]
            )
        for first, last in spans:
            yield self._run_range(work, first, last, force or work.step.is_repeated, configs or {}, tags or {})

    def _run_range(
        self, work: Work, first: str, last: str, force: bool, configs: AssetConfigs, more: Mapping[str, str]
    ) -> Launched:
        keys = [asset_key(TABLES[name]) for name in work.step.tables]
        tags = {
            **range_tags(first, last),
            KEEP_COMPLETE_TAG: "false" if force else "true",
            REPLACE_SERVED_TAG: "true" if force else "false",
            PROCESS_TAG: this_process(),
            **more,
        }
        ops = {asset_key(TABLES[name]).to_python_identifier(): {"config": told} for name, told in configs.items()}
        result = self._job.execute_in_process(
            instance=self.instance,
            asset_selection=keys,
            tags=tags,
            run_config={**_QUIET, "ops": ops},
            raise_on_error=False,
        )
        if not result.success:
            if _is_interrupted(result):
                raise KeyboardInterrupt
            why = failure_reasons(result.all_events)
            raise RunFailed(why[0].message, is_partial=all(reason.cls_name in _BLOCKED for reason in why))
        evaluations = result.get_asset_check_evaluations()
        failed = tuple(_failed(evaluation) for evaluation in evaluations if not evaluation.passed)
        made = tuple(p for p in work.partitions if first <= p <= last)
        return Launched(
            result.run_id, work.step, made, len(evaluations) - len(failed), failed, tuple(_stored_by(result))
        )


def _failed(evaluation: dg.AssetCheckEvaluation) -> FailedCheck:
    return FailedCheck(
        evaluation.asset_key.to_user_string(),
        evaluation.partition or "",
        evaluation.check_name,
        evaluation.severity == dg.AssetCheckSeverity.ERROR,
        evaluation.description or "",
    )


def _stored_by(result: dg.ExecuteInProcessResult) -> Iterator[Stored]:
    for event in result.all_events:
        if event.is_step_materialization:
            made = event.step_materialization_data.materialization
            metadata = {name: value.value for name, value in made.metadata.items()}
            yield Stored(made.asset_key.to_user_string(), made.partition or "", metadata)


def _is_whole(work: Work) -> bool:
    """Weekly partitions without a hole between them can go in one run."""
    days = [date.fromisoformat(partition) for partition in work.partitions]
    return all((later - earlier).days == 7 for earlier, later in pairwise(days))


def _is_interrupted(result: dg.ExecuteInProcessResult) -> bool:
    """Whether somebody stopped the run: Dagster makes Ctrl-C a failure of the step."""
    return any(
        event.event_type == dg.DagsterEventType.STEP_FAILURE
        and event.step_failure_data.error is not None
        and event.step_failure_data.error.cls_name == dg.DagsterExecutionInterruptedError.__name__
        for event in result.all_events
    )
