"""What an audit says of lakes that are as they must be, that were spoiled, filled later, or read wrongly."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from daily_profit_model.engine import MissingInput, Query, Source
from daily_profit_model.features.audit import Report, audit
from daily_profit_model.features.audit.report import INPUTS
from daily_profit_model.features.pipeline import Step, pipeline
from daily_profit_model.lake import Lake, read
from daily_profit_model.lake.lake import cut_off
from daily_profit_model.staging.trades import known_logins, trades_query
from daily_profit_model.tables import Column, Table
from daily_profit_model.tables.contract import DAY, INT
from daily_profit_model.tables.raw import RAW_ACCOUNTS, RAW_TEST_LOGINS
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
from daily_profit_model_tests.staging.firm_days import (
    DORMANT_DAYS,
    day,
    identity,
    metrics,
    snapshot,
    store,
    store_day,
    trade,
)


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


NUMBERS = Table(
    "features/numbers", "A number a day", ("date",), (Column("date", DAY, "Day"), Column("n", INT, "Number"))
)
STAGED = [step for step in pipeline(DORMANT_DAYS) if step.table in (STAGING_ACCOUNTS, STAGING_TRADES)]


def _three_days(lake: Lake, *, live: bool = True) -> None:
    """Five accounts that trade and one that the newest snapshot alone knows, a test's login, and one of nobody."""
    for offset, one in enumerate(DAYS[:3]):
        accounts = [*(f"a{place}" for place in range(5)), *(["late"] if offset == 2 or not live else [])]
        store_day(
            lake,
            one,
            accounts=[snapshot(account, live=live) for account in accounts],
            rows=[metrics(f"a{place}", 1.0) for place in range(5)],
            closed=[trade(account) for account in ("a0", "a1", "late", "test", "nobody")],
        )
        login = {name: value for name, value in identity("test").items() if name != "account_id"}
        store(lake, RAW_TEST_LOGINS, one, [login])


@pytest.mark.parametrize("live", [True, False])
def test_what_later_snapshots_tell_of_the_days_own_trades_is_no_leak(lake: Lake, tmp_path: Path, live: bool) -> None:
    _three_days(lake, live=live)
    fill(lake, STAGED, DAYS[:1])
    assert set(read(lake, STAGING_TRADES, [day(0)])["account_id"].to_pylist()) == {"a0", "a1", "late", None}
    report = audit(lake, STAGED, tmp_path / "audit", days=1, seed=1)
    assert (report.findings, report.rows[STAGING_TRADES.name]) == ([], 4)


def test_how_many_logins_are_known_later_is_a_leak(lake: Lake, tmp_path: Path) -> None:
    _three_days(lake)
    sql = "select $first_day as date, count(*) as n from known_logins"
    step = Step(NUMBERS, lambda of: Query(sql, (Source(RAW_ACCOUNTS),), frames={"known_logins": known_logins(of)}))
    fill(lake, [step], DAYS[:1])
    assert found_in(audit(lake, [step], tmp_path / "audit", days=1, seed=1)) == {("poisoned", "n", day(0))}


@pytest.mark.parametrize(("live", "found"), [(True, set()), (False, {("poisoned", "n", DAYS[0])})])
def test_how_many_accounts_a_snapshot_knows_is_a_leak_when_it_was_taken_later(
    lake: Lake, tmp_path: Path, live: bool, found: set[tuple[str, str, str]]
) -> None:
    _three_days(lake, live=live)
    step = Step(
        NUMBERS, lambda _: Query("select date, count(*) as n from raw_accounts group by date", (Source(RAW_ACCOUNTS),))
    )
    fill(lake, [step], DAYS[:1])
    assert found_in(audit(lake, [step], tmp_path / "audit", days=1, seed=1)) == found


def test_a_later_owner_of_a_login_put_before_the_days_own_is_a_leak(lake: Lake, tmp_path: Path) -> None:
    _three_days(lake)
    honest, preferred = "coalesce(identities.account_id, known_logins.account_id)", "known_logins.account_id"
    hasty = Step(
        STAGING_TRADES, lambda of: replace(trades_query(of), sql=trades_query(of).sql.replace(honest, preferred))
    )
    fill(lake, [STAGED[0], hasty], DAYS[:1])
    found = found_in(audit(lake, [STAGED[0], hasty], tmp_path / "audit", days=1, seed=1))
    assert {(check, column) for check, column, _ in found} >= {("poisoned", "account_id")}
