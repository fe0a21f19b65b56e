"""Every planted leak is caught, by its name and by each check that must see it; honest tables beside them are clean."""

from __future__ import annotations

import pytest

from daily_profit_model.features.audit import Report
from daily_profit_model.tables.staging import STAGING_ACCOUNTS
from daily_profit_model_tests.features.audit.leaks import HONEST, LEAKS


@pytest.mark.parametrize("name", list(LEAKS))
def test_a_planted_leak_is_caught_and_named(leaky_report: Report, name: str) -> None:
    leak = LEAKS[name]
    found = leaky_report.by_column()
    assert set(leak.checks) <= {check for check, rows in found[leak.table, leak.column].items() if rows}


@pytest.mark.parametrize("name", [name for name, leak in LEAKS.items() if leak.column == "planted"])
def test_the_honest_columns_beside_a_leak_are_not_blamed(leaky_report: Report, name: str) -> None:
    assert [column for table, column in leaky_report.by_column() if table == LEAKS[name].table] == ["planted"]


def test_honest_tables_beside_leaky_ones_have_no_deviation(leaky_report: Report) -> None:
    assert {STAGING_ACCOUNTS.name, HONEST} & {table for table, _ in leaky_report.by_column()} == set()
    assert leaky_report.rows[HONEST] > 20
    assert leaky_report.partitions[STAGING_ACCOUNTS.name] > 5


def test_thirteen_of_thirteen_are_caught(leaky_report: Report) -> None:
    assert len(LEAKS) == 13
    assert {leak.table for leak in LEAKS.values()} == {table for table, _ in leaky_report.by_column()}
    assert not leaky_report.holds


def test_what_holds_the_target_is_suspected_and_no_honest_column_is(leaky_report: Report) -> None:
    suspected = {(suspicion.table, suspicion.feature) for suspicion in leaky_report.suspicions}
    assert {(leak.table, leak.column) for leak in LEAKS.values() if leak.holds_target} <= suspected
    assert suspected <= set(leaky_report.by_column())
