"""`dpm run` and `dpm predict`: plan, say what will happen, run step after step, say what became of it."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from daily_profit_model.defs.all_tables import NEEDS
from daily_profit_model.defs.launch.plan import (
    STAGES,
    STEPS,
    Step,
    Work,
    days_needed,
    days_with_targets,
    first_served_day,
    steps_of,
    unset_of,
)
from daily_profit_model.defs.launch.runs import AssetConfigs, Launched, Launcher, RunFailed
from daily_profit_model.defs.resources.progress import listening, reading
from daily_profit_model.risk_api.client import RiskApi, ping
from daily_profit_model.settings import Settings, WrongSettings, WrongUse
from daily_profit_model.tables.drift import MONITORING_DRIFT

console = Console(highlight=False)


def run_stages(
    settings: Settings,
    stages: str,
    start: date | None,
    end: date | None,
    *,
    dry_run: bool = False,
    force: bool = False,
    without: Collection[str] = (),
) -> None:
    """Make whatever of the given stages is missing or out of date for the data days `start` … `end`.

    `without`: stages that are left out of them. Raises WrongUse for an unknown stage or dates that cannot be, RunFailed for a failed run.
    """
    steps = steps_of([name.strip() for name in stages.split(",") if name.strip()] if stages else STAGES)
    steps = [step for step in steps if step.stage not in without]
    first, last = checked_days(settings, start, end)
    if any(step.stage == "raw" for step in steps) and not dry_run:
        check_service(settings)
    launcher = Launcher(settings)
    made = run_steps(launcher, steps, first, last, dry_run=dry_run, force=force)
    if not dry_run:
        console.print(summary_of(made))
    if first_served_day(launcher.lake) is None:
        there = days_with_targets(launcher.lake, last.isoformat())
        console.print(
            f"no model yet: training begins at a Sunday with {days_needed()} days of outcomes, {there} are there"
        )


def predict_day(
    settings: Settings,
    day: date | None,
    *,
    force: bool = False,
    shadows: bool = True,
    evaluates: bool = False,
    detects_drift: bool = True,
) -> None:
    """Make the predictions of `day` (default today), from features that are there; with `shadows` those of the active
    deployments too, with `evaluates` their evaluation of the day before, and look for drift, if asked to.
    """
    wanted = day or datetime.now(UTC).date()
    before = wanted - timedelta(days=1)
    launcher = Launcher(settings)
    steps = [step for step in STEPS if step.stage == "predictions"]
    made = run_steps(launcher, steps, before, before, force=force)
    of_shadows = [step for step in STEPS if step.stage == "shadows" and shadows]
    made += run_steps(
        launcher, [step for step in of_shadows if step.calendar == "shadowed_days"], before, before, force=force
    )
    if evaluates:  # served_days begin with the day after the first of the data
        judging = [step for step in of_shadows if step.calendar == "shadow_judged_days"]
        made += run_steps(launcher, judging, before - timedelta(days=1), before, force=force)
    rows = launcher.lake.describe("predictions/account_daily", wanted.isoformat())
    if rows is None:
        raise WrongSettings(f"no champion is in force on {wanted}, or no features of {before} are there: dpm status")
    console.print(f"{summary_of(made)}\n{rows.rows} accounts are predicted for {wanted}: {rows.path}")
    if detects_drift:
        run_steps(
            launcher, [step for step in STEPS if MONITORING_DRIFT.name in step.tables], before, before, force=force
        )
        console.print(f"drift was looked for: dpm drift show --date {wanted}")


def run_steps(
    launcher: Launcher, steps: Sequence[Step], first: date, last: date, *, dry_run: bool = False, force: bool = False
) -> list[Launched]:
    """Run the steps in order, planning each after the one before it has run.

    Raises RunFailed at once, but at the end where a step failed that nothing else needs, or that left out what is
    downstream of a blocked day: what does not need that day is made, and what does is told once.
    """
    made: list[Launched] = []
    failures: list[RunFailed] = []
    for step in steps:
        if unset := unset_of(step):
            console.print(f"{step.stage:<12} skipped: {', '.join(step.tables)}, as {unset} is not set")
            continue
        work = launcher.work(step, first, last, force=force)
        if dry_run:
            say_plan(step, work)
        elif work.partitions:
            try:
                made += run_with_progress(launcher, work, force)
            except RunFailed as failure:
                is_consequence = any(earlier.is_partial for earlier in failures)
                may_fail = step.may_fail or NEEDS.keys() >= set(step.tables)
                if not (may_fail or failure.is_partial or is_consequence):
                    raise
                console.print(f"{label_of(work)}: failed, the rest goes on: {failure}", soft_wrap=True)
                failures.append(failure)
    if failures:
        raise RunFailed(f"{failures[0]} (everything that does not need it is made)")
    return made


def run_with_progress(
    launcher: Launcher, work: Work, force: bool, configs: AssetConfigs | None = None
) -> list[Launched]:
    """Run one step's work under a progress bar, and say in one line what was made."""
    tables = work.step.tables
    started = time.monotonic()
    with shown_progress(work, console):
        made = launcher.run(work, force=force, configs=configs)
    seconds = time.monotonic() - started
    failed = sum(run.checks_failed for run in made)
    checks = f", {failed} checks failed" if failed else ""
    console.print(
        f"{label_of(work):<60.60} {len(work.partitions):>4} partitions x {len(tables)} in {seconds:5.1f} s{checks}"
    )
    return made


@contextmanager
def shown_progress(work: Work, shown_on: Console) -> Iterator[None]:
    """While the context lasts: a bar with the partitions stored, partitions a second and the time left."""
    started = time.monotonic()
    with Progress(
        TextColumn("{task.description:<46.46}"),
        BarColumn(24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=shown_on,
        transient=True,
        disable=not shown_on.is_terminal,
    ) as progress:
        task = progress.add_task(label_of(work), total=len(work.partitions) * len(work.step.tables), rate="")

        def stored(table: str, partition: str, rows: int) -> None:
            done = progress.tasks[0].completed + 1
            rate = done / max(time.monotonic() - started, 1e-9)
            progress.update(task, advance=1, rate=f"{rate:.1f} partitions/s")

        with listening(stored), reading(partial(progress.console.print, soft_wrap=True)):
            yield


def label_of(work: Work) -> str:
    again = " again" if work.step.is_repeated else ""
    return f"{work.step.stage}{again}: {', '.join(name.split('/')[1] for name in work.step.tables)}"


def checked_days(settings: Settings, start: date | None, end: date | None) -> tuple[date, date]:
    """The data days of a run. Raises WrongUse when they cannot be."""
    newest = datetime.now(UTC).date() - timedelta(days=1)
    first, last = start or settings.dpm_start_date, end or newest
    if last < first and start is None:
        raise WrongUse(f"DPM_START_DATE {first} lies after the last day {last}")
    if last < first:
        raise WrongUse(f"--end-date {last} lies before --start-date {first}")
    if first < settings.dpm_start_date:
        raise WrongUse(f"--start-date {first} lies before DPM_START_DATE {settings.dpm_start_date}: set that first")
    if last > newest:
        raise WrongUse(f"--end-date {last} is not over yet: the newest complete day is {newest} (UTC)")
    return first, last


def check_service(settings: Settings) -> None:
    """One cheap request, so that a wrong key or host is one line now and not a failed run later."""
    with RiskApi(
        settings.risk_api_base_url,
        settings.required_key(),
        rate=settings.risk_api_rate,
        burst=settings.risk_api_burst,
        timeout=min(settings.risk_api_timeout, 20.0),
        attempts=1,
    ) as api:
        ping(api)


def say_plan(step: Step, work: Work) -> None:
    if not work.partitions:
        console.print(f"{step.stage:<12} up to date: {', '.join(step.tables)}")
        return
    console.print(
        f"{step.stage:<12} {len(work.partitions)} partitions ({work.partitions[0]} … {work.partitions[-1]}) of "
        f"{', '.join(step.tables)}\n{'':<12} because {work.reason}"
    )


def summary_of(made: Sequence[Launched]) -> str:
    if not made:
        return "everything is in place"
    passed, failed = sum(run.checks_passed for run in made), sum(run.checks_failed for run in made)
    return f"{len(made)} runs, {sum(len(run.partitions) for run in made)} partitions; checks: {passed} passed, {failed} failed"
