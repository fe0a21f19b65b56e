"""The plan file has the real one's form, marginals and dirt."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from daily_profit_model.sandbox import plan_book, plans
from daily_profit_model.sandbox.world import World

SAMPLE = Path(__file__).parents[2] / "data" / "plans" / "plans.csv"


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with SAMPLE.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_sample_in_the_repository_is_the_book_of_every_world(world: World, tmp_path: Path) -> None:
    (path,) = plans.write_csv(world, tmp_path)
    assert path.read_bytes() == SAMPLE.read_bytes()


def test_the_same_file_can_lie_there_twice(world: World, tmp_path: Path) -> None:
    first, second = plans.write_csv(world, tmp_path, copies=2)
    assert first != second
    assert first.read_bytes() == second.read_bytes()


def test_there_are_94_columns_and_about_250_plans(rows: list[dict[str, str]]) -> None:
    assert len(rows[0]) == 94
    assert 200 <= len(rows) <= 300
    assert len({row["planId"] for row in rows}) == len(rows)


def test_numbers_flags_and_dates_have_the_real_forms(rows: list[dict[str, str]]) -> None:
    for row in rows:
        assert re.fullmatch(r"\d+\.\d{10}", row["startingBalance"])
        assert row["makeDrawdownStatic"] in "01"
        assert row["liquidateFriday"] in "01"
        assert re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d", row["inserted"])


def test_every_funded_plan_has_no_target_and_zero_says_so(rows: list[dict[str, str]]) -> None:
    funded = [row for row in rows if row["type"].endswith("Funded")]
    assert len(funded) > 50
    assert {row["profitTargetPct"] for row in funded} == {"0.0000000000"}


def test_marginals_are_near_those_of_the_real_book(rows: list[dict[str, str]]) -> None:
    def share(column: str, *values: float) -> float:
        return sum(row[column] != "" and float(row[column]) in values for row in rows) / len(rows)

    assert share("profitTargetPct", 0) == pytest.approx(0.36, abs=0.06)
    assert share("profitTargetPct", 5) == pytest.approx(0.31, abs=0.06)
    assert share("maxTrailingDrawdownPct", 10) == pytest.approx(0.51, abs=0.10)
    assert share("maxTrailingDrawdownPct", 12) == pytest.approx(0.24, abs=0.08)
    assert share("dailyLossLimitPct", 5) == pytest.approx(0.61, abs=0.10)
    assert share("dailyLossLimitPct", 0) == pytest.approx(0.08, abs=0.04)
    assert share("makeDrawdownStatic", 0) == pytest.approx(0.09, abs=0.04)
    assert share("maximumTime", 0) == pytest.approx(0.96, abs=0.05)
    assert share("inactivityPeriod", 30) == pytest.approx(0.88, abs=0.05)
    assert share("minimumRequiredActiveTradingDays", 0) == pytest.approx(0.61, abs=0.06)
    assert share("startingBalance", 100_000) == pytest.approx(0.15, abs=0.04)
    assert share("startingBalance", 5_000) == pytest.approx(0.13, abs=0.04)
    assert share("leverage", 30) == pytest.approx(0.31, abs=0.04)
    assert share("leverage", 200) == pytest.approx(0.19, abs=0.04)


def test_the_dirt_that_was_seen_is_there_and_no_account_is_on_it(rows: list[dict[str, str]], world: World) -> None:
    assert {"DXTRADE", " DXtrade", "DXtrade"} <= {row["platform"] for row in rows}
    assert {"1.0000000000", "5365656.0000000000"} <= {row["startingBalance"] for row in rows}
    assert "999" in {row["maximumTime"] for row in rows}
    assert "" in {row["price"] for row in rows}
    clean = {plan.plan_id for plan in plan_book.book() if not plan.archived}
    assert set(world.accounts["plan_id"].to_pylist()) <= {plan.plan_id for plan in plan_book.book()}
    first_stages = world.accounts.to_pandas().query("phase == 1")
    assert set(first_stages["plan_id"]) <= clean
