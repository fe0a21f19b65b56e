"""What an audit says of lakes that are as they must be, that were spoiled, filled later, or read wrongly."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from daily_profit_model.engine import MissingInput, Source
from daily_profit_model.features.audit import Report, audit
from daily_profit_model.features.audit.report import INPUTS
from daily_profit_model.features.pipeline import Step, pipeline
from daily_profit_model.lake import Lake, read
from daily_profit_model.lake.lake import cut_off
from daily_profit_model.tables.staging import STAGING_ACCOUNTS, STAGING_TRADES
from daily_profit_model_tests.features.audit.small_lake import fill
from daily_profit_model_tests.features.audit.small_profits import (
    DAYS,
    PROFITS,
    QUERY,
    RAW_PROFITS,
    SPOILED,
    STEP,
    audited,
    fill_raw,
    made,
    spoil,
)
from daily_profit_model_tests.staging.firm_days import DORMANT_DAYS, day, metrics, snapshot, store, store_day, trade


def found_in(report: Report) -> set[tuple[str, str, str]]:
    return {(finding.check, finding.column, finding.day) for finding in report.findings}


def test_a_lake_as_it_must_be_has_no_deviation(lake: Lake, tmp_path: Path) -> None:
    fill_raw(lake)
    fill(lake, [STEP], DAYS)
    report = audited(lake, tmp_path / "audit")
    assert (report.findings, report.versions, report.holds) == ([], [], True)
    assert (report.days, report.partitions[PROFITS.name], report.rows[PROFITS.name]) == (tuple(DAYS), 5, 25)
    assert report.summary() == "0 deviations in 0 of 2 columns of 1 tables; 5 days audited, 5 partitions made once more"


def test_one_value_that_nothing_explains_is_found_with_its_account(lake: Lake, tmp_path: Path) -> None:
    fill_raw(lake)
    fill(lake, [STEP], DAYS)
    spoil(lake)
    report = audited(lake, tmp_path / "audit")
    assert found_in(report) == {("truncated", "profit", SPOILED)}
    assert report.findings[0].sample == ((f"{SPOILED} b", 118.01, 118.0),)
    assert report.deviations == 1


def test_days_filled_long_after_and_corrected_later_still_have_no_deviation(lake: Lake, tmp_path: Path) -> None:
    fill_raw(lake, late=timedelta(days=90))
    store(lake, RAW_PROFITS, SPOILED, [made("a", -1.0)], cut_off(date.fromisoformat(SPOILED)) + timedelta(100))
    fill(lake, [STEP], DAYS)
    assert audited(lake, tmp_path / "audit").holds


def test_a_lake_that_takes_the_newest_revision_for_the_known_one_is_caught_L6(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_raw(lake)
    late = cut_off(date.fromisoformat(SPOILED)) + timedelta(days=2)
    store(lake, RAW_PROFITS, SPOILED, [made(name, -1.0) for name in "abcde"], late)
    monkeypatch.setattr(Lake, "file", lambda of, table, one, as_known="": next(iter(of.files(table, one)[::-1]), None))
    fill(lake, [STEP], DAYS)
    found = found_in(audited(lake, tmp_path / "audit"))
    assert {("truncated", "profit", SPOILED), ("poisoned", "profit", SPOILED)} <= found
    assert {one for check, column, one in found if (check, column) == ("poisoned", "profit")} == set(DAYS)


def test_a_table_that_cannot_be_made_in_the_morning_is_a_leak_of_its_own(lake: Lake, tmp_path: Path) -> None:
    fill_raw(lake)
    tomorrow = Step(PROFITS, lambda _: replace(QUERY, sources=(Source(RAW_PROFITS, first=-1, last=1),)))
    fill(lake, [tomorrow], DAYS[:-1])
    report = audit(lake, [tomorrow], tmp_path / "audit", days=1, seed=1)
    (finding,) = [finding for finding in report.findings if finding.column == INPUTS]
    assert finding.check == "truncated"
    assert "is missing" in str(finding.sample[0][0])


def test_a_past_day_that_is_missing_is_an_error_and_no_finding(lake: Lake, tmp_path: Path) -> None:
    fill_raw(lake)
    fill(lake, [STEP], DAYS)
    for path in lake.files(RAW_PROFITS.name, day(1)):
        path.unlink()
    with pytest.raises(MissingInput, match=f"raw/profits of {day(1)} is missing"):
        audited(lake, tmp_path / "audit")


def test_a_login_that_is_known_later_resolves_a_past_trade_and_is_no_leak(lake: Lake, tmp_path: Path) -> None:
    for offset, one in enumerate(DAYS[:3]):
        accounts = [snapshot("a"), *([snapshot("late", live=False)] if offset == 2 else [])]
        closed = [trade("a"), trade("late", "2")] if offset == 0 else []
        store_day(lake, one, accounts=accounts, rows=[metrics("a", 1.0)], closed=closed)
    steps = [step for step in pipeline(DORMANT_DAYS) if step.table in (STAGING_ACCOUNTS, STAGING_TRADES)]
    fill(lake, steps, DAYS[:3])
    assert read(lake, STAGING_TRADES, [day(0)])["account_id"].to_pylist() == ["a", "late"]
    report = audit(lake, steps, tmp_path / "audit", days=1, seed=1)
    assert (report.days, report.findings, report.rows[STAGING_TRADES.name]) == ((day(0),), [], 2)
