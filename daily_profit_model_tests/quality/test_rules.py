"""Every rule holds on good rows and fails on each fault that it is there for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

import pytest
from upath import UPath

from daily_profit_model.lake import Lake
from daily_profit_model.partitions import days_between
from daily_profit_model.quality.evaluate import evaluate
from daily_profit_model.quality.load import load
from daily_profit_model.quality.outcome import Outcome
from daily_profit_model_tests.quality.faults import FAULTS, Fault
from daily_profit_model_tests.quality.small_firm import RULES, day_before, nothing, store, tables_of

FIRST = date(2026, 3, 2)
Spoiled = Callable[[Fault], dict[str, Outcome]]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], list[Outcome]]:
    """Outcomes by table and place: a good day first and last, and between them a day for each of its faults."""
    found: dict[tuple[str, int], list[Outcome]] = {}
    for table in dict.fromkeys(rule.table for rule in RULES):
        lake = Lake(UPath(tmp_path_factory.mktemp("lake")))
        rules = [rule for rule in RULES if rule.table == table]
        spoils = [nothing, *(fault.spoil for fault in FAULTS if fault.table == table), nothing]
        days = days_between(FIRST, FIRST + timedelta(days=len(spoils) - 1))
        reads = dict.fromkeys(name for rule in rules for name in tables_of(rule))
        for day, spoil in zip(days, spoils, strict=True):
            store(lake, day, [name for name, earlier in reads if not earlier], spoil)
            store(lake, day_before(day), [name for name, earlier in reads if earlier and name != table])
        for name, days_back in reads:
            if name == table and days_back:  # its own past, which the spoiled days are a part of
                for day in days_between(FIRST - timedelta(days=days_back), FIRST - timedelta(days=1)):
                    store(lake, day, [name])
        for outcome in evaluate(rules, partial(load, lake), days):
            found.setdefault((table, days.index(outcome.partition)), []).append(outcome)
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
    assert len({(rule.table, rule.id) for rule in RULES}) == len(RULES) >= 14
    assert all(rule.reason.endswith(".") and rule.advice.endswith(".") for rule in RULES)
    assert {rule.table.split("/")[0] for rule in RULES} == {
        "raw",
        "staging",
        "features",
        "training",
        "predictions",
        "monitoring",
    }


def test_a_blocking_rule_cannot_be_a_warning() -> None:
    from dataclasses import replace

    warning = next(rule for rule in RULES if rule.severity == "warn")
    with pytest.raises(ValueError, match="blocks"):
        replace(warning, blocking=True)


def last(table: str) -> int:
    return sum(fault.table == table for fault in FAULTS) + 1
