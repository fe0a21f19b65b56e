"""What the measurement of planted faults judges by: it says no where it should."""

from __future__ import annotations

import pytest

from daily_profit_model_tests.benchmarks.fault_catalogue import Fault
from daily_profit_model_tests.benchmarks.fault_kinds import lost
from daily_profit_model_tests.benchmarks.faults_through_dagster import unexplained
from daily_profit_model_tests.benchmarks.planted_faults import FAULTS, OFFSETS, SLOTS, Planted, rounds, told
from daily_profit_model_tests.quality.small_firm import RULES

DAILY, PREDICTED = "raw/metrics_daily", "predictions/account_daily"
RULE = {(rule.table, rule.id): rule for rule in RULES}


@pytest.mark.parametrize(
    ("status", "where"),
    [
        ((DAILY, "day_adds_up", "2026-03-10"), "own"),
        ((DAILY, "day_adds_up", "2026-03-11"), "wrong"),
        ((DAILY, "balance_carried_on", "2026-03-11"), "later"),
        ((DAILY, "balance_carried_on", "2026-03-09"), "wrong"),
        ((DAILY, "balance_carried_on", "2026-04-20"), "wrong"),
        ((PREDICTED, "every_eligible_account_predicted", "2026-03-21"), "own"),
        ((PREDICTED, "every_eligible_account_predicted", "2026-03-20"), "wrong"),
    ],
)
def test_a_status_is_right_on_the_day_of_the_fault_or_where_its_rule_looks_back_to_it(
    status: tuple[str, str, str], where: str
) -> None:
    later, wrong = unexplained([status], RULE, [(DAILY, "2026-03-10"), ("staging/accounts", "2026-03-20")])
    assert {"later": status in later, "wrong": status in wrong} == {
        "later": where == "later",
        "wrong": where == "wrong",
    }


@pytest.mark.parametrize(
    ("rule", "said", "caught"),
    [
        ((DAILY, "balances_positive"), "equity: not_positive=current_equity", True),
        ((DAILY, "balances_positive"), "equity: not_positive=current_balance", False),
        ((PREDICTED, "predictions_valid"), "current_equity", False),
    ],
)
def test_a_fault_is_caught_by_a_rule_that_names_its_table_and_column(
    rule: tuple[str, str], said: str, caught: bool
) -> None:
    planted = Planted(Fault(DAILY, "zero for nothing", "current_equity", "1 row", lost(1)), "201", "2026-03-10")
    told(planted, RULE[rule], said)
    assert planted.caught == caught


def test_every_fault_lies_in_one_round_and_no_two_of_a_table_on_one_day() -> None:
    placed = [[(fault.table, slot) for fault, slot in together] for together in rounds(FAULTS)]
    assert sum(len(together) for together in placed) == len(FAULTS) >= 300
    assert all(len(set(together)) == len(together) for together in placed)
    assert max(SLOTS) + max(OFFSETS.values()) < 30
    assert {fault.table for fault in FAULTS} == set(OFFSETS)
