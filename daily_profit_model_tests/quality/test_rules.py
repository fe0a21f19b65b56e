"""Every rule holds on good rows and fails on each fault that it is there for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pyarrow as pa
import pytest
from upath import UPath

from daily_profit_model.lake import Lake
from daily_profit_model.partitions import days_between
from daily_profit_model.quality.evaluate import Load, evaluate
from daily_profit_model.quality.frame import Frame
from daily_profit_model.quality.load import load
from daily_profit_model.quality.outcome import Outcome
from daily_profit_model_tests.quality.faults import FAULTS
from daily_profit_model_tests.quality.small_firm import RULES, made_in_memory, nothing, store, tables_of
from daily_profit_model_tests.quality.spoils import Fault

FIRST = date(2026, 3, 2)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], list[Outcome]]:
    """Outcomes by table and place: a good day first and last, and between them a day for each of its faults.

    Frames of footers are read from a lake, frames of SQL from memory: writing days is what takes time here.
    """
    found: dict[tuple[str, int], list[Outcome]] = {}
    for table in dict.fromkeys(rule.table for rule in RULES):
        lake = Lake(UPath(tmp_path_factory.mktemp("lake")))
        rules = [rule for rule in RULES if rule.table == table]
        spoils = [nothing, *(fault.spoil for fault in FAULTS if fault.table == table), nothing]
        # where a rule looks back, every other day is good, so that no fault is the past of another
        step = 2 if any(earlier and name == table for rule in rules for name, earlier in tables_of(rule)) else 1
        days = days_between(FIRST, FIRST + timedelta(days=step * (len(spoils) - 1)))
        spoiled = dict(zip(days[::step], spoils, strict=True))
        in_memory = made_in_memory({day: spoiled.get(day, nothing) for day in days})
        counted = [rule for rule in rules if rule.frame.query is None]
        for day, spoil in spoiled.items() if counted else ():
            store(lake, day, list(dict.fromkeys(name for rule in counted for name, _ in tables_of(rule))), spoil)

        def reads(frame: Frame, wanted: Sequence[str], lake: Lake = lake, in_memory: Load = in_memory) -> pa.Table:
            if frame.query is not None:
                return in_memory(frame, wanted)
            return load(lake, frame, [day for day in wanted if lake.file(frame.table.name, day, "newest")])

        with pytest.MonkeyPatch.context() as patch:  # the library's cost is by validation
            patch.setattr("daily_profit_model.quality.evaluate.DAYS_A_VALIDATION", len(days))
            judged = evaluate(rules, reads, days)
        for outcome in judged:
            if outcome.partition in spoiled:
                found.setdefault((table, days.index(outcome.partition) // step), []).append(outcome)
    return found


def test_every_rule_holds_on_good_days(outcomes: dict[tuple[str, int], list[Outcome]]) -> None:
    good = [outcome for (table, place), of_day in outcomes.items() for outcome in of_day if place in (0, last(table))]
    assert {outcome.rule.id for outcome in good} == {rule.id for rule in RULES}
    assert [outcome for outcome in good if not outcome.passed] == []
    assert all(outcome.rows for outcome in good)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.table} {fault.says}")
def test_a_fault_is_seen_by_its_rule_and_by_no_other(
    outcomes: dict[tuple[str, int], list[Outcome]], fault: Fault
) -> None:
    of_table = [other for other in FAULTS if other.table == fault.table]
    of_day = outcomes[fault.table, of_table.index(fault) + 1]
    failed = [outcome for outcome in of_day if not outcome.passed]
    assert [outcome.rule.id for outcome in failed] == [fault.rule]
    outcome = failed[0]
    assert [part.says for part in outcome.parts if not part.passed] == [fault.says]
    assert outcome.error == ""
    assert outcome.unexpected_count >= 1
    assert outcome.samples[0]["violates"] == fault.says


def test_every_expectation_has_a_fault() -> None:
    declared = {(rule.table, rule.id, part.says) for rule in RULES for part in rule.expectations}
    assert {(fault.table, fault.rule, fault.says) for fault in FAULTS} == declared


def test_rules_are_told_apart_by_table_and_id_and_say_why_and_what_to_do() -> None:
    assert len({(rule.table, rule.id) for rule in RULES}) == len(RULES) >= 70
    assert all(rule.reason.endswith(".") and rule.advice.endswith(".") for rule in RULES)
    assert {rule.table.split("/")[0] for rule in RULES} == {
        "raw",
        "staging",
        "features",
        "training",
        "models",
        "predictions",
        "monitoring",
    }


def test_statements_are_of_at_least_twelve_kinds_and_checks_of_a_table_no_more_than_fifty() -> None:
    assert len({part.kind for rule in RULES for part in rule.expectations}) >= 12
    tables = [rule.table for rule in RULES]
    assert max(tables.count(table) for table in tables) <= 50


def test_frames_of_one_name_are_one_frame() -> None:
    """Rules that share a frame share one read, so a second frame of the name would be judged as the first."""
    by_name: dict[str, set[int]] = {}
    for rule in RULES:
        by_name.setdefault(rule.frame.name, set()).add(hash(str(rule.frame)))
    assert {name for name, frames in by_name.items() if len(frames) > 1} == set()


def test_a_blocking_rule_cannot_be_a_warning() -> None:
    from dataclasses import replace

    warning = next(rule for rule in RULES if rule.severity == "warn")
    with pytest.raises(ValueError, match="blocks"):
        replace(warning, blocking=True)


def last(table: str) -> int:
    return sum(fault.table == table for fault in FAULTS) + 1
