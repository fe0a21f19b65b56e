"""What an audit has found, as it is kept, as JSON and as a table for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from rich.console import Console
from rich.table import Table as Grid

from daily_profit_model.features.audit.differences import Difference
from daily_profit_model.features.audit.provenance import Explanation
from daily_profit_model.features.audit.tripwire import Suspicion
from daily_profit_model.tables import Table

Check = Literal["truncated", "poisoned", "backfill", "look-back"]
CHECKS: tuple[Check, ...] = ("truncated", "poisoned", "backfill", "look-back")
"""truncated: stored differs from what is made of what was known; poisoned: what comes later matters; backfill: a day
made in a range differs from the day alone; look-back: more history than declared matters."""

INPUTS = "inputs"
"""Stands for a column where a table cannot be made without what comes later."""
SHOWN = 40


@dataclass(frozen=True)
class Finding:
    """One column of one table that deviates on one audited day."""

    check: Check
    table: str
    column: str
    day: str
    rows: int
    sample: tuple[tuple[str, object, object], ...]
    """(key, as expected, as found): stored and made; truncated and poisoned; alone and in the range; declared and all."""


@dataclass(frozen=True)
class Version:
    """A stored partition that differs and whose footer says why."""

    table: str
    day: str
    explanation: Explanation
    columns: Mapping[str, int]


@dataclass
class Report:
    """What was compared, and what differed."""

    days: Sequence[str]
    seed: int
    tables: Sequence[Table]
    made: Mapping[str, Sequence[str]]
    """Table → the days of it that were made once more; of a fold every day from its first on."""
    findings: list[Finding] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    suspicions: list[Suspicion] = field(default_factory=list)
    partitions: Counter[str] = field(default_factory=Counter)
    """Table → partitions made and compared with the stored ones, all rows of each."""
    rows: Counter[str] = field(default_factory=Counter)
    history_accounts: int = 0
    """Accounts of which the look-back was held against all history."""

    def add(self, check: Check, table: str, day: str, found: Mapping[str, Difference]) -> None:
        """Keep what differed on a day."""
        for column, difference in found.items():
            self.findings.append(Finding(check, table, column, day, difference.rows, difference.sample))

    def by_column(self) -> dict[tuple[str, str], Counter[str]]:
        """(table, column) → check → rows that deviate, of those that do."""
        counts: dict[tuple[str, str], Counter[str]] = {}
        for finding in self.findings:
            counts.setdefault((finding.table, finding.column), Counter())[finding.check] += finding.rows
        return counts

    @property
    def deviations(self) -> int:
        """Rows (account-days) times columns that deviate."""
        return sum(finding.rows for finding in self.findings)

    @property
    def stale(self) -> list[Version]:
        return [version for version in self.versions if version.explanation.origin == "stale"]

    @property
    def holds(self) -> bool:
        """Nothing deviates, and every stored partition could be judged."""
        return not self.findings and not self.stale

    def summary(self) -> str:
        """One line."""
        columns = sum(len(table.columns) - len(table.key) for table in self.tables)
        made = sum(self.partitions.values())
        text = (
            f"{self.deviations:,} deviations in {len(self.by_column())} of {columns} columns of "
            f"{len(self.tables)} tables; {len(self.days)} days audited, {made} partitions made once more"
        )
        for count, what in (
            (len(self.stale), "stored partitions are out of date and were not judged: dpm run"),
            (len(self.versions) - len(self.stale), "stored partitions were made again from later revisions"),
            (len(self.suspicions), "suspicions"),
        ):
            text += f"; {count} {what}" if count else ""
        return text

    def as_dict(self) -> dict[str, Any]:
        """All of it, for machines; the same for the same seed and lake."""
        counts = self.by_column()
        return {
            "summary": self.summary(),
            "holds": self.holds,
            "deviations": self.deviations,
            "seed": self.seed,
            "days": list(self.days),
            "history_accounts": self.history_accounts,
            "tables": {
                table.name: {
                    "partitions": self.partitions[table.name],
                    "first_day": self.made[table.name][0],
                    "last_day": self.made[table.name][-1],
                    "rows": self.rows[table.name],
                    "columns": {
                        name: {check: counts.get((table.name, name), Counter())[check] for check in CHECKS}
                        for name in (*_compared(table), *_stand_ins(table, counts))
                    },
                }
                for table in self.tables
            },
            "findings": [
                {**vars(finding), "sample": [[key, _plain(one), _plain(other)] for key, one, other in finding.sample]}
                for finding in self.findings
            ],
            "versions": [
                {
                    "table": version.table,
                    "day": version.day,
                    "origin": version.explanation.origin,
                    "reason": version.explanation.reason,
                    "columns": dict(version.columns),
                }
                for version in self.versions
            ],
            "suspicions": [vars(suspicion) for suspicion in self.suspicions],
        }

    def show(self) -> None:
        """Print what deviates, what is explained and what is suspicious, then the summary."""
        console = Console(highlight=False, width=max(Console().width, 132))
        if self.findings:
            console.print(self._grid())
        for version in self.versions[:SHOWN]:
            explanation = version.explanation
            print(f"{explanation.origin}: {version.table} of {version.day}: {explanation.reason}")
        if len(self.versions) > SHOWN:
            print(f"… and {len(self.versions) - SHOWN} more: --json lists all of them")
        for suspicion in self.suspicions:
            print(
                f"suspicious: {suspicion.feature} of {suspicion.table} goes with the net profit of D+1: "
                f"rank correlation {suspicion.correlation:.3f} over {suspicion.days} days"
            )
        print(self.summary())

    def _grid(self) -> Grid:
        grid = Grid(title="what deviates: rows by check", title_justify="left")
        for name in ("table", "column", *CHECKS, "first day", "key", "expected", "found"):
            grid.add_column(name, justify="right" if name in CHECKS else "left", overflow="fold")
        for (table, column), counts in list(self.by_column().items())[:SHOWN]:
            first = next(finding for finding in self.findings if (finding.table, finding.column) == (table, column))
            sample = [str(value) for value in first.sample[0]] if first.sample else ["", "", ""]
            grid.add_row(table, column, *(f"{counts[check]:,}" for check in CHECKS), first.day, *sample)
        if (more := len(self.by_column()) - SHOWN) > 0:
            grid.caption = f"and {more} more: --json lists all of them"
        return grid


def _compared(table: Table) -> list[str]:
    return [name for name in table.column_names if name not in table.key]


def _stand_ins(table: Table, counts: Iterable[tuple[str, str]]) -> list[str]:
    """Names that deviate and are no columns: whole rows, inputs."""
    return [name for of, name in counts if of == table.name and name not in _compared(table)]


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
