"""How many planted faults are noticed, and by which rule.

Run after `sandbox_seeds --folder FOLDER`: python -m daily_profit_model_tests.benchmarks.planted_faults FOLDER/201 … [--json]
     … planted_faults FOLDER/201 --through-dagster [--json]

Every fault of the catalogue is planted in a day in the middle of 30 days of a firm's lake, which is a copy: the day's
file is written anew, its footer counting what is then in it, so that no reader would notice. The rules of the table and
of those that read it are then judged over the 30 days in one call, as a range run does. A fault is caught when a rule
fails on its day that holds on the clean lake, is of the spoiled table or names it, and names the spoiled column.
Faults of one table are five days apart and of several columns (what spoils whole rows comes last, as it would be the past
of the others), and those of tables that read one another lie on different days, so that some hundred faults share one
judgement without being taken for one another.

Smallest sizes, by what a rule can know. A row that contradicts itself, or a key that is there twice: one row. A sum
against another table: a fifth of the rows, as the service corrects a tenth of the newest ones. A column's nulls, labels
or codes that are possible: three rows in ten, beyond what the past and chance have. Units, signs and constants: all
rows, or half where few large values suffice. Rows that are lost: one where another table knows who must be there, a
third of them (a page) where sums are compared, nearly all where only the past tells how many there are. Not planted:
single nulls of optional columns, a swap of two columns of like values, and the late arrival of a day that was filled.
Tables that are made once a week, and monitoring/reconciliation (alarms, no data), have no faults here.
Exit code 1 when less than 99 % are caught.

`--through-dagster`: all faults that lie in one lake at a time, a hundred and more of all tables, are judged as asset
checks: a run over the 30 days for each layer. A fault is caught when a status of its day has failed that names table and
column as above. A status of a day that fails although nothing that its rule reads of the day is spoiled is told: it is
right where the rule compares with earlier days, one of which is spoiled, and else lies on a wrong day. Exit code 1 when
one fault is not caught or one status lies on a wrong day.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from daily_profit_model.defs.all_rules import RULES
from daily_profit_model.defs.all_tables import TABLES
from daily_profit_model.lake import Lake
from daily_profit_model.partitions import days_between
from daily_profit_model.quality.evaluate import evaluate
from daily_profit_model.quality.load import load
from daily_profit_model.quality.outcome import Outcome, describe
from daily_profit_model.quality.rule import Rule
from daily_profit_model_tests.benchmarks import fault_lake
from daily_profit_model_tests.benchmarks.fault_catalogue import Fault
from daily_profit_model_tests.benchmarks.fault_catalogue_made import MADE_FAULTS
from daily_profit_model_tests.benchmarks.fault_catalogue_raw import RAW_FAULTS
from daily_profit_model_tests.benchmarks.fault_kinds import NothingToSpoil
from daily_profit_model_tests.benchmarks.processes import print_table

SEED = 20261122
RANGE_DAYS = 30
SLOTS = (0, 5, 10, 15, 20, 25)
"""Days of the range, before the table's own offset."""

OFFSETS = {
    "raw/plans": 0, "raw/accounts": 1, "raw/metrics_daily": 2, "raw/trades_closed": 3, "raw/metrics_hourly": 4,
    "raw/trades_open": 0, "raw/market_bars": 0, "raw/market_regimes": 1, "raw/quarantine": 1,
    "staging/accounts": 0, "staging/trades": 4, "features/account_daily": 2, "features/trade_daily": 0,
    "predictions/feature_snapshots": 0, "predictions/model_scores": 1, "predictions/account_daily": 3,
    "predictions/portfolio_daily": 2, "monitoring/conformity": 0, "monitoring/interval_calibration": 1,
    "monitoring/outcomes": 2, "monitoring/model_performance": 1, "monitoring/feed_health": 2, "monitoring/storage": 3,
}  # fmt: skip
"""Days by which a table's faults lie apart from those of the tables that it is compared with."""

CAUGHT_SHARE = 0.99

FAULTS: tuple[Fault, ...] = (*RAW_FAULTS, *MADE_FAULTS)


@dataclass
class Planted:
    """A fault, where it lies, and what was said of it."""

    fault: Fault
    firm: str
    day: str
    own: list[str] = field(default_factory=list)
    """Rules of the table that name the column."""
    beside: list[str] = field(default_factory=list)
    """Rules of other tables that name the table and the column."""
    blurred: list[str] = field(default_factory=list)
    """Rules that fail and do not name the column."""
    errors: bool = False

    @property
    def caught(self) -> bool:
        return bool(self.own or self.beside)


Failures = Mapping[tuple[str, str, str], Outcome]
"""By table, rule and day."""


def rounds(faults: Sequence[Fault]) -> list[list[tuple[Fault, int]]]:
    """The faults with the slot of each, so many together as one lake can hold."""
    waiting: dict[str, list[Fault]] = {}
    for fault in faults:
        waiting.setdefault(fault.table, []).append(fault)
    found: list[list[tuple[Fault, int]]] = []
    while any(waiting.values()):
        together: list[tuple[Fault, int]] = []
        for left in waiting.values():
            columns: set[str] = set()
            for slot in range(len(SLOTS)):
                last = slot == len(SLOTS) - 1
                fits = [
                    fault
                    for fault in left
                    if (fault.column not in columns and fault.column) or (last and not fault.column)
                ]
                whole = [fault for fault in fits if not fault.column]
                if fits:
                    fault = whole[0] if whole else fits[0]
                    left.remove(fault)
                    columns.add(fault.column)
                    together.append((fault, slot))
        found.append(together)
    return found


def failures(lake: Lake, rules: Sequence[Rule], days: Sequence[str]) -> Failures:
    """What does not hold over `days` in one call a table."""
    found: dict[tuple[str, str, str], Outcome] = {}
    for name in dict.fromkeys(rule.table for rule in rules):
        there = set(lake.partitions(name))
        own = [rule for rule in rules if rule.table == name]
        for outcome in evaluate(own, partial(load, lake), [day for day in days if day in there]):
            if not outcome.passed:
                found[name, outcome.rule.id, outcome.partition] = outcome
    return found


def reads(rule: Rule, table: str) -> bool:
    """Whether the rule judges `table` or compares another with it."""
    sources = rule.frame.query.sources if rule.frame.query is not None else ()
    others = {footer.name for footer in rule.frame.footers} | {source.table.name for source in sources}
    return rule.table == table or table in others


def words_of(outcome: Outcome) -> str:
    """What a failed outcome says."""
    says = (part.says for part in outcome.parts if not part.passed)
    return " ".join([str(describe(outcome)), json.dumps(outcome.samples, default=str), *says])


def told(planted: Planted, rule: Rule, said: str) -> None:
    """Enter a rule that does not hold with the fault that it was seen on; `said`: what it says."""
    fault = planted.fault
    words = _plain(f"{said} {rule.id}")
    about = _plain(f"{words} {rule.reason} {rule.advice} {rule.frame.name}")
    names_column = not fault.column or any(_plain(name) in words for name in (fault.column, *fault.names))
    names_table = rule.table == fault.table or _plain(fault.table) in about
    if not (names_column and names_table):
        planted.blurred.append(f"{rule.table}:{rule.id}")
        return
    planted.errors |= rule.severity == "error"
    (planted.own if rule.table == fault.table else planted.beside).append(f"{rule.table}:{rule.id}")


def _plain(text: str) -> str:
    return text.replace("_", " ").lower()


def measure(folders: Sequence[Path], place: Path, faults: Sequence[Fault] = FAULTS) -> list[Planted]:
    """Plant and judge every fault, the firms by turns."""
    clean: dict[str, tuple[Path, Failures, list[str]]] = {}
    found: list[Planted] = []
    for number, together in enumerate(rounds(faults)):
        folder = folders[number % len(folders)]
        if folder.name not in clean:
            clean[folder.name] = prepared(folder, place / folder.name)
        base, known, days = clean[folder.name]
        lake = fault_lake.copied(base, place / "spoiled")
        planted = plant(lake, together, days, folder.name, SEED + len(found))
        tables = {each.fault.table for each in planted}
        rules = [rule for rule in RULES if any(reads(rule, table) for table in tables)]
        judged = failures(lake, rules, days)
        for each in planted:
            for key, outcome in judged.items():
                if key not in known and key[2] == each.day and reads(outcome.rule, each.fault.table):
                    told(each, outcome.rule, words_of(outcome))
        found += planted
        missed = [each for each in planted if not each.caught]
        print(f"round {number + 1}: {len(planted)} planted, {len(missed)} missed", file=sys.stderr, flush=True)
        for each in missed:
            print(f"  missed {each.fault.table} {each.day} {each.fault.kind} {each.fault.column} {each.fault.size}; "
                  f"failed: {', '.join(each.blurred) or 'nothing'}", file=sys.stderr, flush=True)  # fmt: skip
    return found


def plant(
    lake: Lake, together: Sequence[tuple[Fault, int]], days: Sequence[str], firm: str, seed: int
) -> list[Planted]:
    """Plant faults, each with its slot, in the 30 `days` of `lake`; those that find nothing to spoil are told."""
    planted: list[Planted] = []
    for fault, slot in together:
        day = days[SLOTS[slot] + OFFSETS[fault.table]]
        try:
            fault_lake.plant(lake, TABLES[fault.table], day, fault.spoil, seed + len(planted))
        except NothingToSpoil:
            print(f"not planted on {day}: {fault}", file=sys.stderr)
            continue
        planted.append(Planted(fault, firm, day))
    return planted


def through_dagster(folder: Path, place: Path, as_json: bool) -> int:
    """Plant the first round and judge it by asset checks."""
    from daily_profit_model_tests.benchmarks.faults_through_dagster import judged, unexplained

    base, known, days = prepared(folder, place / folder.name)
    lake = fault_lake.copied(base, place / "spoiled")
    planted = plant(lake, rounds(FAULTS)[0], days, folder.name, SEED)
    rules = {(rule.table, rule.id): rule for rule in RULES if rule.table in OFFSETS}
    statuses, said = judged(lake, tuple(rules.values()), days)
    failed = {status: words for status, words in said.items() if status not in known}
    for each in planted:
        for (table, rule_id, day), words in failed.items():
            if day == each.day and reads(rules[table, rule_id], each.fault.table):
                told(each, rules[table, rule_id], words)
    later, wrong = unexplained(failed, rules, {(each.fault.table, each.day) for each in planted})
    missed = [f"{each.fault.table} {each.day}: {each.fault.kind} {each.fault.column}" for each in planted
              if not each.caught]  # fmt: skip
    row = {
        "firm": folder.name,
        "days": len(days),
        "statuses": statuses,
        "faults": len(planted),
        "tables": len({each.fault.table for each in planted}),
        "kinds": len({each.fault.kind for each in planted}),
        "caught": len(planted) - len(missed),
        "statuses failed": len(failed),
        "by an earlier day": len(later),
        "of a wrong day": len(wrong),
    }
    lines = {"missed": missed, "by an earlier day": sorted(later), "of a wrong day": sorted(wrong)}
    if as_json:
        print(json.dumps(row | lines, indent=2))
    else:
        print_table([row])
        for name, told_lines in lines.items():
            print(f"{name}: {told_lines}")
    return int(bool(missed or wrong))


def prepared(folder: Path, place: Path) -> tuple[Path, Failures, list[str]]:
    """A copy of a firm's lake with bars and what is told of the day itself; what fails there; the days of the range."""
    lake = fault_lake.copied(folder / "lake", place)
    there = lake.partitions("raw/metrics_daily")
    fault_lake.add_bars(lake, folder / "sandbox", there)
    last = date.fromisoformat(there[-1]) - timedelta(days=1)
    days = days_between(last - timedelta(days=RANGE_DAYS - 1), last)
    fault_lake.add_good_rows(lake, days)
    return place, failures(lake, [rule for rule in RULES if rule.table in OFFSETS], days), days


def summary(found: Sequence[Planted]) -> list[dict[str, object]]:
    """A row a kind."""
    rows: list[dict[str, object]] = []
    for kind in (*dict.fromkeys(each.fault.kind for each in found), "all"):
        own = [each for each in found if kind in (each.fault.kind, "all")]
        rows.append(
            {
                "kind": kind,
                "tables": len({each.fault.table for each in own}),
                "planted": len(own),
                "caught": sum(each.caught for each in own),
                "by an error": sum(each.errors for each in own),
                "by another table's rule alone": sum(bool(each.beside and not each.own) for each in own),
            }
        )
    return rows


def main() -> int:
    """Print a row a kind, what was missed, and the rules that no fault has made fail."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--table", help="only faults of this table")
    parser.add_argument("--through-dagster", action="store_true", help="judge one round by asset checks (first folder)")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.through_dagster:
        with tempfile.TemporaryDirectory() as place:
            return through_dagster(asked.folders[0], Path(place), asked.json)
    faults = [fault for fault in FAULTS if asked.table in (None, fault.table)]
    with tempfile.TemporaryDirectory() as place:
        found = measure(asked.folders, Path(place), faults)
    rows = summary(found)
    fired = Counter(name for each in found for name in (*each.own, *each.beside, *each.blurred))
    silent = [f"{rule.table}:{rule.id}" for rule in RULES if f"{rule.table}:{rule.id}" not in fired]
    missed = [f"{each.firm} {each.fault.table} {each.day}: {each.fault.kind} {each.fault.column} ({each.fault.size})"
              for each in found if not each.caught]  # fmt: skip
    share = 1 - len(missed) / len(found)
    if asked.json:
        print(
            json.dumps(
                {"kinds": rows, "share": share, "missed": missed, "silent rules": silent, "seed": SEED}, indent=2
            )
        )
    else:
        print_table(rows)
        print(f"\n{share:.2%} of {len(found)} caught; seed {SEED}")
        for line in missed:
            print(f"  missed: {line}")
        print(f"{len(silent)} rules saw no fault here: {', '.join(silent)}")
    return int(share < CAUGHT_SHARE)


if __name__ == "__main__":
    sys.exit(main())
