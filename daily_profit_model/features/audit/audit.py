"""The audit itself: morning after morning, every table from raw to features is made once more and compared.

Which days is decided in `schedule`, what exists on a morning in `view`, what the comparison says in `report`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
from upath import UPath

from daily_profit_model.engine import MissingInput, run_table
from daily_profit_model.features.audit.differences import Difference, differences
from daily_profit_model.features.audit.logins import asked
from daily_profit_model.features.audit.look_back import Histories
from daily_profit_model.features.audit.provenance import Explanation, explanation
from daily_profit_model.features.audit.report import INPUTS, Report, Version
from daily_profit_model.features.audit.schedule import RANGE_DAYS, Schedule, schedule
from daily_profit_model.features.audit.tripwire import ACCOUNT, Tripwire
from daily_profit_model.features.audit.view import Later, Morning, PoisonedMorning
from daily_profit_model.features.pipeline import LATER_IDENTITIES, Step
from daily_profit_model.lake import Lake, read, write
from daily_profit_model.lake.partition_file import conform
from daily_profit_model.tables import Table

CODE_VERSION = "audit"
Followed = Callable[[Sequence[str]], Iterable[str]]


def audit(
    lake: Lake,
    steps: Sequence[Step],
    folder: Path,
    *,
    days: int,
    seed: int,
    code_versions: Mapping[str, str] | None = None,
    identities: Mapping[str, tuple[str, ...]] = LATER_IDENTITIES,
    following: Followed = iter,
) -> Report:
    """Make `days` random days of `lake` once more and report every bit that differs, by column and check.

    Each day is made in a lake in which nothing later exists, and compared with what is stored; in one in which all
    that comes later is poisoned; in a range of days; from all history. A fold over days is made once from its first
    day on: when each of its days equals the stored one, made from the day before, all of them rest on nothing later.
    Of the tables of `identities` a later snapshot may tell whose the logins of the day's trades are (`logins`).

    `folder` is used for what is made, as much as the look-back needs at a time, and left to the caller to remove;
    `lake` is only read. `code_versions`: table → the code that would store it today, to tell stale files from leaks.
    `following` wraps the days for a progress bar. Raises LakeError when there is nothing to audit.
    """
    planned = schedule(lake, steps, days=days, seed=seed)
    auditing = _Audit(lake, steps, UPath(folder), planned, seed, code_versions or {}, identities)
    for day in following(auditing.all_days()):
        auditing.pass_day(day)
    return auditing.finished()


class _Audit:
    """What is carried from one morning to the next."""

    def __init__(
        self,
        lake: Lake,
        steps: Sequence[Step],
        folder: UPath,
        planned: Schedule,
        seed: int,
        code_versions: Mapping[str, str],
        identities: Mapping[str, tuple[str, ...]],
    ) -> None:
        self._lake, self._steps, self._planned, self._code_versions = lake, steps, planned, code_versions
        self._folder, self._made = folder, Lake(folder / "made")
        self._tables = frozenset(step.table.name for step in steps)
        self._later = Later(lake, folder, identities, last_day=planned.days[-1])
        self._raw = [
            [source for source in step.query(lake).sources if source.table.name not in self._tables] for step in steps
        ]
        self._histories = Histories(lake, steps, planned.days[-1], seed)
        self._tripwire = Tripwire()
        self._explained: dict[tuple[str, str], Explanation] = {}
        self._report = Report(planned.days, seed, [step.table for step in steps], planned.made)

    def all_days(self) -> list[str]:
        """Every day on which something is made or remembered, ascending."""
        made = {day for days in self._planned.made.values() for day in days}
        remembered = {day for day in self._histories.days() if day <= self._planned.days[-1]}
        return sorted(made | remembered)

    def pass_day(self, day: str) -> None:
        """Everything that is to be done on the morning after `day`."""
        self._make(day)
        if day <= self._planned.days[-1]:
            self._histories.remember(day)
        if day in self._planned.days:
            self._poison(day)
            for table, found in self._histories.compare(day):
                self._report.add("look-back", table, day, found)
            self._suspect(day)
        for audited, range_days in self._planned.ranges.items():
            if range_days[-1] == day:
                self._fill_back(audited, range_days)
        self._forget(day)

    def finished(self) -> Report:
        self._report.suspicions = self._tripwire.suspicions()
        self._report.history_accounts = len(self._histories.accounts)
        return self._report

    def _make(self, day: str) -> None:
        """Every table of `day` in a lake that ends there, against the stored one."""
        view = Morning(self._lake.root, self._lake, self._made, self._tables, self._later, day)
        for step in self._steps:
            if day not in self._planned.made[step.table.name]:
                continue
            rows, lacked = _rows_of(step, view, [day])
            file = write(self._made, step.table, day, rows[day], code_version=CODE_VERSION)
            self._report.partitions[step.table.name] += 1
            self._report.rows[step.table.name] += file.rows
            if lacked and day in self._planned.days:
                self._report.add(
                    "truncated", step.table.name, day, {INPUTS: Difference(1, ((lacked, "there", "not there"),))}
                )
            self._hold_against_stored(step.table, day, file.content_hash)

    def _hold_against_stored(self, table: Table, day: str, content_hash: str) -> None:
        stored = self._lake.describe(table.name, day)
        if stored is None or stored.content_hash == content_hash:
            return
        code_version = self._code_versions.get(table.name)
        why = explanation(self._lake, stored, code_version, self._explained, self._tables)
        if why is not None and stored.code_version != (code_version or stored.code_version):
            self._keep_version(table, day, why, {})  # other code may have stored other columns
            return
        found = differences(table.key, read(self._lake, table, [day]), read(self._made, table, [day]))
        if why is not None:
            self._keep_version(table, day, why, {name: difference.rows for name, difference in found.items()})
        else:
            self._report.add("truncated", table.name, day, found)

    def _keep_version(self, table: Table, day: str, why: Explanation, columns: Mapping[str, int]) -> None:
        self._explained[table.name, day] = why
        self._report.versions.append(Version(table.name, day, why, columns))

    def _poison(self, day: str) -> None:
        """Every table of `day` with all that comes later poisoned, against the one in a lake that ends there."""
        own = Lake(self._folder / "poisoned")
        of_day = (self._lake.root, self._lake, self._made, self._tables, self._later, day)
        view = PoisonedMorning(*of_day, own, asked(Morning(*of_day), self._raw, self._later.identities, day))
        for step in self._steps:
            rows, _ = _rows_of(step, view, [day])
            file, made = write(own, step.table, day, rows[day], code_version=CODE_VERSION), self._made
            alone = made.describe(step.table.name, day)
            if alone is None or alone.content_hash != file.content_hash:
                found = differences(step.table.key, read(made, step.table, [day]), read(own, step.table, [day]))
                self._report.add("poisoned", step.table.name, day, found)
        shutil.rmtree(str(own.root))
        self._later.forget(day)

    def _fill_back(self, day: str, days: Sequence[str]) -> None:
        """Every table of `day` made in a range, against the day alone; a fold is made day by day either way."""
        view = Morning(self._lake.root, self._lake, self._made, self._tables, self._later, days[-1])
        for step in self._steps:
            if step.query(view).fold:
                continue
            rows, _ = _rows_of(step, view, days)
            found = differences(
                step.table.key, read(self._made, step.table, [day]), conform(step.table, day, rows[day])
            )
            self._report.add("backfill", step.table.name, day, found)

    def _suspect(self, day: str) -> None:
        """Hold what is stored of `day` against the profits of the day after."""
        tables = [step.table for step in self._steps if ACCOUNT in step.table.key]
        judged = [table for table in tables if (table.name, day) not in self._explained]
        self._tripwire.look(self._lake, {table.name: read(self._lake, table, [day]) for table in judged}, day)

    def _forget(self, day: str) -> None:
        """Remove what no later day reads."""
        for table in self._tables:
            made = self._made.partitions(table)
            for old in made[: -(self._planned.reach + 2 * RANGE_DAYS + 1)]:
                shutil.rmtree(str(self._made.partition_folder(table, old)))


def _rows_of(step: Step, view: Lake, days: Sequence[str]) -> tuple[dict[str, pa.Table], str]:
    """The rows of `days`, and what was said to be missing if they cannot be made without a later day."""
    query = step.query(view)
    try:
        return run_table(query, view, step.table, days), ""
    except MissingInput as missing:
        if all(source.last <= 0 or source.optional for source in query.sources):
            raise
        sources = tuple(replace(source, optional=source.optional or source.last > 0) for source in query.sources)
        return run_table(replace(query, sources=sources), view, step.table, days), str(missing)
