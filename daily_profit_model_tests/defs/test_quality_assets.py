"""Profiles, scores and pages as assets, and `dpm quality` on what they go by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from daily_profit_model.defs.all_rules import RULES
from daily_profit_model.defs.all_tables import ALL_TABLES
from daily_profit_model.defs.build import build_definitions
from daily_profit_model.defs.calendars import range_tags
from daily_profit_model.defs.launch.quality import list_rules, report
from daily_profit_model.defs.monitoring.quality import JUDGED
from daily_profit_model.defs.table_asset import asset_key
from daily_profit_model.lake import Lake, LakeError, read
from daily_profit_model.quality.results import results
from daily_profit_model.settings import Settings, WrongUse, load_settings
from daily_profit_model.tables.quality import MONITORING_PROFILES, MONITORING_QUALITY, WITHOUT_RULES
from daily_profit_model.tables.raw import RAW_TRADES_CLOSED
from daily_profit_model.tables.staging import STAGING_ACCOUNTS, STAGING_TRADES
from daily_profit_model_tests.quality.small_firm import store
from daily_profit_model_tests.quality.spoils import changed

GOOD, SPOILED = "2026-03-02", "2026-03-03"
DAY = load_settings().dpm_start_date.replace(day=3)
TABLES = [STAGING_ACCOUNTS, STAGING_TRADES]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """A data folder with two days of the small firm: on the second an account has no status."""
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))
    loaded = load_settings()
    names = [table.name for table in TABLES]
    store(Lake(loaded.lake_root), GOOD, names)
    store(Lake(loaded.lake_root), SPOILED, names, changed(STAGING_ACCOUNTS.name, status=None))
    return loaded


def made(selection: dg.AssetSelection, first: str = GOOD, last: str = SPOILED) -> dg.ExecuteInProcessResult:
    """A run of that over a range of days, as `dpm run` makes it."""
    job = dg.define_asset_job("chosen", selection=selection)
    defs = dg.Definitions.merge(build_definitions(), dg.Definitions(jobs=[job])).resolve_job_def("chosen")
    with dg.DagsterInstance.ephemeral() as instance:
        return defs.execute_in_process(instance=instance, tags=range_tags(first, last), raise_on_error=False)


def checks(*rules: str) -> dg.AssetSelection:
    """The checks of the tables, or some of staging/accounts."""
    if not rules:
        return dg.AssetSelection.checks_for_assets(*(asset_key(table) for table in TABLES))
    return dg.AssetSelection.checks(*(dg.AssetCheckKey(asset_key(STAGING_ACCOUNTS), rule) for rule in rules))


def asset(table: Any) -> dg.AssetSelection:
    return dg.AssetSelection.assets(asset_key(table)).without_checks()


def test_scores_say_what_the_checks_have_found_and_pages_show_it(settings: Settings) -> None:
    made(checks())
    result = made(asset(MONITORING_QUALITY))
    assert result.success
    rows = read(Lake(settings.lake_root), MONITORING_QUALITY, [GOOD, SPOILED]).to_pylist()
    assert [(str(row["date"]), row["table"], row["failing"]) for row in rows] == [
        (GOOD, "staging/accounts", []),
        (GOOD, "staging/trades", []),
        (SPOILED, "staging/accounts", ["accounts_have_state"]),
        (SPOILED, "staging/trades", []),
    ]
    assert [row["score"] < 1 for row in rows] == [False, False, True, False]
    told = [event.metadata for event in result.asset_materializations_for_node("monitoring__quality")]
    assert [metadata["failed_errors"].value for metadata in told] == [0, 1]
    assert told[1]["score_staging_accounts"].value == rows[2]["score"]
    page = Path(str(told[1]["page_staging_accounts"].value))
    assert page == settings.reports_dir / "quality" / "staging_accounts.html"
    text = page.read_text(encoding="utf-8")
    assert "<details open><summary><b>accounts_have_state</b>" in text
    assert "page_staging_accounts" not in told[0]  # one set of pages a run: they show the days before
    assert "scores_over_time_file" in told[1]


def test_profiles_of_the_days_that_are_there_are_collected(settings: Settings) -> None:
    assert made(asset(MONITORING_PROFILES)).success
    rows = read(Lake(settings.lake_root), MONITORING_PROFILES, [GOOD, SPOILED]).to_pylist()
    assert {(str(row["date"]), row["table"]) for row in rows} == {
        (GOOD, "staging/accounts"),
        (SPOILED, "staging/accounts"),
    }
    (status,) = (row for row in rows if (str(row["date"]), row["column"]) == (SPOILED, "status"))
    assert status["rows"] - status["known"] == 1


def test_a_run_of_some_rules_keeps_what_the_others_said(settings: Settings) -> None:
    made(checks())
    lake = Lake(settings.lake_root)
    before = results(lake, STAGING_ACCOUNTS, [SPOILED])
    store(lake, SPOILED, [STAGING_ACCOUNTS.name])  # right by now
    made(checks("accounts_have_state"), SPOILED, SPOILED)
    after = results(lake, STAGING_ACCOUNTS, [SPOILED])
    changed_rules = [
        (old["rule"], old["passed"], new["passed"])
        for old, new in zip(before.to_pylist(), after.to_pylist(), strict=True)
        if old != new
    ]
    assert changed_rules == [("accounts_have_state", False, True)]


def test_every_judged_daily_table_says_where_its_page_lies() -> None:
    graph = build_definitions().resolve_asset_graph()
    daily = [table for table in ALL_TABLES if table.partitioning == "date"]
    assert {table.name for table in daily} - {table.name for table in JUDGED} == set(WITHOUT_RULES)
    for table in ALL_TABLES:
        page = graph.get(asset_key(table)).metadata.get("quality_page")
        if table not in JUDGED:
            assert page is None
        else:
            path = Path(str(page.value))  # type: ignore[union-attr]  # a path's value
            assert path.is_absolute()
            assert path.parts[-3:] == ("reports", "quality", f"{table.view_name}.html")


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_report_tells_scores_failures_and_what_was_not_judged(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made(checks())
    capsys.readouterr()
    page = tmp_path / "all.html"
    assert report(settings, DAY, "", page, as_json=True) == 1
    said = told(capsys)
    assert (said["date"], said["holds"], said["html"]) == (SPOILED, False, str(page))
    accounts, trades = said["tables"]
    (failure,) = accounts["failed"]
    assert (failure["rule"], failure["severity"], failure["unexpected_count"]) == ("accounts_have_state", "error", 1)
    assert failure["samples"][0]["account_id"] == "a0"
    assert "rows_as_on_weekday" in accounts["not_judged_rules"]
    assert (trades["failed"], trades["score"]) == ([], 1.0)
    assert "Not judged on this day: raw/accounts" in page.read_text(encoding="utf-8")
    assert report(settings, DAY, "trades", None, as_json=True) == 0
    assert [table["table"] for table in told(capsys)["tables"]] == [STAGING_TRADES.name]
    assert report(settings, DAY, "", None, as_json=False) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("error: staging/accounts accounts_have_state") for line in lines)
    assert any(line.startswith("not judged for want of a past: staging/accounts: ") for line in lines)


def test_a_day_that_nobody_judged_is_one_line_that_names_the_newest_that_was(settings: Settings) -> None:
    with pytest.raises(LakeError, match=f"no rule has judged {SPOILED}, nor has it any other day; dpm run"):
        report(settings, DAY, "", None, as_json=False)
    made(checks(), GOOD, GOOD)
    with pytest.raises(LakeError, match=f"no rule of trades has judged {SPOILED}, the newest day judged is {GOOD}"):
        report(settings, DAY, "trades", None, as_json=True)


def test_wrong_words_are_wrong_use(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="those are raw/accounts"):
        report(settings, DAY, "nonsense", None, as_json=False)
    with pytest.raises(WrongUse, match="'account_daily' is several tables: features/account_daily, training"):
        list_rules("account_daily", as_json=False)
    for wrong in (tmp_path, tmp_path / "absent" / "page.html"):
        with pytest.raises(WrongUse, match="--html"):
            report(settings, DAY, "", wrong, as_json=False)


def test_the_rules_are_listed_with_what_holds_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    list_rules("", as_json=True)
    listed = told(capsys)
    assert {(rule["table"], rule["rule"]) for rule in listed} == {(rule.table, rule.id) for rule in RULES}
    assert len(listed) == len(RULES)
    list_rules(RAW_TRADES_CLOSED.name, as_json=False)
    text = capsys.readouterr().out
    assert "raw/trades_closed: day_not_frozen (timeliness, error)" in text
    assert "holds when: the day does not repeat the day before" in text
    assert "why: A feed that serves yesterday once more looks whole." in text
