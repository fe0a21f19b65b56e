"""Every rule holds on good rows and fails on each fault that it is there for."""

from __future__ import annotations

import pytest

from daily_profit_model.quality.evaluate import evaluate
from daily_profit_model.quality.outcome import Outcome
from daily_profit_model_tests.quality.faults import FAULTS
from daily_profit_model_tests.quality.good_rows import HASH
from daily_profit_model_tests.quality.judged import Judged
from daily_profit_model_tests.quality.small_firm import RULES, made_in_memory
from daily_profit_model_tests.quality.spoils import Fault, all_changed


@pytest.fixture(scope="module")
def outcomes(judged: dict[str, Judged]) -> dict[tuple[str, int], list[Outcome]]:
    """Outcomes by table and place: a good day first and last, and between them a day for each of its faults."""
    return {
        (table, place): [outcome for outcome in of_table.outcomes if outcome.partition == day]
        for table, of_table in judged.items()
        for place, day in enumerate(of_table.spoiled)
    }


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
    assert {outcome.rule.id for outcome in failed} == {fault.rule, *fault.also}
    outcome = next(outcome for outcome in failed if outcome.rule.id == fault.rule)
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


def test_predictions_of_before_there_was_traffic_need_not_say_who_serves_them() -> None:
    table = "predictions/account_daily"
    (rule,) = [rule for rule in RULES if (rule.table, rule.id) == (table, "predictions_valid")]
    spoils = {
        "2026-03-02": all_changed(table, served_by=None, code_version=f"4-{HASH[:16]}"),
        "2026-03-03": all_changed(table, served_by=None),
    }
    assert [outcome.passed for outcome in evaluate([rule], made_in_memory(spoils), list(spoils))] == [True, False]


def test_a_blocking_rule_cannot_be_a_warning() -> None:
    from dataclasses import replace

    warning = next(rule for rule in RULES if rule.severity == "warn")
    with pytest.raises(ValueError, match="blocks"):
        replace(warning, blocking=True)


def last(table: str) -> int:
    return sum(fault.table == table for fault in FAULTS) + 1
